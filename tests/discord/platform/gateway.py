"""The gateway: sessions, heartbeats, IDENTIFY and RESUME, and events that are kept for those who come back."""

import asyncio
import json
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.discord.platform.world import Json, World

GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
MOST_BYTES = 4096
SENDS = 120
ENDING = (1000, 1001)  # a client that closes with these is done with its session


@dataclass(eq=False, slots=True)
class Socket:
    """One connection; compressed as a stream where the client asks for it."""

    ws: web.WebSocketResponse
    deflate: Any = None
    sends: list[float] = field(default_factory=list)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def send(self, op: int, data: Any, *, event: str | None = None, seq: int | None = None) -> None:
        text = json.dumps({"op": op, "d": data, "t": event, "s": seq})
        try:
            async with self.sending:
                if self.deflate is None:
                    await self.ws.send_str(text)
                else:
                    packed = self.deflate.compress(text.encode()) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
                    await self.ws.send_bytes(packed)
        except ConnectionError:
            pass  # the session keeps the event for a RESUME


@dataclass(eq=False, slots=True)
class Session:
    id: str
    intents: int
    shard: tuple[int, int]
    seq: int = 0
    log: list[tuple[int, str, Json]] = field(default_factory=list)
    socket: Socket | None = None
    ended: bool = False

    @property
    def connected(self) -> bool:
        return self.socket is not None

    def hears(self, event: str, guild: str | None) -> bool:
        number, count = self.shard
        if (int(guild) >> 22) % count != number if guild else number != 0:
            return False
        if event.startswith("MESSAGE"):
            return bool(self.intents & (GUILD_MESSAGES if guild else DIRECT_MESSAGES))
        return event == "INTERACTION_CREATE" or bool(self.intents & GUILDS)


