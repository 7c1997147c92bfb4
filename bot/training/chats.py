"""Any model's chats as rows of tokens: its own chat template, the loss on what the assistant says, each chat whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from jinja2 import TemplateError
from torch import Tensor, tensor
from torch.utils.data import Dataset

from bot.errors import TrainingError
from bot.training import corpus
from bot.training.data import IGNORED, Piece
from bot.types import Message

PLAIN = (
    "{% for m in messages %}"
    "{% if m.role == 'assistant' %}Assistant: {{ m.content }}{{ eos_token }}"
    "{% else %}{{ 'User: ' if m.role == 'user' }}{{ m.content }}{% endif %}{{ '\\n\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""For base models without a template: a dialogue as they may have read it."""

_OPEN = 8  # rows filled side by side


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat's pieces, learnt where the assistant speaks, and where it stands."""

    pieces: Sequence[Piece]
    where: str

    @property
    def tokens(self) -> int:
        """Of its longest piece, which must fit a row."""
        return max(len(piece.ids) for piece in self.pieces)


def read(paths: Sequence[Path], tokenizer: Any) -> list[Chat]:
    """Every chat of the files. Raises TrainingError with file, line and reason."""
    found: list[Chat] = []
    for path in paths:
        for line, messages in corpus.numbered_chats(path):
            where = f"{path}:{line}"
            try:
                found.append(Chat(pieces=encode(tokenizer, messages), where=where))
            except (TemplateError, ValueError, TypeError) as error:
                said = " ".join(str(error).split())
                raise TrainingError(f"{where}: does not fit the model's chat template: {said}") from error
    return found


def encode(tokenizer: Any, messages: Sequence[Message]) -> list[Piece]:
    """One piece; or one for each answer, where the template shows an answer differently once it is history.

    Raises ValueError where the template does not put an answer after the prompt for one.
    """
    answers = [n for n, message in enumerate(messages) if message.role == "assistant"]
    turns = [_turn(tokenizer, messages[: n + 1]) for n in answers]
    if not all(later.startswith(asked + said) for (asked, said), (later, _) in pairwise(turns)):
        return [_piece(tokenizer, [turn]) for turn in turns]
    starts = [0, *(len(asked) + len(said) for asked, said in turns)]
    return [_piece(tokenizer, [(asked[start:], said) for start, (asked, said) in zip(starts, turns, strict=False)])]


def _turn(tokenizer: Any, messages: Sequence[Message]) -> tuple[str, str]:
    """The prompt for the last message, as an engine shows it, and the rest: what the assistant is to say."""
    chat = [{"role": m.role, "content": m.text} for m in messages]
    asked: str = tokenizer.apply_chat_template(chat[:-1], tokenize=False, add_generation_prompt=True)
    whole: str = tokenizer.apply_chat_template(chat, tokenize=False)
    if not whole.startswith(asked) or len(whole) == len(asked):
        raise ValueError("it does not put an answer after the prompt for one")
    return asked, whole[len(asked) :].rstrip("\n")


def _piece(tokenizer: Any, turns: Sequence[tuple[str, str]]) -> Piece:
    ids: list[int] = []
    learn: list[bool] = []
    for turn in turns:
        for text, said in zip(turn, (False, True), strict=True):
            found = tokenizer.encode(text, add_special_tokens=False)
            ids += found
            learn += [said] * len(found)
    return Piece(ids, learn)


class Rows(Dataset[dict[str, Tensor]]):
    """Every chat once an epoch. Row `i` depends on the chats, the seed and `i` only."""

    def __init__(self, chats: Sequence[Chat], *, row: int, pad: int, seed: int, packed: bool) -> None:
        """`packed`: several pieces share a row, told apart by positions that start again; else one piece a row."""
        pieces = [piece for chat in chats for piece in chat.pieces]
        Random(seed).shuffle(pieces)  # noqa: S311 - no secret hangs on it
        bins = _pack(pieces, row) if packed else [[piece] for piece in pieces]
        self._rows = [_tensors(one, row, pad=pad) for one in bins]
        self._order = lru_cache(maxsize=1)(self._shuffled)
        self._seed = seed

    @property
    def per_epoch(self) -> int:
        return len(self._rows)

    def __len__(self) -> int:
        return 2**31  # epochs without end: the budget ends them

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        epoch, place = divmod(index, len(self._rows))
        return self._rows[self._order(epoch)[place]]

    def _shuffled(self, epoch: int) -> list[int]:
        order = list(range(len(self._rows)))
        Random(f"{self._seed}/{epoch}").shuffle(order)  # noqa: S311 - likewise
        return order


def _pack(pieces: Sequence[Piece], row: int) -> list[list[Piece]]:
    """Each piece into the first of the newest rows that has room."""
    bins: list[list[Piece]] = []
    room: list[int] = []
    for piece in pieces:
        size = len(piece.ids)
        fits = (n for n in range(max(0, len(bins) - _OPEN), len(bins)) if room[n] >= size)
        place = next(fits, None)
        if place is None:
            bins.append([])
            room.append(row)
            place = -1
        bins[place].append(piece)
        room[place] -= size
    return bins


def _tensors(pieces: Sequence[Piece], row: int, *, pad: int) -> dict[str, Tensor]:
    ids: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    for piece in pieces:
        ids += piece.ids
        pairs = zip(piece.ids[1:], piece.learn[1:], strict=True)
        labels += [IGNORED, *(token if learnt else IGNORED for token, learnt in pairs)]
        positions += range(len(piece.ids))
    left = row - len(ids)
    start = positions[-1] + 1 if len(pieces) == 1 else 0
    return {
        "input_ids": tensor(ids + [pad] * left),
        "labels": tensor(labels + [IGNORED] * left),
        "position_ids": tensor([*positions, *range(start, start + left)]),
    }
