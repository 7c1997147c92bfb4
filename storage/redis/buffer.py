"""The live buffer of one conversation in Redis, and those who read it."""

import asyncio
import secrets
from collections import deque
from datetime import timedelta

from bot.errors import CursorLost
from bot.types import Delta, LiveEvent, TurnFinished, TurnReplaced, TurnStarted
from storage.redis import scripts
from storage.redis.codec import dump_event, load_event
from storage.redis.link import Link

_BATCH = 100
_FORGOTTEN = timedelta(seconds=30)  # twice a lease: nobody who held the conversation before still writes

_KINDS = {TurnStarted: "started", Delta: "delta", TurnReplaced: "replaced", TurnFinished: "finished"}


class LiveBuffer:
    """Bounded and short-lived. A cursor is `<life>-<number>`; each buffer's life is random."""

    def __init__(self, link: Link, conversation: str) -> None:
        self._link = link
        self._keys = (link.key("live", conversation), link.key("head", conversation))
        self.channel = link.key("news", conversation)

    async def append(self, event: LiveEvent, *, anew: bool = False) -> bool:
        """False where the buffer wants all of the turn's text in place of this delta; `anew` is such a text.

        Raises ConnectionError.
        """
        settings = self._link.settings
        done = await self._link.run(
            scripts.APPEND,
            self._keys,
            dump_event(event),
            _KINDS[type(event)],
            event.turn,
            0 if isinstance(event, TurnFinished) else event.attempt,
            secrets.token_hex(6),
            int(anew),
            self.channel,
            settings.events,
            settings.buffer_bytes,
            round(settings.idle_seconds * 1000),
        )
        return bool(done)

    async def read(self, life: str, position: int) -> list[bytes | int | list[tuple[bytes, list[bytes]]]]:
        """As the script READ says. Raises ConnectionError."""
        found = await self._link.run(scripts.READ, self._keys, life, position, _BATCH)
        return list(found)

    async def forget(self) -> None:
        """Raises ConnectionError."""
        await self._link.run(scripts.FORGET, self._keys, self.channel, round(_FORGOTTEN.total_seconds() * 1000))


class Follower:
    """Reads a buffer at its own pace, a batch at a time; waits while Redis does not answer."""

    def __init__(self, buffer: LiveBuffer, after: str | None) -> None:
        """Raises CursorLost where `after` is no cursor at all."""
        self._buffer = buffer
        self._life, self._position = "", 0
        if after is not None:
            life, _, number = after.partition("-")
            if len(life) != 12 or not number.isdecimal() or len(number) > 15:
                raise CursorLost(after)
            self._life, self._position = life, int(number)
        self._read: deque[tuple[int, bytes]] = deque()
        self._news = asyncio.Event()
        self._lost = self._ended = False

    def __aiter__(self) -> "Follower":
        return self

    async def __anext__(self) -> tuple[str, LiveEvent]:
        while not self._read:
            if self._ended:
                raise StopAsyncIteration
            await self._news.wait()
            await self.look()
        number, data = self._read.popleft()
        try:
            return self._cursor(number), load_event(data)
        except ValueError as error:  # another version of Parley wrote it
            raise self._lose() from error

    async def look(self) -> None:
        """Read on, if Redis answers. Raises CursorLost."""
        self._news.clear()
        if self._lost:
            raise self._lose()
        if self._ended:
            return
        try:
            found = await self._buffer.read(self._life, self._position)
        except ConnectionError:
            return  # there is news once it can be reached again
        match found:
            case [bytes(life), int(position), int(last), list(events)]:
                self._life, self._position = life.decode(), position
                for name, (_, data) in events:
                    self._position = int(name.partition(b"-")[0])
                    self._read.append((self._position, data))
                if self._position < last:
                    self._news.set()
            case [] if self._life in ("", "*"):
                self._life = "*"
            case _:
                raise self._lose()

    def hear(self, news: bytes | None) -> None:
        """A notice of the buffer's channel: the newest cursor, or nothing where the buffer was forgotten."""
        if news == b"":
            self._lost = True
        elif news is not None:
            life, _, number = news.decode().partition("-")
            if life == self._life and int(number) <= self._position:
                return
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    def _cursor(self, number: int) -> str:
        return f"{self._life}-{number}"

    def _lose(self) -> CursorLost:
        self._lost = True
        self._read.clear()
        self._news.set()
        return CursorLost(self._cursor(self._position))
