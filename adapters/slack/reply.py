"""The reply of one attempt, shown at the pace that Slack bears."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from adapters.shared.paced import PacedReply
from adapters.shared.pacing import Gate, Pace
from adapters.slack.calls import TIMEOUT_SECONDS
from adapters.slack.showing import Showing
from bot.errors import ChannelBusy, ChannelError, LeaseLost

LONGEST = timedelta(seconds=30)


class _Sender:
    """Shows texts one after the other. A call under way is never cut off: nobody would know what came of it."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing
        self._under_way: asyncio.Task[None] | None = None

    async def send(self, text: str) -> timedelta | None:
        self._under_way = asyncio.create_task(self._showing.show(text), name="show on slack")
        try:
            await asyncio.shield(self._under_way)
        except (ChannelBusy, LeaseLost):
            raise
        except ChannelError:
            self._showing.lost = True  # the delivery looks again, and says what is wrong
        return None

    async def settle(self) -> None:
        if self._under_way is not None and not self._under_way.done():
            await asyncio.wait({self._under_way}, timeout=TIMEOUT_SECONDS + 1)
        if self._under_way is not None and (not self._under_way.done() or self._under_way.cancelled()):
            self._showing.lost = True
        elif self._under_way is not None:
            self._under_way.exception()  # it was told, or does not matter any more


@asynccontextmanager
async def replying(showing: Showing, *, every: timedelta, gate: Gate, key: str) -> AsyncIterator[PacedReply]:
    """A reply that others took over leaves no stream open."""
    sender = _Sender(showing)
    pace = Pace(
        sender.send,
        every=every,
        longest=LONGEST,
        gate=gate,
        key=key,
        clock=asyncio.get_running_loop().time,
        sleep=asyncio.sleep,
    )
    writer = asyncio.create_task(pace.write(), name="pace on slack")
    try:
        yield PacedReply(pace)
    except LeaseLost:
        await _end(writer, sender)
        with suppress(ChannelError):
            await showing.abandon()
        raise
    finally:
        await _end(writer, sender)


async def _end(writer: "asyncio.Task[None]", sender: _Sender) -> None:
    writer.cancel()
    await asyncio.wait({writer})
    await sender.settle()
