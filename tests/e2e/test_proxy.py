"""Two replicas behind the proxy of docker/replicas.yaml: people notice neither that there are two nor that one dies."""

import asyncio
import signal
from contextlib import aclosing
from pathlib import Path

import httpx

from tests.e2e.proxy import Proxy, proxy
from tests.e2e.server import Client, Server

ANSWER = " ".join(f"word{n}" for n in range(20))


async def test_replicas_behind_the_proxy_share_the_work_and_one_dies_unnoticed(tmp_path: Path) -> None:
    a, b = servers = [server(tmp_path / name) for name in "ab"]
    try:
        await asyncio.gather(a.start(), b.start())
        async with proxy(tmp_path / "proxy", replicas=[a.port, b.port]) as front:
            await open_conversations(front, 4)
            assert [await opened_by(server) for server in servers] == [2, 2]

            await a.end(signal.SIGKILL)
            await open_conversations(front, 2)
            assert await converse(front) == ANSWER
    finally:
        for server_ in servers:
            await server_.end(signal.SIGKILL)


def server(folder: Path) -> Server:
    folder.mkdir()
    return Server(folder, answer=ANSWER, delay=0.03)


async def open_conversations(front: Proxy, number: int) -> None:
    for _ in range(number):
        async with Client(front):
            pass


async def converse(front: Proxy) -> str:
    """One turn through the proxy, streamed. Returns the text as the reader saw it."""
    async with Client(front) as client:
        turn = (await client.say("hello", client_id="c1"))["turn"]
        async with aclosing(client.follow()) as events:
            async for event in events:
                if event == "delta":
                    break
        assert [message["role"] for message in await client.messages()] == ["user"], "the stream came late"
        await client.until_finished(turn)
        return client.shown[turn]


async def opened_by(replica: Server) -> int:
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{replica.url}/metrics")).text
    counts = [line for line in text.splitlines() if "_requests_total{" in line and 'status="201"' in line]
    return int(sum(float(line.rpartition(" ")[2]) for line in counts))
