"""Two `parley run` on one PostgreSQL and one Redis: a reader on either sees what the other answers, and one may die."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.e2e.server import Client, Server
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

ANSWER = " ".join(f"word{n}" for n in range(120))
Pair = tuple[Server, Server]


@pytest.fixture
async def replicas(tmp_path: Path, postgres: PostgresServer, redis_server: RedisServer) -> AsyncIterator[Pair]:
    with postgres.database() as name:
        pair = tuple(_replica(tmp_path / one, postgres.url(name), redis_server.url) for one in ("a", "b"))
        try:
            await asyncio.gather(*(replica.start() for replica in pair))
            yield pair[0], pair[1]
        finally:
            for replica in pair:
                await replica.end(signal.SIGKILL)


def _replica(folder: Path, database: str, redis: str) -> Server:
    folder.mkdir()
    server = Server(folder, answer=ANSWER, delay=0.02)
    server.settings |= {"database_url": database, "bus": {"use": "redis", "url": redis}}
    return server


async def test_a_reader_of_either_replica_sees_the_whole_reply_once(replicas: Pair) -> None:
    async with Client(replicas[0]) as client:
        turns = []
        for n, replica in enumerate((*replicas, *replicas)):
            client.server = replica
            turns.append((await client.say(f"m{n}", client_id=f"c{n}"))["turn"])
            again = replicas[n % 2]
            client.server = again
            assert await client.say(f"m{n}", client_id=f"c{n}") == {"turn": turns[-1], "duplicate": True}
        for turn in turns:
            await client.until_finished(turn)
            assert client.shown[turn] == ANSWER
        assert [m["text"] for m in await client.messages()] == [t for n in range(4) for t in (f"m{n}", ANSWER)]


async def test_when_the_replica_that_answers_is_killed_the_other_takes_over_within_20_seconds(replicas: Pair) -> None:
    dead, living = replicas
    assert dead.process is not None
    assert living.process is not None
    async with Client(dead) as client:
        living.process.send_signal(signal.SIGSTOP)
        turn = (await client.say("hello", client_id="c1"))["turn"]
        async with aclosing(client.follow()) as events:
            async for _ in events:
                if client.shown.get(turn, "") != "":
                    break
        living.process.send_signal(signal.SIGCONT)
        await dead.end(signal.SIGKILL)
        client.server = living
        async with asyncio.timeout(20), aclosing(client.follow()) as events:
            async for _ in events:
                if client.attempts.get(turn) == 2:
                    break
        await client.until_finished(turn)
        assert client.shown[turn] == ANSWER
        assert [m["text"] for m in await client.messages()] == ["hello", ANSWER]


async def test_a_persona_saved_on_one_replica_answers_on_both(replicas: Pair) -> None:
    one, other = replicas
    async with Client(one) as client:
        for replica in replicas:
            file = replica.folder / "personas" / "free.yaml"
            file.write_text(file.read_text() + 'greeting: "Welcome back!"\n')
        for replica in (one, other):
            client.server = replica
            async with asyncio.timeout(30):
                while True:
                    cards = (await client.http.get(f"{replica.url}/api/v1/personas")).json()["personas"]
                    if next(card for card in cards if card["name"] == "free")["greeting"] == "Welcome back!":
                        break
                    await asyncio.sleep(0.1)
