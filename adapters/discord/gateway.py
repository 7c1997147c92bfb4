"""One shard's connection: resumes where it can, identifies where it must, and outlives events it cannot read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import discord
import structlog
import yarl
from discord.backoff import ExponentialBackoff
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

from adapters.discord.backfill import backfill
from adapters.discord.commands import make_tree
from adapters.discord.desk import Desk
from adapters.discord.hearing import Hearing
from adapters.discord.lines import Lines
from adapters.discord.places import Places
from adapters.discord.presses import pressed
from adapters.discord.sessions import Left, Sessions
from adapters.discord.starts import Starts
from bot.errors import ConfigError, ParleyError, StoreError

OPEN_SECONDS = 60
SAVE_SECONDS = 1.0
KEEPS_THE_SESSION = 4000  # a code with which to close; 1000 would end it
FATAL = {
    4004: "Discord does not know this DISCORD_TOKEN",
    4010: "Discord does not take this shard",
    4011: "the bot is on too many servers for this: set channels.discord.shards to a higher number",
}
UNREACHED = (
    *(OSError, aiohttp.ClientError, TimeoutError),
    *(discord.ConnectionClosed, discord.HTTPException, StoreError),
)

log = structlog.stdlib.get_logger()


def intents(flags: discord.ApplicationFlags) -> discord.Intents:
    """What is needed, and the text of messages where the developer portal grants it."""
    wanted = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
    wanted.message_content = flags.gateway_message_content or flags.gateway_message_content_limited
    return wanted


class Socket(DiscordWebSocket):
    """discord.py's; given up before it is handed over, it stops the thread of its heartbeat, which else goes on."""

    async def identify(self) -> None:
        async with self._closed_if_given_up():
            await super().identify()

    async def resume(self) -> None:
        async with self._closed_if_given_up():
            await super().resume()

    @asynccontextmanager
    async def _closed_if_given_up(self) -> AsyncIterator[None]:
        try:
            yield
        except BaseException:
            await self.close(code=KEEPS_THE_SESSION)
            raise


