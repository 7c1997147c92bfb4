"""The one connection on which a replica hears what is published, found again after every outage."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from redis.asyncio.connection import AbstractConnection

from storage.redis.link import FAULTS, Link

Hear = Callable[[bytes | None], None]


@dataclass(slots=True)
class _Channel:
    hearers: list[Hear] = field(default_factory=list)
    asked: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Listener:
    """Hearers get what is published, and None when they are newly heard: something may have passed them by."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channels: dict[bytes, _Channel] = {}
        self._connection: AbstractConnection | None = None
        self._changed = asyncio.Event()
        self._tried = asyncio.Event()

    @asynccontextmanager
    async def listening(self, name: str, hear: Hear) -> AsyncIterator[None]:
        """Hear the channel from now on; where Redis does not answer, as soon as it does."""
        key = name.encode()
        channel = self._channels.setdefault(key, _Channel())
        channel.hearers.append(hear)
        self._changed.set()
        try:
            if self._link.up:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._link.settings.timeout_seconds):
                        await channel.ready.wait()
            yield
        finally:
            channel.hearers.remove(hear)
            self._changed.set()

    async def tried(self) -> None:
        """Wait for the first attempt to reach Redis, however it went."""
        await self._tried.wait()

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except FAULTS as error:
                self._link.fail(error)
            self._tried.set()
            await asyncio.sleep(self._link.settings.probe_seconds)

    async def _listen(self) -> None:
        connection = await self._link.connect()
        try:
            self._connection = connection
            self._changed.set()
            await self._link.begin()
            self._tried.set()
            await self._read(connection)
        finally:
            self._connection = None
            for channel in self._channels.values():
                channel.asked = False
                channel.ready.clear()
            await connection.disconnect(nowait=True)

    async def _read(self, connection: AbstractConnection) -> None:
        pinged = False
        while self._link.up:
            message = await connection.read_response(timeout=self._link.settings.probe_seconds)
            if message is not None:
                pinged = False
                self._hear(message)
            elif pinged:
                raise TimeoutError("no answer to a ping")
            else:
                pinged = True
                async with asyncio.timeout(self._link.settings.timeout_seconds):
                    await connection.send_command("PING", check_health=False)

    def _hear(self, message: list[bytes]) -> None:
        kind, name, *rest = message
        channel = self._channels.get(name)
        if channel is None or kind not in (b"subscribe", b"message"):
            return
        if kind == b"subscribe":
            channel.ready.set()
        for hear in tuple(channel.hearers):
            hear(rest[0] if kind == b"message" else None)

    async def ask(self) -> None:
        """Subscribe to what is newly wanted and unsubscribe from what nobody hears any more, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            connection = self._connection
            if connection is not None and connection.is_connected:
                try:
                    async with asyncio.timeout(self._link.settings.timeout_seconds):
                        await self._ask(connection)
                except FAULTS as error:
                    self._link.fail(error)

    async def _ask(self, connection: AbstractConnection) -> None:
        wanted = [name for name, channel in self._channels.items() if channel.hearers and not channel.asked]
        unwanted = [name for name, channel in self._channels.items() if not channel.hearers]
        for name in wanted:
            self._channels[name].asked = True
        for name in unwanted:
            del self._channels[name]
        if unwanted:
            await connection.send_command("UNSUBSCRIBE", *unwanted, check_health=False)
        if wanted:
            await connection.send_command("SUBSCRIBE", *wanted, check_health=False)
