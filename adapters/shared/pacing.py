"""How often a growing reply may be edited, and how replies share a place."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from bot.errors import ChannelBusy

Send = Callable[[str], Awaitable[timedelta | None]]
Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

SLOWER = 2.0
QUICKER = 0.8


@dataclass(slots=True)
class _Place:
    free_at: float = 0.0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Gate:
    """Keeps calls about one key `every` apart, in the order in which they came. Keys nobody uses are forgotten.

    `clock` tells seconds that only grow.
    """

    def __init__(self, *, every: timedelta, clock: Clock | None = None, sleep: Sleep = asyncio.sleep) -> None:
        self._every = every.total_seconds()
        self._clock = clock or asyncio.get_running_loop().time
        self._sleep = sleep
        self._places: dict[Hashable, _Place] = {}
        self._sweep_at = 0.0

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._places)

    async def turn(self, key: Hashable) -> None:
        """Return when it is this caller's turn at `key`."""
        self._sweep()
        place = self._places.setdefault(key, _Place())
        place.waiting += 1
        try:
            async with place.lock:
                while (wait := place.free_at - self._clock()) > 0:  # a hold may have come meanwhile
                    await self._sleep(wait)
                place.free_at = self._clock() + self._every
        finally:
            place.waiting -= 1

    def hold(self, key: Hashable, wait: timedelta) -> None:
        """Nobody's turn at `key` comes before `wait` is over, as the platform asked."""
        place = self._places.setdefault(key, _Place())
        place.free_at = max(place.free_at, self._clock() + wait.total_seconds())

    def _sweep(self) -> None:
        now = self._clock()
        if now >= self._sweep_at:
            self._sweep_at = now + self._every
            self._places = {key: place for key, place in self._places.items() if place.waiting or place.free_at > now}


class Pace:
    """The edits of one reply: one at a time, the newest text wins, none sooner than the platform bears.

    The time between two edits begins at `every`, doubles (to `longest` at most) when the platform asks to wait, and
    shrinks back as edits succeed.
    """

    def __init__(
        self,
        send: Send,
        *,
        every: timedelta,
        longest: timedelta,
        gate: Gate | None,
        key: Hashable,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._send = send
        self._every = every.total_seconds()
        self._longest = max(longest.total_seconds(), self._every)
        self._gate = gate
        self._key = key
        self._clock = clock
        self._sleep = sleep
        self._interval = self._every
        self._free_at = 0.0
        self._newest: str | None = None
        self._shown: str | None = None
        self._error: Exception | None = None
        self._changed = asyncio.Condition()
        self._waits = asyncio.Event()

    @property
    def interval(self) -> timedelta:
        """The present time between two edits."""
        return timedelta(seconds=self._interval)

    @property
    def shown(self) -> str | None:
        """The text the platform took last; None before the first."""
        return self._shown

    def update(self, text: str) -> None:
        """`text` is all of the reply so far. Raises the error that ended the edits, if one did."""
        if self._error is not None:
            raise self._error
        self._newest = text
        self._waits.set()

    async def finish(self) -> None:
        """Return when the newest text is shown. Raises the error that ended the edits, if one did."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._error is not None or self._shown == self._newest)
        if self._error is not None:
            raise self._error

    async def write(self) -> None:
        """Send what is new, until cancelled or until an edit fails."""
        while self._error is None:
            await self._waits.wait()
            await self._its_turn()
            self._waits.clear()
            if self._newest is not None and self._newest != self._shown:
                await self._edit(self._newest)
            async with self._changed:
                self._changed.notify_all()

    async def _its_turn(self) -> None:
        while (wait := self._free_at - self._clock()) > 0:
            await self._sleep(wait)
        if self._gate is not None:
            await self._gate.turn(self._key)

    async def _edit(self, text: str) -> None:
        try:
            wait = await self._send(text)
        except ChannelBusy as busy:
            wait = busy.wait
        except Exception as error:  # noqa: BLE001 # whatever it is, the one who writes the reply must hear of it
            self._error = error
            return
        if wait is None:
            self._shown = text
            self._interval = max(self._every, self._interval * QUICKER)
            self._free_at = self._clock() + self._interval
            return
        self._waits.set()
        self._interval = min(self._longest, self._interval * SLOWER)
        self._free_at = self._clock() + max(wait.total_seconds(), self._interval)
        if self._gate is not None:
            self._gate.hold(self._key, wait)


@asynccontextmanager
async def pacing(
    send: Send,
    *,
    every: timedelta,
    longest: timedelta = timedelta(seconds=30),
    gate: Gate | None = None,
    key: Hashable = None,
    clock: Clock | None = None,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Pace]:
    """A pace whose writer runs. At a normal end the newest text is shown or the error of its edit raised.

    `send` shows a text and returns None, or else, like ChannelBusy, how long the platform asks to wait: the text is
    then sent again, or a newer one instead. With a `gate` each edit also waits its turn at `key`.
    """
    clock = clock or asyncio.get_running_loop().time
    pace = Pace(send, every=every, longest=longest, gate=gate, key=key, clock=clock, sleep=sleep)
    writer = asyncio.create_task(pace.write(), name="pace")
    try:
        yield pace
        await pace.finish()
    finally:
        writer.cancel()
        await asyncio.wait({writer})
