"""A reader on another replica than the one that answers, with Redis in between: live, and right without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bot.testing import ScriptedEngine
from storage.redis import RedisSettings, open_shared
from storage.sql import SqlSettings, open_store
from tests.adapters_web.house import Reader, Served, Visitor, serving
from tests.blank import blank
from tests.redis_server import RedisServer

ANSWER = " ".join(f"word{number}" for number in range(60))


@asynccontextmanager
async def replicas(folder: Path, server: RedisServer, **settings: object) -> AsyncIterator[tuple[Served, Served]]:
    """One that answers and one that only serves its readers."""
    redis = RedisSettings(url=server.url, timeout_seconds=0.3, probe_seconds=0.05)
    engine = ScriptedEngine(ANSWER, delay=0.02)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(SqlSettings(url=blank(folder / "parley.db"))))
        served = []
        for answers in (True, False):
            shared = await stack.enter_async_context(open_shared(redis))
            replica = serving(folder, engine=engine, dispatch=answers, among=(store, shared.bus), **settings)
            served.append(await stack.enter_async_context(replica))
        yield served[0], served[1]


async def test_a_reader_on_another_replica_sees_each_word_as_it_comes(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with replicas(tmp_path, redis_server, poll_seconds=5.0) as (answering, reading):
        visitor = await reading.visitor()
        turn = (await visitor.say("talk"))["turn"]
        reader = await visitor.reply(turn)
        elsewhere = Visitor(http=answering.http, id=visitor.id, token=visitor.token, persona={})
        assert (await elsewhere.messages())[-1]["text"] == reader.texts[turn] == ANSWER
    assert reader.names.count("delta") > 40
    assert "turn.replaced" not in reader.names[4:]  # the stream began after the turn


@pytest.mark.parametrize("fault", ["killed", "killed and started", "flushed", "hung for a while"])
async def test_whatever_befalls_redis_the_reader_ends_with_the_stored_text(
    tmp_path: Path, redis_server: RedisServer, fault: str
) -> None:
    async with replicas(tmp_path, redis_server, poll_seconds=0.2) as (_, reading):
        visitor = await reading.visitor()
        turn = (await visitor.say("talk"))["turn"]
        reader = Reader()
        async with asyncio.timeout(30), visitor.events() as events:
            async for event in events:
                reader.take(event)
                if len(reader.events) == 15:
                    await befall(redis_server, fault)
                if event.name == "turn.finished":
                    break
        assert reader.texts == {turn: ANSWER}
        assert (await visitor.messages())[-1]["text"] == ANSWER


async def befall(server: RedisServer, fault: str) -> None:
    if fault == "flushed":
        server.flush()
    elif fault == "hung for a while":
        server.pause()
        await asyncio.sleep(0.5)
        server.resume()
    else:
        server.kill()
        if fault == "killed and started":
            server.start()
