"""A reply in the making, as events on the bus; the streams of its readers follow there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Counter

from bot.ports import Bus
from bot.types import Delivery, Delta, LiveEvent, Turn, TurnFinished, TurnReplaced, TurnStarted

FRAME_SECONDS = 1 / 60


class WebReply:
    """One attempt of a turn. `seq` counts its events from 1.

    What is written faster than a screen shows it goes out together, once a frame: an event costs the server, the bus
    and every reader about as much for one word as for ten.
    """

    def __init__(self, turn: Turn, bus: Bus, deltas: Counter) -> None:
        self._turn = turn
        self._bus = bus
        self._deltas = deltas
        self._seq = 0
        self._unsent = ""
        self._frame_ends = 0.0
        self._waits = asyncio.Event()
        self._sending = asyncio.Lock()
        self._clock = asyncio.get_running_loop().time

    async def begin(self) -> None:
        """Announce the attempt; a later one takes back what earlier ones showed."""
        await self._append(TurnStarted(turn=self._turn.id, attempt=self._turn.attempt))
        if self._turn.attempt > 1:
            await self.replace("")

    async def write(self, text: str) -> None:
        self._deltas.inc()
        self._unsent += text
        if self._clock() >= self._frame_ends:
            await self.flush()
        else:
            self._waits.set()

    async def replace(self, text: str) -> None:
        async with self._sending:
            self._unsent = ""
            self._seq += 1
            await self._append(TurnReplaced(turn=self._turn.id, attempt=self._turn.attempt, seq=self._seq, text=text))

    async def flush(self) -> None:
        """Send what waits."""
        async with self._sending:
            if self._unsent:
                text, self._unsent = self._unsent, ""
                self._frame_ends = self._clock() + FRAME_SECONDS
                self._seq += 1
                await self._append(Delta(turn=self._turn.id, attempt=self._turn.attempt, seq=self._seq, text=text))

    async def keep_pace(self) -> None:
        """Send what waits at the end of each frame, until cancelled."""
        while True:
            await self._waits.wait()
            self._waits.clear()
            await asyncio.sleep(self._frame_ends - self._clock())
            await self.flush()

    async def _append(self, event: LiveEvent) -> None:
        await self._bus.append(self._turn.conversation, event)


@asynccontextmanager
async def replying(turn: Turn, bus: Bus, deltas: Counter) -> AsyncIterator[WebReply]:
    """The reply, announced. At a normal end all that was written has been sent."""
    reply = WebReply(turn, bus, deltas)
    await reply.begin()
    pacing = asyncio.create_task(reply.keep_pace(), name=f"pace {turn.id}")
    try:
        yield reply
        await reply.flush()
    finally:
        pacing.cancel()
        await asyncio.wait({pacing})


def finished(delivery: Delivery) -> TurnFinished:
    """The event that ends a turn. Readers who had it once pass over a repetition."""
    return TurnFinished(turn=delivery.turn, status=delivery.state, message=delivery.message)
