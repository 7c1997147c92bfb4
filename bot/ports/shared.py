"""What replicas share beside the database. It only makes them fast: losing all of it loses nothing."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from bot.types import ConversationKey, LiveEvent, Memory, Rate


class Bus(Protocol):
    """What replicas tell each other. Best effort: whatever is lost here only arrives later, through SQL."""

    async def publish(self, topic: str, text: str) -> None:
        """Send to everyone subscribed to `topic` now. Topics: `wake`, `stop` (a turn id), `personas`,
        `model`."""
        ...

    def subscribe(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Receive what is published after the context was entered. A slow reader loses the oldest, never blocks."""
        ...

    async def append(self, conversation: ConversationKey, event: LiveEvent) -> None:
        """Add to the conversation's live buffer and hand on to its followers."""
        ...

    def follow(
        self, conversation: ConversationKey, *, after: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[tuple[str, LiveEvent]]]:
        """Events with their cursors: what the buffer holds after `after`, then what comes.

        Without `after` it begins with the newest turn in the buffer, from its TurnStarted (or a TurnReplaced
        that stands for the beginning). A cursor the buffer does not know raises CursorLost on entry. A follower
        that falls too far behind gets CursorLost from the iterator and may follow again.
        """
        ...

    async def forget(self, conversation: ConversationKey) -> None:
        """Drop the conversation's live buffer."""
        ...

    async def check(self) -> None:
        """Raises ConnectionError where the bus does not answer."""
        ...


class Limiter(Protocol):
    """Token buckets by name. Where the place they are kept in does not answer, a replica limits by itself."""

    async def take(self, buckets: Mapping[str, Rate]) -> timedelta:
        """One token of each bucket, or none of any: zero where all had one, else how long until they would have."""
        ...


class Window(Protocol):
    """The memory of conversations, kept warm between turns. Best effort; its version tells whether it is current."""

    async def get(self, conversation: ConversationKey) -> Memory | None: ...

    async def put(self, conversation: ConversationKey, memory: Memory) -> None: ...

    async def forget(self, conversation: ConversationKey) -> None: ...


class Shared(Protocol):
    """Open one with `async with`; all parts share its connections."""

    @property
    def bus(self) -> Bus: ...
    @property
    def limiter(self) -> Limiter: ...
    @property
    def window(self) -> Window: ...
