"""Blocks of text → passages small enough that three of them fit a small model's context beside the conversation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from bot.knowledge.words import han_share, size

_CLAUSE = re.compile(r"(?<=[,;:，；：、])\s*|\s+")
_MARKUP = re.compile(r"<(?=\|)|<(?=/?s>)|<(?=(?:start|end)_of_turn>)|\[(?=/?INST\])", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph (its pieces are sentences), list (items), table (rows) or fence (lines).

    `joiner` stands between pieces; None joins sentences: with a space after Latin ends, with nothing after Han ends.
    """

    pieces: tuple[str, ...]
    joiner: str | None
    fence: str | None = None

    @property
    def text(self) -> str:
        return wrapped(join(self.pieces, self.joiner), self.fence)


@dataclass(frozen=True, slots=True)
class Section:
    heading: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A passage before it has an address. `asked` are further wordings of the question it answers."""

    heading: tuple[str, ...]
    text: str
    answer: str | None = None
    asked: tuple[str, ...] = ()


def join(pieces: tuple[str, ...] | list[str], joiner: str | None) -> str:
    if joiner is not None:
        return joiner.join(pieces)
    text = ""
    for piece in pieces:
        text += (" " if text and text[-1].isascii() else "") + piece
    return text


def wrapped(text: str, fence: str | None) -> str:
    return text if fence is None else f"{fence}\n{text}\n```"


def pack(section: Section) -> Iterator[Draft]:
    """The section as passages of about equal size, at most 1 by `words.size`, cut between pieces of blocks."""
    total = sum(size(block.text) for block in section.blocks)
    target = total / ceil(total) if total > 1 else 1.0
    taken: list[str] = []
    room = 0.0
    for block in section.blocks:
        pieces: list[str] = []
        for piece in _small(block):
            cost = size(piece)
            if (taken or pieces) and (room + cost > 1 or room >= target):
                yield Draft(section.heading, _flush(taken, pieces, block))
                taken, pieces, room = [], [], 0.0
            pieces.append(piece)
            room += cost
        if pieces:
            taken.append(wrapped(join(pieces, block.joiner), block.fence))
    if taken:
        yield Draft(section.heading, "\n".join(taken))


def _flush(taken: list[str], pieces: list[str], block: Block) -> str:
    last = [wrapped(join(pieces, block.joiner), block.fence)] if pieces else []
    return "\n".join([*taken, *last])


def _small(block: Block) -> Iterator[str]:
    """The block's pieces; one that is too large alone is cut at clauses, then at spaces or, without any, anywhere."""
    for piece in block.pieces:
        if size(piece) <= 1:
            yield piece
            continue
        part = ""
        for clause in _clauses(piece):
            if part and size(part + clause) > 1:
                yield part.strip()
                part = ""
            part += clause
        if part.strip():
            yield part.strip()


def _clauses(piece: str) -> Iterator[str]:
    position = 0
    for match in _CLAUSE.finditer(piece):
        if match.end() > position:
            yield from _chunks(piece[position : match.end()])
            position = match.end()
    yield from _chunks(piece[position:])


def _chunks(text: str) -> Iterator[str]:
    step = 120 if han_share(text) > 0.2 else 400
    for start in range(0, len(text), step):
        yield text[start : start + step]


def harmless(text: str) -> str:
    """A document's text as data: without invisible control characters, and with chat markup (`<|im_end|>`,
    `</s>`, `[INST]`) broken by a space, so that no tokenizer reads it as a turn of its own."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _MARKUP.sub(lambda match: match.group() + " ", _INVISIBLE.sub("", lines))
