"""Bus, limiter and window through a real Redis: their suites, two replicas, and what stays in Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.errors import CursorLost
from bot.types import LiveEvent, Rate
from storage.redis import RedisBus, RedisSettings, RedisShared, open_shared
from storage.redis.limiter import RedisLimiter
from storage.redis.window import RedisWindow
from tests.conformance.bus import BusContract, append, delta, events_of, finished, nothing_more, started, take
from tests.conformance.limiter import NONE, SLOW, LimiterContract
from tests.conformance.samples import key
from tests.conformance.window import WindowContract, memory
from tests.redis_server import RedisServer


@pytest.fixture
async def shared(redis_server: RedisServer) -> AsyncIterator[RedisShared]:
    async with open_shared(RedisSettings(url=redis_server.url)) as shared:
        yield shared


@asynccontextmanager
async def two(server: RedisServer) -> AsyncIterator[tuple[RedisShared, RedisShared]]:
    """Two replicas."""
    settings = RedisSettings(url=server.url)
    async with open_shared(settings) as one, open_shared(settings) as other:
        yield one, other


class TestRedisBus(BusContract):
    @pytest.fixture
    def bus(self, shared: RedisShared) -> RedisBus:
        return shared.bus


class TestRedisLimiter(LimiterContract):
    @pytest.fixture
    def limiter(self, shared: RedisShared) -> RedisLimiter:
        return shared.limiter


class TestRedisWindow(WindowContract):
    @pytest.fixture
    def window(self, shared: RedisShared) -> RedisWindow:
        return shared.window


def keys(server: RedisServer) -> list[bytes]:
    with server.client() as client:
        return sorted(client.scan_iter())


def stream_of(server: RedisServer) -> bytes:
    """The only live buffer there is."""
    [name] = [name for name in keys(server) if b":live:" in name]
    return name


def everything(server: RedisServer) -> bytes:
    """All names and all values."""
    with server.client() as client:
        return b"\n".join(name + b" " + (client.dump(name) or b"") for name in client.scan_iter())


async def test_what_one_replica_publishes_the_others_hear_and_itself_once(redis_server: RedisServer) -> None:
    async with (
        two(redis_server) as (one, other),
        one.bus.subscribe("stop") as here,
        other.bus.subscribe("stop") as there,
    ):
        for text in ("a", "b", "你好"):
            await one.bus.publish("stop", text)
        async with asyncio.timeout(30):
            assert [await anext(there) for _ in range(3)] == ["a", "b", "你好"]
            assert [await anext(here) for _ in range(3)] == ["a", "b", "你好"]
        assert await nothing_more(here)


async def test_a_reader_on_another_replica_follows_and_resumes_with_its_cursor_anywhere(
    redis_server: RedisServer,
) -> None:
    async with two(redis_server) as (one, other):
        async with other.bus.follow(key()) as followed:
            await append(one.bus, started("t1"), delta("t1", 1))
            cursor, _ = (await take(followed, 2))[-1]
            await append(one.bus, delta("t1", 2))
            assert await events_of(followed, 1) == [delta("t1", 2)]
        async with one.bus.follow(key(), after=cursor) as followed:
            assert await events_of(followed, 1) == [delta("t1", 2)]


async def test_forgetting_tells_those_who_follow_on_every_replica(redis_server: RedisServer) -> None:
    async with two(redis_server) as (one, other), one.bus.follow(key()) as here, other.bus.follow(key()) as there:
        await append(one.bus, started("t1"))
        for followed in (here, there):
            await take(followed, 1)
        await one.bus.forget(key())
        for followed in (here, there):
            with pytest.raises(CursorLost):
                await take(followed, 1)


async def test_events_of_an_attempt_that_another_took_over_are_passed_over(redis_server: RedisServer) -> None:
    async with two(redis_server) as (old, new):
        await append(old.bus, started("t1"), delta("t1", 1, "old"))
        await append(new.bus, started("t1", 2), delta("t1", 1, "new", attempt=2))
        await append(old.bus, delta("t1", 2, "er"))
        async with old.bus.follow(key()) as followed:
            assert await events_of(followed, 2) == [started("t1", 2), delta("t1", 1, "new", attempt=2)]
            assert await nothing_more(followed)


async def test_replicas_share_their_limits(redis_server: RedisServer) -> None:
    rate = Rate(burst=2, per_minute=0.1)
    async with two(redis_server) as (one, other):
        for shared in (one, other):
            assert await shared.limiter.take({"ann": rate}) == NONE
        for shared in (one, other):
            assert await shared.limiter.take({"ann": rate}) > NONE


async def test_a_buffer_keeps_no_more_than_its_bounds(redis_server: RedisServer) -> None:
    settings = RedisSettings(url=redis_server.url, events=64, buffer_bytes=5000)
    async with open_shared(settings) as shared:
        await append(shared.bus, started("t1"))
        stream = stream_of(redis_server)
        with redis_server.client() as client:
            for n in range(1, 300):
                await append(shared.bus, delta("t1", n, "a"))
                assert client.xlen(stream) <= 64
            for turn in range(30):
                await append(shared.bus, started(f"s{turn}"), finished(f"s{turn}", "x" * 400))
                size = sum(len(fields[b"e"]) for _, fields in client.xrange(stream))
                assert size <= 5000


async def test_every_key_has_the_prefix_and_an_end(redis_server: RedisServer) -> None:
    async with open_shared(RedisSettings(url=redis_server.url, prefix="shop")) as shared:
        await use(shared)
        await append(shared.bus, started("t1"), delta("t1", 1), room="later forgotten")
        await shared.bus.forget(key("later forgotten"))
        await shared.window.forget(key("later forgotten"))
        with redis_server.client() as client:
            found = list(client.scan_iter())
            assert len(found) >= 6
            for name in found:
                assert name.startswith(b"shop:")
                assert client.ttl(name) > 0


async def test_nothing_of_a_forgotten_conversation_is_left_nor_comes_back(redis_server: RedisServer) -> None:
    async with open_shared(RedisSettings(url=redis_server.url)) as shared:
        await use(shared, "canary")
        assert b"canary" in everything(redis_server)
        await shared.bus.forget(key())
        await shared.window.forget(key())
        assert b"canary" not in everything(redis_server)
        await append(shared.bus, delta("t1", 2, "canary again"), finished("t1", "canary again"))
        await shared.window.put(key(), memory(text="canary again"))
        assert b"canary" not in everything(redis_server)
        assert await shared.window.get(key()) is None
        await append(shared.bus, started("t2"), delta("t2", 1))
        async with shared.bus.follow(key()) as followed:
            assert await events_of(followed, 2) == [started("t2"), delta("t2", 1)]


async def test_no_key_names_a_person_or_a_conversation(redis_server: RedisServer) -> None:
    async with open_shared(RedisSettings(url=redis_server.url)) as shared:
        await append(shared.bus, started("t1"), room="canary")
        await shared.window.put(key("canary"), memory())
        await shared.limiter.take({"user:canary": SLOW})
        assert len(keys(redis_server)) >= 4
        assert not any(b"canary" in name for name in keys(redis_server))


async def test_ten_thousand_takes_leave_few_keys_and_those_that_are_full_again_go(redis_server: RedisServer) -> None:
    async with open_shared(RedisSettings(url=redis_server.url)) as shared:
        quick = Rate(burst=10, per_minute=60_000)
        for start in range(0, 10_000, 100):
            names = [f"user {number % 50}" for number in range(start, start + 100)]
            await asyncio.gather(*(shared.limiter.take({name: quick}) for name in names))
        assert len(keys(redis_server)) <= 51
        await asyncio.sleep(0.1)
        assert len(keys(redis_server)) <= 1


@pytest.mark.parametrize("odd", [b"", b"null", b"[99]", b"\xff", b'[1,1,[{"id":3}],null,{}]'])
async def test_a_memory_that_cannot_be_read_is_none(redis_server: RedisServer, odd: bytes) -> None:
    async with open_shared(RedisSettings(url=redis_server.url)) as shared:
        await shared.window.put(key(), memory())
        with redis_server.client() as client:
            [name] = client.scan_iter("parley:memory:*")
            client.set(name, odd)
        assert await shared.window.get(key()) is None


async def test_a_memory_too_long_is_not_kept_nor_the_one_before_it(redis_server: RedisServer) -> None:
    async with open_shared(RedisSettings(url=redis_server.url, memory_bytes=2000)) as shared:
        await shared.window.put(key(), memory())
        await shared.window.put(key(), memory(text="x" * 2000))
        assert await shared.window.get(key()) is None


async def test_an_event_of_another_version_loses_the_cursor(redis_server: RedisServer) -> None:
    async with open_shared(RedisSettings(url=redis_server.url)) as shared:
        await append(shared.bus, started("t1"))
        async with shared.bus.follow(key()) as followed:
            await take(followed, 1)
            with redis_server.client() as client:
                client.xadd(stream_of(redis_server), {"e": b'["thought","t1"]'}, id="2-0")
                client.hset(stream_of(redis_server).replace(b":live:", b":head:"), "last", 2)
            await append(shared.bus, delta("t1", 1))
            with pytest.raises(CursorLost):
                await take(followed, 1)


async def test_closing_ends_the_readers(redis_server: RedisServer) -> None:
    async def listen(shared: RedisShared) -> list[str]:
        async with shared.bus.subscribe("wake") as texts:
            return [text async for text in texts]

    async def follow(shared: RedisShared) -> list[LiveEvent]:
        async with shared.bus.follow(key()) as followed:
            return [event async for _, event in followed]

    async with asyncio.TaskGroup() as group, open_shared(RedisSettings(url=redis_server.url)) as shared:
        heard, followed = group.create_task(listen(shared)), group.create_task(follow(shared))
        await asyncio.sleep(0.1)
        await shared.bus.publish("wake", "x")
        await append(shared.bus, started("t1"))
        await asyncio.sleep(0.1)
    assert heard.result() == ["x"]
    assert followed.result() == [started("t1")]


async def use(shared: RedisShared, text: str = "word") -> None:
    """One of everything that is kept."""
    await append(shared.bus, started("t1"), delta("t1", 1, text))
    await shared.window.put(key(), memory(text=text))
    await shared.limiter.take({"ann": SLOW, "all": SLOW})
