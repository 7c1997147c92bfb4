"""SIGTERM under load: it leaves in good order within its grace, and nobody's question is lost."""

import asyncio
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.e2e.server import Server, running

STREAMS = 500
ANSWER = "You said {question}. " + " ".join(f"word{number}" for number in range(25))

pytestmark = pytest.mark.slow


class Reader:
    """One open event stream on a connection of its own."""

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        self._server = server
        self._http = http
        self.received = b""
        self.turn = ""

    async def open(self) -> None:
        answer = await self._http.post(f"{self._server.url}/api/v1/conversations", json={"persona": "free"})
        assert answer.status_code == 201, answer.text
        self._conversation, self._token = answer.json()["id"], answer.json()["token"]
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        self._writer.write(
            f"GET /api/v1/conversations/{self._conversation}/events HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self._server.port}\r\nAuthorization: Bearer {self._token}\r\n\r\n".encode()
        )
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        self._reader = reader

    async def ask(self, text: str) -> None:
        answer = await self._http.post(
            f"{self._server.url}/api/v1/conversations/{self._conversation}/messages",
            json={"client_id": "c1", "text": text},
            headers={"Authorization": f"Bearer {self._token}"},
        )
        assert answer.status_code == 202, answer.text
        self.turn = answer.json()["turn"]

    async def to_the_end(self) -> None:
        while data := await self._reader.read(65536):
            self.received = (self.received + data)[-64:]
        self._writer.close()

    @property
    def ended_well(self) -> bool:
        """Whether the server ended the answer itself, instead of breaking it off."""
        return self.received.endswith(b"0\r\n\r\n")


async def test_sigterm_under_five_hundred_open_streams_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, answer=ANSWER, delay=0.02) as server, httpx.AsyncClient(timeout=60) as http:
        readers = [Reader(server, http) for _ in range(STREAMS)]
        for some in range(0, STREAMS, 50):
            await asyncio.gather(*(reader.open() for reader in readers[some : some + 50]))
        following = asyncio.gather(*(reader.to_the_end() for reader in readers))
        for some in range(0, STREAMS, 50):
            await asyncio.gather(*(r.ask(f"number {n}") for n, r in enumerate(readers[some : some + 50], start=some)))
        assert await server.end(signal.SIGTERM) == 0
        await following
        assert all(reader.ended_well for reader in readers)
        await server.start()
        stored = await _when_all_are_answered(tmp_path / "parley.db")
    for number, reader in enumerate(readers):
        state, text, replies = stored[reader.turn]
        assert (state, replies) == ("done", 1)
        assert text == ANSWER.replace("{question}", f"number {number}")
    assert len(stored) == STREAMS
    assert "Traceback" not in (tmp_path / "stderr.log").read_text()


async def _when_all_are_answered(file: Path) -> dict[str, tuple[str, str, int]]:
    """Each turn's state, its reply, and how many replies there are of it."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        async with asyncio.timeout(90):
            while database.execute("SELECT count(*) FROM turns WHERE finished_at IS NULL").fetchone()[0]:
                await asyncio.sleep(0.2)
        rows = database.execute(
            "SELECT turns.id, state, max(messages.text), count(*) FROM turns "
            "JOIN messages ON messages.turn = turns.id AND role = 'assistant' GROUP BY turns.id, state"
        )
        return {turn: (state, text, count) for turn, state, text, count in rows}
