"""Socket Mode: connections by ticket, hello, envelopes spread over the connections, disconnects."""

import asyncio
import json
import random
from dataclasses import dataclass
from typing import Literal

from aiohttp import WSMsgType, web

from tests.slack.platform.carrying import Ack, Envelope
from tests.slack.platform.things import Json
from tests.slack.platform.workspace import Workspace

Reason = Literal["warning", "refresh_requested", "too_many_websockets", "link_disabled"]


@dataclass(slots=True, eq=False, kw_only=True)
class Connection:
    id: str
    socket: web.WebSocketResponse
    request: web.Request


class Sockets:
    """An acknowledgement counts on whichever connection it arrives: the client answers on its newest."""

    def __init__(self, workspace: Workspace, *, seed: int) -> None:
        self.connections: list[Connection] = []
        self.opened = 0
        self.stray_acks: list[Json] = []
        self._workspace = workspace
        self._random = random.Random(seed)
        self._waiting: dict[str, asyncio.Future[Ack]] = {}
        self._arrival = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._workspace.tickets:
            return web.Response(status=404)
        self._workspace.tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self.connections) >= self._workspace.settings.connections:
            await self._say_goodbye(socket, "too_many_websockets")
            await socket.close()
            return socket
        self.opened += 1
        connection = Connection(id=f"socket-{self.opened}", socket=socket, request=request)
        await socket.send_json(self._hello())
        self.connections.append(connection)
        self._arrival.set()
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._heard(connection, message.data)
        finally:
            self._forget(connection)
        return socket

    async def carry(self, envelope: Envelope) -> Ack | str:
        """Waits for a connection, if there is none, as long as for an acknowledgement."""
        envelope_id = self._workspace.ids.secret("envelope")
        answer: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = answer
        try:
            async with asyncio.timeout(self._workspace.settings.ack_seconds):
                await self._arrival.wait()
                connection = self._random.choice(self.connections)
                await connection.socket.send_json(_frame(envelope, envelope_id))
                return await answer
        except (TimeoutError, ConnectionError):
            return "timeout"
        finally:
            del self._waiting[envelope_id]

    async def disconnect(self, reason: Reason, *, only: Connection | None = None, grace: float = 0.2) -> None:
        """Asks to leave, and after `grace` seconds closes. A warning alone leaves the connection open."""
        asked = [only] if only is not None else list(self.connections)
        for connection in asked:
            await self._say_goodbye(connection.socket, reason)
            if reason != "warning":
                self._forget(connection)
        if reason != "warning":
            await asyncio.sleep(grace)
            for connection in asked:
                await connection.socket.close()

    def abort(self) -> None:
        """Cuts every connection without a word."""
        for connection in list(self.connections):
            self._forget(connection)
            if connection.request.transport is not None:
                connection.request.transport.abort()

    async def close(self) -> None:
        for connection in list(self.connections):
            await connection.socket.close()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections) + 1,
            "debug_info": {"host": "stand-in", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._workspace.app_id},
        }

    async def _say_goodbye(self, socket: web.WebSocketResponse, reason: Reason) -> None:
        await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}})

    def _heard(self, connection: Connection, data: str) -> None:
        message: Json = json.loads(data)
        answer = self._waiting.get(message.get("envelope_id", ""))
        if answer is None or answer.done():
            self.stray_acks.append(message)
            return
        answer.set_result(Ack(response=message.get("payload"), connection=connection.id))

    def _forget(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
        if not self.connections:
            self._arrival.clear()


def _frame(envelope: Envelope, envelope_id: str) -> Json:
    frame: Json = {
        "envelope_id": envelope_id,
        "type": envelope.kind,
        "payload": envelope.payload,
        "accepts_response_payload": envelope.kind != "events_api",
    }
    if envelope.kind == "events_api":
        frame |= {"retry_attempt": envelope.attempt, "retry_reason": envelope.reason or ""}
    return frame
