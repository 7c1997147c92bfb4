"""A proxy before a server that does to requests what networks and fleets do: slow, cut, refuse, talk nonsense."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

How = Literal["pass", "hang", "mute", "cut", "429", "500", "401", "404", "garbage", "html", "silence", "refuse"]
_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_SAID = {
    "401": (b"401 Unauthorized", b'{"error": {"message": "no such key"}}', b""),
    "404": (b"404 Not Found", b'{"error": {"message": "no such model"}}', b""),
    "429": (b"429 Too Many Requests", b'{"error": {"message": "busy"}}', b"Retry-After: 1\r\n"),
    "500": (b"500 Internal Server Error", b'{"error": {"message": "out of memory"}}', b""),
    "html": (b"200 OK", b"<html>Welcome to the wireless network</html>", b""),
}


class Proxy:
    """`script` holds what becomes of the next questions, `then` of those after; other requests pass.

    pass     as it is                              hang     takes the question, never answers
    mute     begins an event stream, then nothing  cut      ends after the first pieces of the answer
    silence  the first pieces, then nothing        garbage  an event stream of broken JSON
    html     200 with a page                       refuse   closes the connection; also other requests
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._path = parts.path
        self.port = 0
        self.script: deque[How] = deque()
        self.then: How = "pass"
        self.delay = 0.0
        self.questions = 0
        self.open = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self._path}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
        finally:
            self.open -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        how: How = "refuse" if self.then == "refuse" else "pass"
        if head.startswith(b"POST"):
            self.questions += 1
            how = self.script.popleft() if self.script else self.then
            await asyncio.sleep(self.delay)
        if how == "refuse":
            return
        if how == "hang":
            await reader.read()
        elif how in ("mute", "garbage"):
            writer.write(_CHUNKED)
            if how == "garbage":
                writer.write(b"e\r\ndata: {not so\n\n\r\n0\r\n\r\n")
            await writer.drain()
            await reader.read()
        elif how in _SAID:
            status, said, extra = _SAID[how]
            length = f"Content-Length: {len(said)}\r\nConnection: close\r\n\r\n".encode()
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\n" + extra + length + said)
            await writer.drain()
        else:
            await self._pass_on(head, body, reader, writer, how)

    async def _pass_on(
        self, head: bytes, body: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, how: How
    ) -> None:
        """One request to a connection; a caller who leaves is passed on as well."""
        first, _, rest = head.partition(b"\r\n")
        lines = [line for line in rest.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
        above, to = await asyncio.open_connection(self._host, self._port)
        try:
            to.write(b"\r\n".join([first, *lines, b"Connection: close", b"", b""]) + body)
            leaving = asyncio.ensure_future(reader.read())
            while True:
                reading = asyncio.ensure_future(above.read(65536))
                await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if leaving.done() or not (piece := await reading):
                    reading.cancel()
                    break
                writer.write(piece)
                await writer.drain()
                if how in ("cut", "silence") and piece.count(b'"content"') > 0 and b'"content":""' not in piece[-200:]:
                    if how == "silence":
                        await leaving
                    break
            leaving.cancel()
        finally:
            to.close()


@asynccontextmanager
async def proxy(upstream: str) -> AsyncIterator[Proxy]:
    """Before the server whose base URL is `upstream`."""
    made = Proxy(upstream)
    server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
