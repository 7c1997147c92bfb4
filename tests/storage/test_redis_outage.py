"""Redis absent, killed, flushed or frozen: nothing is raised, nothing waits for long, and it goes on by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from bot.errors import CursorLost
from bot.ports import Bus
from bot.types import Delta, LiveEvent, Rate, TurnReplaced
from storage.redis import RedisSettings, RedisShared, open_shared
from storage.redis.buffer import LiveBuffer
from tests.conformance.bus import append, delta, events_of, finished, nothing_more, shown, started, take
from tests.conformance.limiter import NONE
from tests.conformance.samples import key
from tests.conformance.window import memory
from tests.redis_server import RedisServer

SLOW = Rate(burst=2, per_minute=0.1)


def quick(server: RedisServer) -> RedisSettings:
    return RedisSettings(url=server.url, timeout_seconds=0.3, probe_seconds=0.05)


@pytest.fixture
async def shared(redis_server: RedisServer) -> AsyncIterator[RedisShared]:
    async with open_shared(quick(redis_server)) as shared:
        yield shared


async def up(bus: Bus) -> None:
    """Wait until the bus says it is well."""
    async with asyncio.timeout(30):
        while True:
            with suppress(ConnectionError):
                return await bus.check()
            await asyncio.sleep(0.01)


async def down(bus: Bus) -> None:
    async with asyncio.timeout(30):
        with suppress(ConnectionError):
            while True:
                await bus.check()
                await asyncio.sleep(0.01)


async def whole(bus: Bus, text: str) -> list[LiveEvent]:
    """Read as a web stream does, anew where the cursor is lost, until the turn's text is `text`."""
    seen: list[LiveEvent] = []
    async with asyncio.timeout(30):
        while True:
            with suppress(CursorLost):
                async with bus.follow(key()) as followed:
                    seen = []
                    async for _, event in followed:
                        seen.append(event)
                        if shown(seen) == text:
                            return seen


async def test_without_redis_a_replica_goes_on_by_itself_and_with_it_once_it_is_there(
    redis_server: RedisServer,
) -> None:
    redis_server.kill()
    async with asyncio.timeout(30), open_shared(quick(redis_server)) as shared:
        with pytest.raises(ConnectionError, match="does not answer"):
            await shared.bus.check()
        async with shared.bus.subscribe("wake") as wakes, shared.bus.follow(key()) as followed:
            await shared.bus.publish("wake", "mine")
            assert await anext(wakes) == "mine"
            await append(shared.bus, started("t1"), delta("t1", 1), finished("t1"))
            await shared.bus.forget(key("other"))
            await shared.window.put(key(), memory())
            await shared.window.forget(key("other"))
            assert await shared.window.get(key()) is None
            assert [await shared.limiter.take({"ann": SLOW}) > NONE for _ in range(3)] == [False, False, True]
            assert await nothing_more(followed)
            redis_server.start()
            await up(shared.bus)
            await append(shared.bus, started("t2"), delta("t2", 1))
            assert await events_of(followed, 2) == [started("t2"), delta("t2", 1)]
            async with open_shared(quick(redis_server)) as other:
                await other.bus.publish("wake", "yours")
                assert await asyncio.wait_for(anext(wakes), 30) == "yours"


async def test_an_outage_is_told_once_and_its_end_too(redis_server: RedisServer, shared: RedisShared) -> None:
    with capture_logs() as logs:
        for _ in range(2):
            redis_server.kill()
            for n in range(50):
                await append(shared.bus, delta("t1", n))
                await shared.limiter.take({"ann": SLOW})
                await asyncio.sleep(0.005)
            redis_server.start()
            await up(shared.bus)
    assert [entry["log_level"] for entry in logs] == ["warning", "info"] * 2


async def test_a_killed_redis_in_the_middle_of_a_turn_leaves_the_whole_text_to_read(
    redis_server: RedisServer, shared: RedisShared
) -> None:
    pieces = [delta("t1", n) for n in range(1, 301)]
    text = "".join(piece.text for piece in pieces)
    async with open_shared(quick(redis_server)) as other:
        reading = asyncio.ensure_future(whole(other.bus, text))
        await append(shared.bus, started("t1"), *pieces[:100])
        redis_server.kill()
        await append(shared.bus, *pieces[100:200])
        redis_server.start()
        await up(shared.bus)
        await up(other.bus)
        await append(shared.bus, *pieces[200:])
        await reading
        assert (await whole(other.bus, text))[0] == TurnReplaced(
            turn="t1", attempt=1, seq=201, text="".join(piece.text for piece in pieces[:201])
        )


