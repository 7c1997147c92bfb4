"""The live buffer of one conversation: its newest turn event by event, some earlier ones by how they finished."""

import asyncio
import secrets
from bisect import bisect_right
from collections.abc import Iterator

from bot.errors import CursorLost
from bot.types import Delta, LiveEvent, TurnFinished, TurnReplaced, TurnStarted

_TURNS = 20


class LiveBuffer:
    """Events numbered from 1. A cursor is `<life>-<number>`; each buffer's life is random.

    Text of a finished turn goes as soon as every follower has read past it, since TurnFinished says it all; where
    a running turn has too many events the oldest become one TurnReplaced. Neither loses a follower anything.
    """

    def __init__(self, *, events: int, characters: int) -> None:
        self._most_events = events
        self._most_characters = characters
        self._life = secrets.token_hex(6)
        self._numbers: list[int] = []
        self._events: list[LiveEvent] = []
        self._characters = 0
        self._last = 0
        self._evicted = 0
        self._ended = False
        self.followers: set[Follower] = set()

    @property
    def events(self) -> int:
        return len(self._events)

    @property
    def characters(self) -> int:
        return self._characters

    def append(self, event: LiveEvent) -> None:
        self._last += 1
        self._numbers.append(self._last)
        self._events.append(event)
        self._characters += _size(event)
        if isinstance(event, TurnStarted | TurnFinished):
            self.tidy()
        if len(self._events) > self._most_events or self._characters > self._most_characters:
            self._shrink()
        for follower in self.followers:
            follower.wake()

    def follow(self, after: str | None) -> "Follower":
        """Raises CursorLost where what follows `after` is gone."""
        follower = Follower(self, self._start() if after is None else self._position(after))
        self.followers.add(follower)
        return follower

    def leave(self, follower: "Follower") -> None:
        self.followers.discard(follower)
        self.tidy()

    def end(self, *, lost: bool) -> None:
        """Nothing comes any more: followers end, or where the buffer is `lost` get CursorLost."""
        self._ended = True
        if lost:
            self._evicted = self._last + 1
        for follower in self.followers:
            follower.wake()

    def after(self, position: int) -> tuple[int, LiveEvent] | None:
        """The first event after `position`; None where it is yet to come. Raises CursorLost, StopAsyncIteration."""
        if position < self._evicted:
            raise CursorLost(self.cursor(position))
        index = bisect_right(self._numbers, position)
        if index < len(self._events):
            return self._numbers[index], self._events[index]
        if self._ended:
            raise StopAsyncIteration
        return None

    def cursor(self, position: int) -> str:
        return f"{self._life}-{position}"

    def tidy(self) -> None:
        """Drop what a later event says again and every follower has read, and turns too old to come back for."""
        read = min((follower.position for follower in self.followers), default=self._last)
        ends = [number for number, event in self._forwards() if isinstance(event, TurnFinished)]
        finished = {event.turn for event in self._events if isinstance(event, TurnFinished)}
        newest = next((n for n, e in self._backwards() if isinstance(e, TurnStarted)), 0)
        if len(ends) > _TURNS:
            self._evicted = ends[-_TURNS - 1]
        self._keep(
            [
                number > self._evicted
                and (
                    isinstance(event, TurnFinished)
                    or number > read
                    or (number >= newest and (isinstance(event, TurnStarted) or event.turn not in finished))
                )
                for number, event in self._forwards()
            ]
        )

    def _shrink(self) -> None:
        turn = self._events[-1].turn
        older = next(index for index, event in enumerate(self._events) if event.turn == turn)
        while older and (len(self._events) > self._most_events or self._characters > self._most_characters):
            self._evicted = self._numbers[0]
            self._keep([False] + [True] * (len(self._events) - 1))
            older -= 1
        many = len(self._events) > self._most_events
        if many or (self._characters > self._most_characters and len(self._events) > self._most_events // 2):
            self._fold(turn, upto=len(self._events) - self._most_events // 4)

    def _fold(self, turn: str, *, upto: int) -> None:
        """Make one TurnReplaced of the text among the first `upto` events, all of `turn`."""
        folded: TurnReplaced | None = None
        place = 0
        for index, event in enumerate(self._events[:upto]):
            if isinstance(event, Delta | TurnReplaced):
                anew = isinstance(event, TurnReplaced) or folded is None or folded.attempt != event.attempt
                text = event.text if anew or folded is None else folded.text + event.text
                folded = TurnReplaced(turn=turn, attempt=event.attempt, seq=event.seq, text=text)
                place = index
        if folded is None:
            return
        self._characters += len(folded.text) - _size(self._events[place])
        self._events[place] = folded
        self._keep(
            [index >= place or not isinstance(event, Delta | TurnReplaced) for index, event in enumerate(self._events)]
        )

    def _keep(self, wanted: list[bool]) -> None:
        if all(wanted):
            return
        kept = [pair for pair, keep in zip(self._forwards(), wanted, strict=True) if keep]
        self._numbers = [number for number, _ in kept]
        self._events = [event for _, event in kept]
        self._characters = sum(map(_size, self._events))

    def _start(self) -> int:
        """The position before the newest turn's beginning."""
        if not self._events:
            return self._last
        turn = self._events[-1].turn
        start = self._last
        for number, event in self._backwards():
            if event.turn != turn:
                break
            start = number
            if isinstance(event, TurnStarted):
                break
        return start - 1

    def _position(self, cursor: str) -> int:
        life, _, number = cursor.partition("-")
        if life != self._life or not number.isdecimal() or len(number) > len(str(self._last)):
            raise CursorLost(cursor)
        if not self._evicted <= int(number) <= self._last:
            raise CursorLost(cursor)
        return int(number)

    def _forwards(self) -> Iterator[tuple[int, LiveEvent]]:
        return zip(self._numbers, self._events, strict=True)

    def _backwards(self) -> Iterator[tuple[int, LiveEvent]]:
        return zip(reversed(self._numbers), reversed(self._events), strict=True)


class Follower:
    """Reads a buffer at its own pace; holds no events itself."""

    def __init__(self, buffer: LiveBuffer, position: int) -> None:
        self._buffer = buffer
        self._news = asyncio.Event()
        self.position = position

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> tuple[str, LiveEvent]:
        while (found := self._buffer.after(self.position)) is None:
            self._news.clear()
            await self._news.wait()
        self.position, event = found
        if isinstance(event, TurnFinished):
            self._buffer.tidy()
        return self._buffer.cursor(self.position), event

    def wake(self) -> None:
        self._news.set()


def _size(event: LiveEvent) -> int:
    match event:
        case TurnStarted():
            return 0
        case TurnFinished():
            return len(event.message.text)
        case _:
            return len(event.text)
