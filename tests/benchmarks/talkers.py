"""Visitors as light as can be, so that what is measured is the server: HTTP and WebSocket on bare sockets."""

import asyncio
import json
import uuid
from typing import Any, Protocol

FRAMES = 2**20


class Talker(Protocol):
    """One visitor in one conversation."""

    async def open(self, host: str, port: int) -> None: ...

    async def ask(self, text: str) -> str:
        """Send a message and wait until its reply is finished; its text, put together from its pieces."""
        ...

    async def close(self) -> None: ...


class ParleyTalker:
    """As the widget does: messages are posted on one connection, replies come on the event stream of another."""

    def __init__(self, persona: str = "free") -> None:
        self._persona = persona
        self._sent = 0

    async def open(self, host: str, port: int) -> None:
        self._host, self._address = f"{host}:{port}", (host, port)
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=FRAMES)
        self._token = ""
        opened = await self._post("/api/v1/conversations", {"persona": self._persona}, status=b"201")
        self._token = f"Authorization: Bearer {opened['token']}\r\n"
        self._path = f"/api/v1/conversations/{opened['id']}"
        await self.follow(host, port)

    async def follow(self, host: str, port: int) -> None:
        """Open the event stream."""
        self._events, self._stream = await asyncio.open_connection(host, port, limit=FRAMES)
        self._stream.write(f"GET {self._path}/events HTTP/1.1\r\nHost: {self._host}\r\n{self._token}\r\n".encode())
        head = await self._events.readuntil(b"\r\n\r\n")
        if b" 200 " not in head:
            raise RuntimeError(f"no event stream: {head!r}")
        self._rest = b""
        await self._event()  # the time to wait before reconnecting

    async def leave(self) -> None:
        """Close the event stream."""
        self._stream.close()
        await self._stream.wait_closed()

    async def ask(self, text: str) -> str:
        self._sent += 1
        accepted = await self._post(
            f"{self._path}/messages", {"client_id": str(self._sent), "text": text}, status=b"202"
        )
        turn, shown = accepted["turn"], ""
        while True:
            name, data = await self._event()
            if data.get("turn") != turn:
                continue
            if name == "delta":
                shown += data["text"]
            elif name == "turn.replaced":
                shown = data["text"]
            elif name == "turn.finished":
                stored: str = data["message"]["text"]
                if not stored.startswith(shown):  # a stream that lags behind is given the end before the rest
                    raise RuntimeError(f"shown {shown!r}, stored {stored!r}")
                return stored

    def hang_up(self) -> None:
        """Close the connection that messages are posted on."""
        self._writer.close()

    async def close(self) -> None:
        self.hang_up()
        self._stream.close()

    async def _post(self, path: str, body: object, *, status: bytes) -> Any:
        content = json.dumps(body).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\n{self._token}"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        try:
            return await self._exchange(head.encode() + content, status)
        except (asyncio.IncompleteReadError, ConnectionError):  # idle for so long that the server closed it
            self._reader, self._writer = await asyncio.open_connection(*self._address, limit=FRAMES)
            return await self._exchange(head.encode() + content, status)

    async def _exchange(self, request: bytes, status: bytes) -> Any:
        self._writer.write(request)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        found = await self._reader.readexactly(length)
        if not answer.startswith(b"HTTP/1.1 " + status):
            raise RuntimeError(f"answered {found!r}")
        return json.loads(found)

    async def _event(self) -> tuple[str, dict[str, Any]]:
        while b"\n\n" not in self._rest:
            size = int(await self._events.readline(), 16)
            self._rest += (await self._events.readexactly(size + 2))[:-2]
        event, _, self._rest = self._rest.partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in event.decode().split("\n"))
        return fields.get("event", ""), json.loads(fields.get("data", "{}"))


class ChainlitTalker:
    """Engine.IO 4 and Socket.IO 5 over WebSocket, as Chainlit's page speaks them, without compression."""

    async def open(self, host: str, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection(host, port, limit=FRAMES)
        self._writer.write(
            f"GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head:
            raise RuntimeError(f"no WebSocket: {head!r}")
        await self._packet("0")
        session = {"sessionId": str(uuid.uuid4()), "clientType": "webapp", "userEnv": "{}"}
        self._write(f"40{json.dumps(session)}")
        await self._packet("40")
        self._write('42["connection_successful"]')

    async def ask(self, text: str) -> str:
        message = {
            "id": str(uuid.uuid4()),
            "threadId": "",
            "name": "user",
            "type": "user_message",
            "output": text,
            "createdAt": "2026-01-01T00:00:00.000Z",
        }
        self._write(f"42{json.dumps(['client_message', {'message': message, 'fileReferences': []}])}")
        shown = ""
        while True:
            name, *data = json.loads((await self._packet("42"))[2:])
            if name == "stream_start":
                shown = data[0]["output"]
            elif name == "stream_token":
                shown += data[0]["token"]
            elif name == "new_message" and data[0]["type"] == "assistant_message":
                if data[0]["output"] != shown:
                    raise RuntimeError(f"shown {shown!r}, sent {data[0]['output']!r}")
                return shown

    async def close(self) -> None:
        self._writer.close()

    async def _packet(self, kind: str) -> str:
        """The next packet of that kind; pings are answered."""
        while True:
            opcode, size = await self._reader.readexactly(2)
            if size > 125:
                size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8))
            content = await self._reader.readexactly(size)
            if opcode & 15 == 9:
                self._frame(content, opcode=10)
            elif content == b"2":
                self._write("3")
            elif content.startswith(kind.encode()):
                return content.decode()

    def _write(self, text: str) -> None:
        self._frame(text.encode(), opcode=1)

    def _frame(self, content: bytes, *, opcode: int) -> None:
        """Masked with zeros."""
        size = bytes([128 | len(content)]) if len(content) < 126 else b"\xfe" + len(content).to_bytes(2)
        self._writer.write(bytes([128 | opcode]) + size + bytes(4) + content)
