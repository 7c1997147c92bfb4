"""Packed rows of the training mixture, each made from its number alone, so that a resumed run goes on exactly.

Documents never share attention: every document starts again at position 0, and transformers builds a
block-diagonal mask from those restarts where no attention mask is given.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from torch import Tensor, tensor
from torch.utils.data import Dataset

from bot.training.corpus import Document
from bot.training.dialogues import dialogues
from bot.training.dialogues.quoting import Sentences
from bot.training.presets import Preset
from bot.types import Message

IGNORED = -100
_CHUNK = 64
_HAND = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """One document's tokens; `learn` marks those that the loss is taken on."""

    ids: list[int]
    learn: list[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of the rows; the rest are grounded dialogues, the share `drills` of them with several questions."""

    copying: float
    natural: float
    chats: float = 0.0
    drills: float = 0.0


class Mixture(Dataset[dict[str, Tensor]]):
    """Row `i` depends on the seed and `i` only."""

    def __init__(
        self,
        tokenizer: Any,
        preset: Preset,
        *,
        shares: Shares,
        length: int,
        seed: int,
        natural: Sequence[Document] = (),
        sentences: Sentences | None = None,
        chats: Sequence[tuple[Message, ...]] = (),
    ) -> None:
        """Shares of what is not there go to the dialogues."""
        self._tokenizer = tokenizer
        self._preset = preset
        self._shares = shares
        self._length = length
        self._seed = seed
        self._natural = by_source(natural)
        self._sentences = sentences
        self._chats = chats
        self._chunk = lru_cache(maxsize=2)(self._make)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self._chunk(index // _CHUNK)[index % _CHUNK]

    def _make(self, chunk: int) -> list[dict[str, Tensor]]:
        random = Random(f"{self._seed}/{chunk}")  # noqa: S311 - no secret hangs on it
        shares = self._shares
        kinds = random.choices(
            ("copying", "natural", "chats", "dialogues"),
            (
                shares.copying,
                shares.natural if self._natural else 0.0,
                shares.chats if self._chats else 0.0,
                1 - shares.copying - shares.natural - shares.chats,
            ),
            k=_CHUNK,
        )
        spoken = self._spoken(random)
        row, pad = self._preset.row, self._tokenizer.pad_token_id
        return [pack(self._pieces(kind, random, spoken), row, pad=pad) for kind in kinds]

    def _pieces(self, kind: str, random: Random, spoken: Iterator[Piece]) -> Iterator[Piece]:
        if kind == "copying":
            return self._copies(random)
        if kind == "natural":
            return self._prose(random)
        if kind == "chats":
            return self._given(random)
        return spoken

    def _spoken(self, random: Random) -> Iterator[Piece]:
        for messages in dialogues(random.getrandbits(60), natural=self._sentences, drills=self._shares.drills):
            yield encode(self._tokenizer, messages)

    def _given(self, random: Random) -> Iterator[Piece]:
        while True:
            yield encode(self._tokenizer, random.choice(self._chats))

    def _copies(self, random: Random) -> Iterator[Piece]:
        """Random tokens, then the same again; short ones first teach what long ones need."""
        first, last = 8, len(self._tokenizer) - 1
        while True:
            once = [random.randint(first, last) for _ in range(random.randint(6, 48))]
            yield Piece(once + once, [False] * (len(once) + 1) + [True] * (len(once) - 1))

    def _prose(self, random: Random) -> Iterator[Piece]:
        """A window of a document, sources weighted by the square root of their size."""
        sources = list(self._natural.values())
        weights = [len(s) ** 0.5 for s in sources]
        while True:
            text = random.choice(random.choices(sources, weights)[0]).text
            size = self._preset.row * 4
            start = random.randrange(max(1, len(text) - size // 2))
            ids = self._tokenizer.encode(text[start : start + size], add_special_tokens=False)
            whole = start + size >= len(text)
            ids = [*ids, self._tokenizer.eos_token_id] if whole else ids
            yield Piece(ids, [True] * len(ids))


def by_source(documents: Sequence[Document]) -> Mapping[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for document in documents:
        found.setdefault(document.source, []).append(document)
    return found


def encode(tokenizer: Any, messages: Sequence[Message]) -> Piece:
    """A dialogue through the chat template; only what the assistant says is learnt."""
    chat = [{"role": m.role, "content": m.text} for m in messages]
    out = tokenizer.apply_chat_template(chat, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    return Piece(list(out["input_ids"]), [bool(bit) for bit in out["assistant_masks"]])


def pack(pieces: Iterator[Piece], row: int, *, pad: int) -> dict[str, Tensor]:
    """Pieces side by side in one row, each whole and starting at position 0; the row's rest is padding.

    Of a few pieces in hand the first that fits goes in. Only a piece learnt whole (natural text), or one longer
    than the row, is cut. A piece's first token has no label, so no piece is predicted from its neighbour.
    """
    ids: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    hand = [next(pieces) for _ in range(_HAND)]
    while room := row - len(ids):
        fits = (p for p in hand if len(p.ids) <= room or all(p.learn) or (not ids and len(p.ids) > row))
        piece = next(fits, None)
        if piece is None:
            ids += [pad] * room
            labels += [IGNORED] * room
            positions += range(room)
            break
        hand.remove(piece)
        hand.append(next(pieces))
        kept = piece.ids[:room]
        ids += kept
        labels += [IGNORED, *(t if yes else IGNORED for t, yes in zip(kept[1:], piece.learn[1:room], strict=True))]
        positions += range(len(kept))
    return {"input_ids": tensor(ids), "labels": tensor(labels), "position_ids": tensor(positions)}