class Gateway:
    """`heartbeat` is the interval in seconds; a client that misses two is cut off.

    `budget` is how many IDENTIFY are left, of `total` until `reset_seconds` have passed; who asks for one more loses
    every session and the token. Of the shards with the same number modulo `at_once` one may begin in `apart` seconds;
    the next is told op 9 (`hasty` counts these).
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.heartbeat = 41.25
        self.total = self.budget = 1000
        self.reset_seconds = 86_400.0
        self.at_once = 1
        self.apart = 5.0
        self.hasty = 0
        self._renewed_at = time.monotonic()
        self._begun: dict[int, float] = {}
        self.accepting = True
        self.sessions: dict[str, Session] = {}
        self.sockets: set[Socket] = set()
        self.identifies: list[float] = []
        self.resumes = 0
        self.replayed = 0
        self.heartbeats = 0
        self.url = ""

    def start_limit(self) -> Json:
        """As `GET /gateway/bot` tells it."""
        now = time.monotonic()
        if now - self._renewed_at >= self.reset_seconds:
            self.budget, self._renewed_at = self.total, now
        after = int((self._renewed_at + self.reset_seconds - now) * 1000)
        return {
            "total": self.total,
            "remaining": max(0, self.budget),
            "reset_after": after,
            "max_concurrency": self.at_once,
        }

    def hearers(self) -> list[Session]:
        return [session for session in self.sessions.values() if session.connected]

    async def dispatch(self, event: str, data: Json, *, guild: str | None, shown: Callable[[Json, bool], Json]) -> None:
        """Tell every session that hears it. `shown(data, content)` is the data as a session with or without the
        Message Content intent may see it."""
        for session in list(self.sessions.values()):
            if session.hears(event, guild):
                await self._tell(session, event, shown(data, bool(session.intents & MESSAGE_CONTENT)))

    async def _tell(self, session: Session, event: str, data: Json) -> None:
        session.seq += 1
        session.log.append((session.seq, event, data))
        if session.socket is not None:
            await session.socket.send(DISPATCH, data, event=event, seq=session.seq)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if not self.accepting:
            raise web.HTTPServiceUnavailable
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        deflate = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        socket = Socket(ws, deflate)
        self.sockets.add(socket)
        session: Session | None = None
        try:
            await socket.send(HELLO, {"heartbeat_interval": int(self.heartbeat * 1000)})
            while True:
                async with asyncio.timeout(self.heartbeat * 2):
                    message = await ws.receive()
                if message.type is WSMsgType.CLOSE and message.data in ENDING and session is not None:
                    self.end(session)
                if message.type is not WSMsgType.TEXT:
                    break
                if not self._may_send(socket, message.data):
                    await ws.close(code=4008)
                    break
                session = await self._hear(socket, session, json.loads(message.data))
        except TimeoutError:
            await ws.close(code=4009)
        finally:
            self.sockets.discard(socket)
            if session is not None and session.socket is socket:
                session.socket = None
        return ws

    async def _hear(self, socket: Socket, session: Session | None, frame: Json) -> Session | None:
        match frame["op"]:
            case 1:
                self.heartbeats += 1
                await socket.send(ACK, None)
            case 2:
                return await self._identify(socket, frame["d"])
            case 6:
                return await self._resume(socket, frame["d"])
        return session

    async def _identify(self, socket: Socket, data: Json) -> Session | None:
        refusal = self._refusal(data)
        if refusal is not None:
            await socket.ws.close(code=refusal)
            return None
        number, count = data.get("shard", [0, 1])
        now = time.monotonic()
        if now - self._begun.get(number % self.at_once, -self.apart) < self.apart:
            self.hasty += 1
            await socket.send(INVALID_SESSION, False)
            return None
        self._begun[number % self.at_once] = now
        if self.start_limit()["remaining"] == 0:
            await self._reset_token()
            return None
        self.identifies.append(now)
        self.budget -= 1
        session = Session(id=f"session{self.world.ids.next()}", intents=data["intents"], shard=(number, count))
        session.socket = socket
        self.sessions[session.id] = session
        guilds = [guild for guild in self.world.guilds.values() if (int(guild["id"]) >> 22) % count == number]
        ready = {
            "v": 10,
            "user": self.world.bot,
            "guilds": [{"id": guild["id"], "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": [number, count],
            "application": {"id": self.world.application["id"], "flags": self.world.flags},
            "private_channels": [],
        }
        await self._tell(session, "READY", ready)
        for guild in guilds:
            await self._tell(session, "GUILD_CREATE", self.guild(guild))
        return session

    def _refusal(self, data: Json) -> int | None:
        if data["token"] != self.world.token:
            return 4004
        if data["intents"] & MESSAGE_CONTENT and not self.world.content_allowed:
            return 4014
        return None

    async def _reset_token(self) -> None:
        self.world.reset_token()
        for session in list(self.sessions.values()):
            self.end(session)
        await self.drop(code=4004)

    async def _resume(self, socket: Socket, data: Json) -> Session | None:
        session = self.sessions.get(data["session_id"])
        if session is None or session.ended or data["seq"] is None:
            await socket.send(INVALID_SESSION, False)
            return None
        if session.socket is not None:
            await session.socket.ws.close(code=4000)
        self.resumes += 1
        missed = [entry for entry in session.log if entry[0] > data["seq"]]
        for seq, event, payload in missed:
            self.replayed += 1
            await socket.send(DISPATCH, payload, event=event, seq=seq)
        session.socket = socket
        await self._tell(session, "RESUMED", {})
        return session

    def guild(self, guild: Json) -> Json:
        channels = [channel for channel in self.world.channels.values() if channel.get("guild_id") == guild["id"]]
        return {
            **guild,
            "unavailable": False,
            "channels": [channel for channel in channels if channel["type"] not in (10, 11, 12)],
            "threads": [channel for channel in channels if channel["type"] in (10, 11, 12)],
            "members": [self.world.member(self.world.bot)],
            "presences": [],
            "voice_states": [],
        }

    async def ask_to_reconnect(self) -> None:
        await self._each(lambda socket: socket.send(RECONNECT, None))

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9; unless `resumable` the sessions are over."""
        if not resumable:
            for session in list(self.sessions.values()):
                self.end(session)
        await self._each(lambda socket: socket.send(INVALID_SESSION, resumable))

    async def drop(self, code: int = 4000) -> None:
        await self._each(lambda socket: socket.ws.close(code=code))

    async def go_offline(self) -> None:
        """Cut every connection and take none, until `accepting` is set again. Sessions stay."""
        self.accepting = False
        await self.drop(code=1012)

    def end(self, session: Session) -> None:
        session.ended = True
        self.sessions.pop(session.id, None)

    async def _each(self, act: Callable[[Socket], Any]) -> None:
        sockets: Iterable[Socket] = list(self.sockets)
        await asyncio.gather(*(act(socket) for socket in sockets))

    @staticmethod
    def _may_send(socket: Socket, text: str) -> bool:
        now = time.monotonic()
        socket.sends[:] = [at for at in socket.sends if at > now - 60]
        socket.sends.append(now)
        return len(socket.sends) <= SENDS and len(text.encode()) <= MOST_BYTES
