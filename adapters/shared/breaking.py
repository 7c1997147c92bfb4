"""Where a Markdown text may be cut: the state of its lines and how good each place is."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import regex

_FENCE = regex.compile(
    r"^(?P<quote>(?:[ \t]*>){0,8})[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?"
    r"(?P<fence>`{3,16}(?!`)|~{3,16}(?!~))(?P<info>.*)$"
)
_DELIMITER = regex.compile(r"^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_MAYBE_DELIMITER = regex.compile(r"^[\s|:-]*$")
_HEADING = regex.compile(r"^[ \t]{0,3}#{1,6}(?:[ \t]|$)")
_BLOCK = regex.compile(r"^[ \t]*(?:#{1,6}[ \t]|[-*+][ \t]|\d{1,9}[.)][ \t]|>|`{3}|~{3})")
_SENTENCE = regex.compile(r"(?:[。！？!?…]|\.(?=\s))[”’」』）)\"'*_]*|[;；](?=\s|(?<=；))")
_SPACE = regex.compile(r"(?<=\S)[ \t]+(?=\S)")

# What is better kept whole. A span that the window leaves open reaches to its end.
_SPANS = regex.compile(
    r"""
      (?<!`)(?P<ticks>`+)(?!`)[^\n]*?(?:(?<!`)(?P=ticks)(?!`)|\Z)
    | !?\[(?:[^\[\]\\\n]++|\\.|\[[^\[\]\n]*+\])*+(?:\]\((?:[^()\n]++|\([^()\n]*+\))*+(?:\)|\Z)|\]\Z|\Z)
    | (?<!\*)\*\*(?=\S)[^*\n]++(?:\*\*|\*?\Z)
    | https?://[!-;=?-~]*+
    | h(?:t(?:t(?:ps?:?/?)?)?)?\Z
    """,
    regex.VERBOSE,
)


class Rank(IntEnum):
    """How good a place for a cut is; the lower the better."""

    PARAGRAPH = 0
    BLOCK = 1
    LINE = 2
    CODE_PARAGRAPH = 3
    CODE_LINE = 4
    SENTENCE = 5
    SPACE = 6
    CHARACTER = 7
    BAD = 8


@dataclass(frozen=True, slots=True)
class Fence:
    quote: str
    mark: str
    info: str

    def opening(self, *, info: bool = True) -> str:
        return f"{self.quote}{self.mark}{self.info if info else ''}\n"

    @property
    def closing(self) -> str:
        return f"\n{self.quote}{self.mark}"

    def closed_by(self, line: str) -> bool:
        bare = line.replace(">", "", self.quote.count(">")).strip()
        return len(bare) >= len(self.mark) and not bare.strip(self.mark[0])

    def may_be_closed_by(self, line: str) -> bool:
        """Whether a line of which this is the beginning could close it."""
        return not line.replace(">", "", self.quote.count(">")).strip().strip(self.mark[0])


@dataclass(frozen=True, slots=True)
class State:
    """What is open where a line begins: a code fence, or a table with these header lines. `headed` says that nothing
    came yet below a heading."""

    fence: Fence | None = None
    table: str = ""
    previous: str = ""
    headed: bool = False

    def after(self, line: str) -> "State":
        """The state behind this complete line, given without its end."""
        if self.fence is not None:
            left_quote = bool(self.fence.quote) and not line.lstrip().startswith(">")
            if not left_quote:
                return State(previous=line) if self.fence.closed_by(line) else State(fence=self.fence, previous=line)
        if found := _FENCE.match(line):
            mark, info = found["fence"], found["info"].strip()
            if not (mark[0] == "`" and "`" in info):
                quote = "> " * found["quote"].count(">")
                return State(fence=Fence(quote=quote, mark=mark, info=info), previous=line)
        if self.table and "|" in line and not _BLOCK.match(line):
            return State(table=self.table, previous=line)
        if "|" in self.previous and _DELIMITER.match(line):
            return State(table=f"{self.previous}\n{line}\n", previous=line)
        headed = bool(_HEADING.match(line)) or (self.headed and not line.strip())
        return State(previous=line, headed=headed)


def lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The lines of text[start:end]: where each begins and ends, its line end not counted."""
    while start < end:
        stop = text.find("\n", start, end)
        yield start, end if stop < 0 else stop
        start = end if stop < 0 else stop + 1


def state_at(text: str, start: int, end: int, state: State) -> State:
    """The state behind the complete lines of text[start:end]."""
    for begin, stop in lines(text, start, end):
        if stop < len(text) and text[stop] == "\n" and stop < end:
            state = state.after(text[begin:stop])
    return state


def places(text: str, start: int, end: int, state: State) -> Iterator[tuple[int, Rank]]:
    """Where text[start:end] may be cut, without looking at what follows; `state` is that at `start`."""
    window = text[start:end]
    whole = [(found.start(), found.end()) for found in _SPANS.finditer(window)]
    clusters = {found.start() for found in regex.finditer(r"\X", window)}
    inside = {at for begin, stop in whole for at in range(begin + 1, len(window) + 1 if stop == len(window) else stop)}
    for begin, stop in lines(text, start, end):
        line = text[begin:stop]
        if begin > start:
            yield begin - 1, _rank_of_line(state, line, complete=stop < end)
        code = state.fence is not None
        for found in _SENTENCE.finditer(line):
            at = begin + found.end()
            if not code and at - start in clusters and at - start not in inside:
                yield at, Rank.SENTENCE
        for found in _SPACE.finditer(line):
            at = begin + found.start()
            if at - start in clusters and (code or at - start not in inside):
                yield at, Rank.SPACE
        if stop < end:
            state = state.after(line)
    for at in clusters - {0}:
        yield start + at, Rank.BAD if at in inside else Rank.CHARACTER


def _rank_of_line(state: State, line: str, *, complete: bool) -> Rank:
    """How good a cut before this line is."""
    before = state.previous
    if state.fence is not None:
        if _FENCE.match(before) or state.fence.closed_by(line):
            return Rank.BAD
        return Rank.CODE_LINE if before.strip() and line.strip() else Rank.CODE_PARAGRAPH
    if state.headed:
        return Rank.BAD
    if "|" in before and (before + "\n" in state.table or (not complete and _MAYBE_DELIMITER.match(line))):
        return Rank.BAD
    if "|" in before and _DELIMITER.match(line) and not state.table:
        return Rank.BAD
    if not before.strip() or not line.strip():
        return Rank.PARAGRAPH
    return Rank.BLOCK if _BLOCK.match(line) else Rank.LINE
