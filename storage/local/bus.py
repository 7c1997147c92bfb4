"""The bus for one process: topics and live buffers in memory."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.errors import CursorLost
from bot.types import ConversationKey, LiveEvent
from storage.local.buffer import LiveBuffer
from storage.local.settings import LocalBusSettings
from storage.local.topics import Topics


class LocalBus:
    """`now` is a clock in seconds for the age of buffers."""

    def __init__(self, settings: LocalBusSettings, *, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._topics = Topics(queue=settings.queue)
        self._buffers: OrderedDict[str, LiveBuffer] = OrderedDict()
        self._used: dict[str, float] = {}
        self._open = True

    async def publish(self, topic: str, text: str) -> None:
        self._topics.publish(topic, text)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[str]]:
        with self._topics.subscribe(topic) as subscription:
            yield subscription

    async def append(self, conversation: ConversationKey, event: LiveEvent) -> None:
        self._buffer(conversation.encode()).append(event)
        self._make_room()

    @asynccontextmanager
    async def follow(
        self, conversation: ConversationKey, *, after: str | None = None
    ) -> AsyncIterator[AsyncIterator[tuple[str, LiveEvent]]]:
        key = conversation.encode()
        if after is not None and key not in self._buffers:
            raise CursorLost(after)
        buffer = self._buffer(key)
        follower = buffer.follow(after)
        try:
            yield follower
        finally:
            buffer.leave(follower)

    async def forget(self, conversation: ConversationKey) -> None:
        """As in the port; those who follow the buffer get CursorLost."""
        self._drop(conversation.encode())

    async def check(self) -> None:
        if not self._open:
            raise ConnectionError("the in-process bus is closed: Parley is shutting down")

    def sweep(self) -> None:
        """Drop buffers that nobody has used for long and nobody follows."""
        oldest = self._now() - self._settings.idle_seconds
        for key in [key for key, used in self._used.items() if used <= oldest]:
            if not self._buffers[key].followers:
                self._drop(key)

    def close(self) -> None:
        self._open = False
        self._topics.end()
        for buffer in self._buffers.values():
            buffer.end(lost=False)

    def _buffer(self, key: str) -> LiveBuffer:
        buffer = self._buffers.get(key)
        if buffer is None:
            buffer = LiveBuffer(events=self._settings.events, characters=self._settings.characters)
            self._buffers[key] = buffer
        self._buffers.move_to_end(key)
        self._used[key] = self._now()
        return buffer

    def _make_room(self) -> None:
        spare = len(self._buffers) - self._settings.conversations
        if spare > 0:
            unfollowed = (key for key, buffer in self._buffers.items() if not buffer.followers)
            for key in [key for key, _ in zip(unfollowed, range(spare), strict=False)]:
                self._drop(key)

    def _drop(self, key: str) -> None:
        buffer = self._buffers.pop(key, None)
        if buffer is not None:
            del self._used[key]
            buffer.end(lost=True)


@asynccontextmanager
async def open_bus(settings: LocalBusSettings, *, now: Callable[[], float] = time.monotonic) -> AsyncIterator[LocalBus]:
    bus = LocalBus(settings, now=now)
    loop = asyncio.get_running_loop()
    timer: asyncio.TimerHandle

    def sweep() -> None:
        nonlocal timer
        bus.sweep()
        timer = loop.call_later(settings.idle_seconds / 2, sweep)

    timer = loop.call_later(settings.idle_seconds / 2, sweep)
    try:
        yield bus
    finally:
        timer.cancel()
        bus.close()
