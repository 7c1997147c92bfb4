"""Publish and subscribe within the process."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager


class Subscription:
    """What was published and not yet read; the oldest goes when there is too much of it."""

    def __init__(self, most: int) -> None:
        self._texts: deque[str] = deque(maxlen=most)
        self._news = asyncio.Event()
        self._ended = False

    def put(self, text: str) -> None:
        self._texts.append(text)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        while not self._texts:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._texts.popleft()


class Topics:
    def __init__(self, *, queue: int) -> None:
        self._queue = queue
        self._subscriptions: defaultdict[str, set[Subscription]] = defaultdict(set)

    def publish(self, topic: str, text: str) -> None:
        for subscription in self._subscriptions.get(topic, ()):
            subscription.put(text)

    @contextmanager
    def subscribe(self, topic: str) -> Iterator[Subscription]:
        subscription = Subscription(self._queue)
        self._subscriptions[topic].add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[topic].discard(subscription)
            if not self._subscriptions[topic]:
                del self._subscriptions[topic]

    def end(self) -> None:
        """Let every reader come to its end."""
        for subscriptions in self._subscriptions.values():
            for subscription in subscriptions:
                subscription.end()