async def test_a_flushed_redis_loses_the_cursor_but_not_the_text(
    redis_server: RedisServer, shared: RedisShared
) -> None:
    await append(shared.bus, started("t1"), delta("t1", 1))
    async with shared.bus.follow(key()) as followed:
        cursor, _ = (await take(followed, 2))[-1]
        redis_server.flush()
        with pytest.raises(CursorLost):
            async with shared.bus.follow(key(), after=cursor):
                pass
        await append(shared.bus, delta("t1", 2))
        with pytest.raises(CursorLost):
            await take(followed, 1)
    await append(shared.bus, delta("t1", 3))
    await whole(shared.bus, "1 2 3 ")


async def test_what_did_not_arrive_is_made_good_by_the_text_so_far(
    redis_server: RedisServer, shared: RedisShared
) -> None:
    async with open_shared(quick(redis_server)) as other, other.bus.follow(key()) as followed:
        await append(shared.bus, started("t1"), delta("t1", 1))
        await take(followed, 2)
        redis_server.pause()
        await down(shared.bus)
        await append(shared.bus, *(delta("t1", n) for n in range(2, 10)))
        redis_server.resume()
        await up(shared.bus)
        await append(shared.bus, delta("t1", 10))
        text = "".join(f"{n} " for n in range(1, 11))
        assert await events_of(followed, 1) == [TurnReplaced(turn="t1", attempt=1, seq=10, text=text)]


async def test_what_came_while_a_reader_was_cut_off_reaches_it_without_another_event(
    redis_server: RedisServer, shared: RedisShared
) -> None:
    with redis_server.client() as client:
        async with shared.bus.follow(key()) as followed:
            [listening] = [found["id"] for found in client.client_list() if found["sub"] != "0"]
            async with open_shared(quick(redis_server)) as other:
                client.client_kill_filter(_id=listening)
                await append(other.bus, started("t1"))
                assert await events_of(followed, 1) == [started("t1")]


async def test_a_redis_that_hangs_holds_up_one_command_and_no_more(
    redis_server: RedisServer, shared: RedisShared
) -> None:
    redis_server.pause()
    try:
        async with asyncio.timeout(30):
            for n in range(1, 1000):
                await shared.bus.append(key(), Delta(turn="t1", attempt=1, seq=n, text="x"))
                await shared.bus.publish("wake", "x")
    finally:
        redis_server.resume()
    await up(shared.bus)


async def test_a_follower_does_not_ask_while_redis_is_away(
    redis_server: RedisServer, shared: RedisShared, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = LiveBuffer.read

    async def counted(buffer: LiveBuffer, life: str, position: int) -> object:
        nonlocal reads
        reads += 1
        return await read(buffer, life, position)

    monkeypatch.setattr(LiveBuffer, "read", counted)
    async with shared.bus.follow(key()) as followed:
        redis_server.kill()
        waiting = asyncio.ensure_future(anext(followed))
        await asyncio.sleep(0.5)
        assert reads <= 3
        redis_server.start()
        await up(shared.bus)
        await append(shared.bus, started("t1"))
        assert (await asyncio.wait_for(waiting, 30))[1] == started("t1")


async def test_what_was_forgotten_while_redis_was_away_is_deleted_once_it_is_back(
    redis_server: RedisServer, shared: RedisShared
) -> None:
    await append(shared.bus, started("t1"), delta("t1", 1))
    await shared.window.put(key(), memory())
    redis_server.pause()
    await down(shared.bus)
    async with shared.bus.follow(key()) as followed:
        await shared.bus.forget(key())
        await shared.window.forget(key())
        with pytest.raises(CursorLost):
            await take(followed, 1)
    redis_server.resume()
    await up(shared.bus)
    await asyncio.sleep(0.1)
    assert await shared.window.get(key()) is None
    with redis_server.client() as client:
        assert not list(client.scan_iter("parley:live:*"))


async def test_it_closes_while_redis_hangs(redis_server: RedisServer) -> None:
    try:
        async with asyncio.timeout(30), open_shared(quick(redis_server)) as shared:
            await shared.bus.publish("wake", "x")
            redis_server.pause()
            for _ in range(100):
                await shared.bus.publish("wake", "x")
    finally:
        redis_server.resume()