class Shard(discord.Client):
    """discord.py's client with a loop of its own: its session is read from the store and left there."""

    def __init__(self, desk: Desk, *, number: int) -> None:
        super().__init__(
            intents=intents(desk.rest.application.flags),
            allowed_mentions=discord.AllowedMentions.none(),
            shard_id=number,
            shard_count=desk.settings.shards,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            enable_debug_events=False,
        )
        self._desk = desk
        self._number = number
        self._lines = Lines()
        self._hearing = Hearing(desk, Places(self))
        store, application = desk.core.store, desk.settings.application
        self._sessions = Sessions(store.vault, application=application, shard=number)
        self._starts = Starts(self.http, store.offices, self._sessions, application=application, shard=number)
        self._left = Left()
        self._newest = 0
        self._filled = asyncio.Event()
        self._is_open = False
        self._tree = make_tree(self, desk)

    async def serve(self) -> None:
        """Until cancelled. The session stays open for who comes after. Raises ConfigError."""
        self._left = await self._sessions.read()
        self._newest = self._left.seen
        try:
            await self.login(self._desk.settings.token.get_secret_value())
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_saving())
                await self.connect()
        finally:
            if self._is_open:
                await self.ws.close(code=KEEPS_THE_SESSION)
            await self._lines.stop()
            await self.close()

    async def connect(self, *, reconnect: bool = True) -> None:
        left, backoff = self._left, ExponentialBackoff()
        ask: dict[str, Any] = {}
        if left.session is not None and left.sequence is not None and left.gateway is not None:
            ask = {
                "session": left.session,
                "sequence": left.sequence,
                "gateway": yarl.URL(left.gateway),
                "resume": True,
            }
            self._filled.set()
        while not self.is_closed():
            try:
                if not ask:
                    await self._may_identify()
                async with asyncio.timeout(OPEN_SECONDS):
                    self.ws = await Socket.from_client(self, shard_id=self._number, **ask)
                self._is_open = True
                await self._poll(self.ws)
            except ReconnectWebSocket as again:
                ask = self._resuming() if again.resume else {}
            except UNREACHED as error:
                if (told := _fatal(error)) is not None:
                    raise ConfigError(told) from error
                log.info("the gateway is not reached", shard=self._number, error=str(error))
                await asyncio.sleep(backoff.delay())
                ask = self._resuming() or ask

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Nearly all that has to be waited for was waited for before the connection was opened."""
        await self._starts.begin()

    async def _may_identify(self) -> None:
        """Wait until a new session may begin, from which on everything is heard."""
        if self._left.seen:
            self._filled.clear()  # until the history was read
        else:
            self._newest = discord.utils.time_snowflake(discord.utils.utcnow())
            self._left = Left(seen=self._newest)
            await self._sessions.write(self._left)
            self._filled.set()
        await self._starts.turn()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        if not self.is_closed():  # discord.py's own tasks outlive its client for a moment
            super().dispatch(event, *args, **kwargs)

    async def on_ready(self) -> None:
        await self._tree.sync_if_changed()
        await self._desk.uses.sweep()
        if not self._filled.is_set():
            await backfill(self, self._desk, after=self._left.seen, hear=self._hear)
            self._filled.set()

    async def on_message(self, message: discord.Message) -> None:
        self._hear(message)

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        message = event.message
        if message.author.id != self._desk.rest.me:
            self._lines.put(message.channel.id, message.id, lambda: self._hearing.edit(message))

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        job = lambda: self._hearing.delete(event.guild_id, event.message_id)  # noqa: E731 # a job without arguments
        self._lines.put(event.channel_id, event.message_id, job)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.component:
            await pressed(interaction, self._desk)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        log.exception("an event was not served", discord_event=event_method)  # noqa: LOG004 # called inside a handler

    def _hear(self, message: discord.Message) -> None:
        self._newest = max(self._newest, message.id)
        self._lines.put(message.channel.id, message.id, lambda: self._hearing.message(message))

    async def _poll(self, ws: DiscordWebSocket) -> None:
        while True:
            try:
                await ws.poll_event()
            except (ReconnectWebSocket, discord.ConnectionClosed, OSError, aiohttp.ClientError, TimeoutError):
                raise
            except Exception:
                log.exception("an event of Discord's was not understood", shard=self._number)

    def _resuming(self) -> dict[str, Any]:
        session = self.ws.session_id if self._is_open else None
        return {} if session is None else _resume(session, self.ws.sequence, self.ws.gateway)

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            try:
                await self._save()
            except ParleyError as error:
                log.info("the session was not saved", shard=self._number, error=str(error))

    async def _save(self) -> None:
        """Leave the session only as far as everything before is stored."""
        if not self._filled.is_set():
            return
        left, newest = self._left, self._newest
        if self._is_open and self.ws.session_id is not None:
            session, sequence, gateway = self.ws.session_id, self.ws.sequence, str(self.ws.gateway)
            left = replace(left, session=session, sequence=sequence, gateway=gateway)
        for _ in range(3):  # events that were received have now reached their lines
            await asyncio.sleep(0)
        oldest = self._lines.oldest
        seen = max(self._left.seen, newest if oldest is None else min(newest, oldest - 1))
        left = replace(left if oldest is None else self._left, seen=seen)
        if left != self._left:
            await self._sessions.write(left)
            self._left = left


def _resume(session: str, sequence: int | None, gateway: yarl.URL) -> dict[str, Any]:
    return {"session": session, "sequence": sequence, "gateway": gateway, "resume": True}


def _fatal(error: Exception) -> str | None:
    """What to tell where trying again is no use."""
    if isinstance(error, discord.HTTPException):
        return FATAL[4004] if error.status == 401 else None
    return FATAL.get(error.code) if isinstance(error, discord.ConnectionClosed) else None
