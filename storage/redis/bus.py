"""The bus through Redis: topics by publish and subscribe, live buffers as streams."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.types import ConversationKey, Delta, LiveEvent
from storage.local.topics import Subscription, Topics
from storage.redis.buffer import Follower, LiveBuffer
from storage.redis.drafts import Drafts
from storage.redis.link import Link
from storage.redis.listener import Listener


class RedisBus:
    """This replica's own texts reach it without Redis; what comes back of them is passed over."""

    def __init__(self, link: Link, listener: Listener) -> None:
        self._link = link
        self._listener = listener
        self._topics = Topics(queue=link.settings.queue)
        self._drafts = Drafts()
        self._followers: dict[str, set[Follower]] = {}
        self._me = secrets.token_hex(6).encode()

    async def publish(self, topic: str, text: str) -> None:
        self._topics.publish(topic, text)
        self._link.tell("PUBLISH", self._channel(topic), self._me + b" " + text.encode("utf-8", "replace"))

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[str]]:
        with self._topics.subscribe(topic) as subscription:
            async with self._listener.listening(self._channel(topic), lambda data: self._hear(subscription, data)):
                yield subscription

    async def append(self, conversation: ConversationKey, event: LiveEvent) -> None:
        key = conversation.encode()
        buffer = LiveBuffer(self._link, key)
        draft = self._drafts.note(key, event)
        try:
            gap = draft is not None and draft.gap and isinstance(event, Delta)
            stored = not gap and await buffer.append(event)
            if not stored and draft is not None and isinstance(event, Delta):
                await buffer.append(draft.whole(event.seq), anew=True)
        except ConnectionError:
            if draft is not None:
                draft.gap = True
        else:
            if draft is not None:
                draft.gap = False

    @asynccontextmanager
    async def follow(
        self, conversation: ConversationKey, *, after: str | None = None
    ) -> AsyncIterator[AsyncIterator[tuple[str, LiveEvent]]]:
        key = conversation.encode()
        buffer = LiveBuffer(self._link, key)
        follower = Follower(buffer, after)
        followers = self._followers.setdefault(key, set())
        followers.add(follower)
        try:
            async with self._listener.listening(buffer.channel, follower.hear):
                await follower.look()
                yield follower
        finally:
            followers.discard(follower)
            if not followers:
                self._followers.pop(key, None)

    async def forget(self, conversation: ConversationKey) -> None:
        """As in the port; those who follow the buffer get CursorLost, wherever they are."""
        key = conversation.encode()
        self._drafts.forget(key)
        for follower in self._followers.get(key, ()):
            follower.hear(b"")
        buffer = LiveBuffer(self._link, key)
        await self._link.surely(buffer.channel, buffer.forget)

    async def check(self) -> None:
        await self._link.do("PING")

    def close(self) -> None:
        """Let every reader come to its end."""
        self._topics.end()
        for followers in self._followers.values():
            for follower in followers:
                follower.end()

    def _channel(self, topic: str) -> str:
        return f"{self._link.settings.prefix}:topic:{topic}"

    def _hear(self, subscription: Subscription, data: bytes | None) -> None:
        if data is None:
            return
        sender, _, text = data.partition(b" ")
        if sender != self._me:
            subscription.put(text.decode("utf-8", "replace"))
