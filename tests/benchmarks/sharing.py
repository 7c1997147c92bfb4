"""What replicas share, in process and through a Redis of our own on this machine: one thing at a time, nothing else."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from bot.ports import Bus, Shared
from bot.types import ConversationKey, Delta, Memory, Rate, StoredMessage, TurnStarted
from storage.local import LocalBusSettings
from storage.local import plugin as local
from storage.redis import RedisSettings
from storage.redis import plugin as redis
from tests.benchmarks.report import Row
from tests.redis_server import RedisServer

_TIMES = 2000
_IDLE = 1000
_RATES = {name: Rate(burst=1_000_000, per_minute=60) for name in ("user", "conversation", "tenant")}


def key(room: str) -> ConversationKey:
    return ConversationKey(channel="web", tenant="shop", room=room)


def memory() -> Memory:
    """Forty messages of 200 characters."""
    said = [
        StoredMessage(id=f"m{n}", role="user", text="words " * 33, turn=f"t{n}", at=datetime.now(UTC))
        for n in range(40)
    ]
    return Memory(version=1, messages=tuple(said))


async def timed(action: Callable[[int], Awaitable[object]], times: int = _TIMES) -> list[float]:
    found = []
    for number in range(times):
        began = time.perf_counter()
        await action(number)
        found.append(time.perf_counter() - began)
    return found


async def appended(bus: Bus, room: str, tokens: int) -> list[float]:
    await bus.append(key(room), TurnStarted(turn="t", attempt=1))
    return await timed(
        lambda n: bus.append(key(room), Delta(turn="t", attempt=1, seq=n + 1, text="word ")), times=tokens
    )


async def followed(writer: Bus, reader: Bus, *, tokens: int = 500) -> list[float]:
    """Seconds from before an event is appended until its follower has it."""
    found: list[float] = []
    began = 0.0
    async with reader.follow(key("followed")) as events:
        await writer.append(key("followed"), TurnStarted(turn="t", attempt=1))
        await anext(events)
        for n in range(1, tokens + 1):
            began = time.perf_counter()
            _, _ = await asyncio.gather(
                writer.append(key("followed"), Delta(turn="t", attempt=1, seq=n, text="word ")), anext(events)
            )
            found.append(time.perf_counter() - began)
    return found


async def measure(name: str, one: Shared, other: Shared) -> list[Row]:
    kept = memory()
    took = {
        "append": await appended(one.bus, "alone", _TIMES),
        "append until another reads it": await followed(one.bus, other.bus),
        "limiter, 3 buckets": await timed(lambda _: one.limiter.take(_RATES)),
        "window put, 40 messages": await timed(lambda _: one.window.put(key("w"), kept)),
        "window get, 40 messages": await timed(lambda _: one.window.get(key("w"))),
    }
    rows = []
    for what, seconds in took.items():
        cuts = [1e6 * cut for cut in statistics.quantiles(seconds, n=100)]
        rows.append(Row(f"{name}: {what}", f"p50 {cuts[49]:.0f} µs, p99 {cuts[98]:.0f} µs"))
    began = time.perf_counter()
    await asyncio.gather(*(appended(one.bus, f"busy {n}", 100) for n in range(64)))
    rows.append(Row(f"{name}: tokens of 64 replies at once", f"{6400 / (time.perf_counter() - began):.0f} a second"))
    return rows


async def idle_bytes(server: RedisServer, shared: Shared) -> int:
    """Redis memory of a live buffer that holds one reply of 100 tokens."""
    with server.client() as client:
        client.flushall()
        before = int(client.info("memory")["used_memory"])
        for start in range(0, _IDLE, 50):
            await asyncio.gather(*(appended(shared.bus, f"idle {start + n}", 100) for n in range(50)))
        return (int(client.info("memory")["used_memory"]) - before) // _IDLE


async def rows() -> list[Row]:
    async with local.open(LocalBusSettings()) as alone:
        found = await measure("in process", alone, alone)
    with RedisServer() as server:
        settings = RedisSettings(url=server.url, timeout_seconds=10)
        async with redis.open(settings) as one, redis.open(settings) as other:
            found += await measure("Redis", one, other)
            found.append(Row("Redis: memory of an idle live buffer", f"{await idle_bytes(server, one) / 1000:.1f} kB"))
    return found
