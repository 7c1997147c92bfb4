"""A reply in the making, as events on the bus; the streams of its readers follow there."""

from prometheus_client import Counter

from bot.ports import Bus
from bot.types import Delivery, Delta, Turn, TurnFinished, TurnReplaced, TurnStarted


class WebReply:
    """One attempt of a turn. `seq` counts its events from 1."""

    def __init__(self, turn: Turn, bus: Bus, deltas: Counter) -> None:
        self._turn = turn
        self._bus = bus
        self._deltas = deltas
        self._seq = 0

    async def begin(self) -> None:
        """Announce the attempt; a later one takes back what earlier ones showed."""
        await self._bus.append(self._turn.conversation, TurnStarted(turn=self._turn.id, attempt=self._turn.attempt))
        if self._turn.attempt > 1:
            await self.replace("")

    async def write(self, text: str) -> None:
        self._seq += 1
        self._deltas.inc()
        await self._bus.append(
            self._turn.conversation,
            Delta(turn=self._turn.id, attempt=self._turn.attempt, seq=self._seq, text=text),
        )

    async def replace(self, text: str) -> None:
        self._seq += 1
        await self._bus.append(
            self._turn.conversation,
            TurnReplaced(turn=self._turn.id, attempt=self._turn.attempt, seq=self._seq, text=text),
        )


def finished(delivery: Delivery) -> TurnFinished:
    """The event that ends a turn. Readers who had it once pass over a repetition."""
    return TurnFinished(turn=delivery.turn, status=delivery.state, message=delivery.message)
