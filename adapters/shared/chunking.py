"""A long Markdown text as pieces that each stand for themselves.

Slack and Discord both count code points, so `len` measures for them; Discord's API does so by its developers' word
(discord-api-docs, issue 1315). `utf16_length` is for places that count as JavaScript does.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import regex

from adapters.shared.breaking import Rank, State, places, state_at

Length = Callable[[str], int]

LEAST_LIMIT = 100

_ORDERED = regex.compile(r"^(?P<indent>[ \t]*)(?P<number>\d{1,9})(?=[.)][ \t])")


def utf16_length(text: str) -> int:
    """How many UTF-16 code units the text takes: two for an emoji."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Piece:
    """`body` is a part of the text; `before` and `after` are the fences or table header added to it. A list item that
    begins it takes `number` for its own."""

    body: str
    before: str = ""
    after: str = ""
    number: str = ""

    @property
    def text(self) -> str:
        body = _ORDERED.sub(rf"\g<indent>{self.number}", self.body) if self.number else self.body
        return self.before + body + self.after


class Pieces:
    """The pieces of a text that grows. Each is at most `limit` by `length`, and none is blank.

    All but the last are closed: they never change while the text only grows. Put together, the bodies of the pieces
    are the text; only white space where it was cut, and the end of a code block right there, are left out. Where
    `length` never shrinks as a text grows, the pieces do not depend on the steps in which it grew.

    >>> pieces = Pieces(limit=2000)
    >>> pieces.add("Hello")
    ['Hello']
    """

    def __init__(self, *, limit: int, length: Length = len) -> None:
        if limit < LEAST_LIMIT:
            raise ValueError(f"the limit of a piece is {limit}, but it must be at least {LEAST_LIMIT}")
        self._limit = limit
        self._length = length
        self._text = ""
        self._closed: list[Piece] = []
        self._open: Piece | None = None
        self._at = 0
        self._state = State()

    def add(self, text: str) -> list[str]:
        """Append to the text."""
        self._text += text
        return self._cut()

    def set(self, text: str) -> list[str]:
        """The whole text so far. Where it is not the former one and more, all pieces are new."""
        if text.startswith(self._text):
            self._text = text
        else:
            self._text, self._closed, self._at, self._state = text, [], 0, State()
        return self._cut()

    @property
    def closed(self) -> int:
        """How many pieces are closed."""
        return len(self._closed)

    @property
    def parts(self) -> list[Piece]:
        """The pieces with what was added to each told apart."""
        return self._closed + ([self._open] if self._open else [])

    def _cut(self) -> list[str]:
        while True:
            start = self._start()
            self._open = None
            if start is None:
                break
            piece, end = self._next(start)
            if end is None:
                self._open = piece
                break
            self._closed.append(piece)
            self._state = self._state_at(start, end)
            self._at = end
        return [piece.text for piece in self.parts]

    def _start(self) -> int | None:
        """Where the next piece begins; None where nothing is there yet."""
        text, at = self._text, self._at
        begin = _past_space(text, at, limit=self._limit)
        fence = self._state.fence
        if begin is None or fence is None or not self._closed:
            return begin
        end = text.find("\n", begin)
        line = text[begin : len(text) if end < 0 else end]
        if begin and text[begin - 1 : begin] != "\n" and "\n" not in text[at:begin]:
            return begin
        if end < 0:  # the beginning of a line that may close the fence, which the piece before has closed already
            return None if fence.may_be_closed_by(line) else begin
        if not fence.closed_by(line):
            return begin
        self._state = self._state.after(line)
        self._at = end
        return self._start()

    def _state_at(self, start: int, end: int) -> State:
        # The line end at which a piece is cut is not part of it, but it completes the last line.
        complete = end + 1 if self._text[end : end + 1] == "\n" else end
        return state_at(self._text, start, complete, self._state)

    def _next(self, start: int) -> tuple[Piece, int | None]:
        """The piece that begins at `start` and where it is cut; None where it takes all the rest."""
        lead = Piece(body="", before=self._before(start), number=self._number(start))
        overflow = self._overflow(start, lead)
        if overflow is None:
            return self._piece(start, len(self._text), lead), None
        end = overflow - 1
        while True:
            end = self._best(start, end + 1)
            piece = self._piece(start, end, lead)
            if self._length(piece.text) <= self._limit or end <= start + 1:
                return piece, end
            end -= max(1, (end - start) // 16)  # the length given does not only grow with the text

    def _overflow(self, start: int, lead: Piece) -> int | None:
        """The least end at which the piece is too long; None where all the rest fits."""
        stop = len(self._text)
        low, high = start, min(stop, start + self._limit)
        while not self._too_long(start, high, lead):
            if high == stop:
                return None
            low, high = high, min(stop, high + self._limit)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._too_long(start, middle, lead) else (middle, high)
        return high

    def _too_long(self, start: int, end: int, lead: Piece) -> bool:
        text = lead.before + self._text[start:end].rstrip()
        return self._length(text) + len(lead.number) + self._room_to_close(start, end) > self._limit

    def _room_to_close(self, start: int, end: int) -> int:
        """Room is kept for the end of every kind of fence seen, closed or not: so the need for it never shrinks."""
        state = self._state
        needed = len(state.fence.closing) if state.fence else 0
        for line in self._text[start:end].split("\n")[:-1]:
            state = state.after(line)
            needed = max(needed, len(state.fence.closing) if state.fence else 0)
        return needed

    def _best(self, start: int, overflow: int) -> int:
        """The best place to cut text[start:overflow]."""
        best: dict[tuple[bool, bool, Rank], int] = {}
        window = self._text[start:overflow]
        first = start + len(window) - len(window.lstrip())
        for at, rank in places(self._text, start, overflow, self._state):
            share = (at - start) / len(window)
            poor = rank <= Rank.SPACE and share < 1 / 8
            early = rank <= Rank.SPACE and share < 1 / 2
            key = (poor or rank >= Rank.CHARACTER, early, Rank.BAD if poor else rank)
            if at > first:
                best[key] = max(at, best.get(key, 0))
        return best[min(best)] if best else max(start + 1, overflow - 1)

    def _before(self, start: int) -> str:
        """What is added before the piece that begins at `start`: a fence opened again, a table's header."""
        if not self._closed:
            return ""
        if (fence := self._state.fence) is not None:
            whole = fence.opening()
            return whole if self._length(whole) <= self._limit // 3 else fence.opening(info=False)
        header = self._state.table
        line = self._text[start : start + self._limit // 4].split("\n")[0]
        blank_line = "\n\n" in self._text[self._at : start].replace(" ", "")
        goes_on = not blank_line and self._text[start - 1] == "\n" and self._state.after(line).table
        return header if goes_on and self._length(header) <= self._limit // 3 else ""

    def _piece(self, start: int, end: int, lead: Piece) -> Piece:
        body = self._text[start:end].rstrip()
        state = self._state_at(start, end)
        if end == len(self._text) and not self._text.endswith("\n") and state.fence is not None:
            state = state if not state.fence.closed_by(body[body.rfind("\n") + 1 :]) else State()
        return replace(lead, body=body, after=state.fence.closing if state.fence is not None else "")

    def _number(self, start: int) -> str:
        """The number of the list item at `start` where a list is written with one number all along."""
        end = self._text.find("\n", start)
        item = _ORDERED.match(self._text[start : end if end >= 0 else len(self._text)])
        if item is None or not self._closed or self._state.fence is not None:
            return ""
        same = 0
        for line in reversed(self._text[:start].split("\n")[:-1]):
            other = _ORDERED.match(line)
            if other and other["indent"] == item["indent"]:
                if other["number"] != item["number"]:
                    return ""
                same += 1
            elif line.strip() and len(line) - len(line.lstrip()) <= len(item["indent"]):
                break
        return str(int(item["number"]) + same) if same else ""


def split(text: str, *, limit: int, length: Length = len) -> list[str]:
    """The pieces of a finished text.

    >>> split("one", limit=2000)
    ['one']
    """
    return Pieces(limit=limit, length=length).set(text)


def _past_space(text: str, at: int, *, limit: int) -> int | None:
    """Past white space, but before the indentation of a line. None where nothing else follows."""
    begin = at
    for found in regex.finditer(r"\X", text, pos=at):
        if not found[0].isspace():
            begin = found.start()
            break
    else:
        return None
    line = text.rfind("\n", at, begin) + 1 if "\n" in text[at:begin] or at == 0 else begin
    line = max(line, at)
    return line if begin - line <= limit // 4 else begin
