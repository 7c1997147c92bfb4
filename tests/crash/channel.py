"""A channel to the harness's platform, in both flavours: the nonce of Discord, the stamp of Slack."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.errors import ChannelBusy, ChannelError, StoreError
from bot.ports import Inbox
from bot.types import Author, ConversationKey, Delivery, Inbound, Turn
from tests.crash.line import Line

_SETTLE_SECONDS = 0.06
_EDIT_SECONDS = 0.04
_CLOCK_SECONDS = 0.01


class PlatformChannel:
    """`looks` off (for controls): neither nonce nor look-up, as if posting were safe to repeat."""

    def __init__(self, name: str, *, line: Line, inbox: Inbox, looks: bool = True) -> None:
        self.name = name
        self._line = line
        self._inbox = inbox
        self._looks = looks
        self._quiet: dict[str, float] = {}
        self._asked_to_wait: dict[str, float] = {}
        self._placed: dict[str, str] = {}

    async def listen(self) -> None:
        async with asyncio.TaskGroup() as group:
            async for event in self._line.events():
                group.create_task(self._hear(event))

    async def _hear(self, event: dict[str, Any]) -> None:
        inbound = Inbound(
            event_id=event["event"],
            message_id=f"message of {event['event']}",
            conversation=ConversationKey(channel=self.name, tenant="crash", room=event["room"]),
            author=Author(id=event["room"], name="Ann"),
            text=event["text"],
            received_at=datetime.now(UTC),
        )
        try:
            await self._inbox.accept(inbound)
        except StoreError:
            return  # not acknowledged: the platform sends it again
        self._line.acknowledge(event["event"])

    @asynccontextmanager
    async def reply(self, turn: Turn) -> AsyncIterator["_Streamed"]:
        yield _Streamed(self, turn)

    async def deliver(self, delivery: Delivery) -> None:
        now = asyncio.get_running_loop().time
        if now() < self._asked_to_wait.pop(delivery.turn, 0.0) - _CLOCK_SECONDS:
            self._line.complain(f"turn {delivery.turn} was delivered again before its time")
        try:
            await self._deliver(delivery)
        except ChannelBusy as busy:
            self._asked_to_wait[delivery.turn] = now() + busy.wait.total_seconds()
            raise

    async def _deliver(self, delivery: Delivery) -> None:
        turn, room, text = delivery.turn, delivery.conversation.room, delivery.message.text
        message = self._placed.get(turn)
        if message is None:
            # Attempts before this one may have posted, also those of a turn that was given up before it ran here.
            message, shown = await self.place(turn, room, text, look=True)
            if shown == text:
                return
        await self.edit(room, message, text, point="final")
        self._placed.pop(turn, None)

    async def place(self, turn: str, room: str, text: str, *, look: bool) -> tuple[str, str | None]:
        """The turn's message: the one that is there, else a new one; and what it shows, where that is known."""
        if not self._looks:
            posted = await self._ask("post", room, point="post", turn=turn, text=text)
        elif self.name == "nonce":
            posted = await self._ask("post", room, point="post", nonce=turn, text=text)
        else:
            if look:
                await asyncio.sleep(_SETTLE_SECONDS)
                found = await self._ask("find", room, point="find", turn=turn)
                if found["message"] is not None:
                    return found["message"], None
            posted = await self._ask("post", room, point="post", stamp=turn, text=text)
        return posted["message"], posted["text"]

    async def edit(self, room: str, message: str, text: str, *, point: str) -> None:
        await self._ask("edit", room, point=point, message=message, text=text)

    def remember(self, turn: str, message: str) -> None:
        self._placed[turn] = message

    async def _ask(self, op: str, room: str, *, point: str, **values: Any) -> dict[str, Any]:
        now = asyncio.get_running_loop().time()
        if (wait := self._quiet.get(room, 0.0) - now) > 0:
            raise ChannelBusy("the platform is busy", wait=timedelta(seconds=wait))
        try:
            answer = await self._line.ask(op, point=point, room=room, **values)
        except TimeoutError as error:
            raise ChannelError(f"no answer to {op} in {room!r}: it may have been done") from error
        if answer["status"] == 429:
            wait = answer["retry_after"]
            self._quiet[room] = asyncio.get_running_loop().time() + wait
            raise ChannelBusy("the platform is busy", wait=timedelta(seconds=wait))
        if answer["status"] != 200:
            raise ChannelError(f"the platform answered {answer['status']} to {op} in {room!r}")
        return answer


class _Streamed:
    """Shows progress as well as the platform lets it; `deliver` settles whatever was left open."""

    def __init__(self, channel: PlatformChannel, turn: Turn) -> None:
        self._channel = channel
        self._turn = turn
        self._text = ""
        self._message: str | None = None
        self._begun = False
        self._edited = 0.0

    async def write(self, text: str) -> None:
        await self.replace(self._text + text)

    async def replace(self, text: str) -> None:
        self._text = text
        with suppress(ChannelError):
            await self._show()

    async def _show(self) -> None:
        turn, room = self._turn, self._turn.conversation.room
        now = asyncio.get_running_loop().time()
        if not self._begun:
            self._begun = True
            self._message, _ = await self._channel.place(turn.id, room, self._text, look=turn.attempt > 1)
            self._channel.remember(turn.id, self._message)
        elif self._message is not None and now - self._edited >= _EDIT_SECONDS:
            self._edited = now
            await self._channel.edit(room, self._message, self._text, point="progress")
