"""Faults, each a schedule over a whole trial."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from tests.crash.trial import Faults, Stage


def kills(count: int, *, every: tuple[float, float] = (0.0, 0.2)) -> Faults:
    """kill -9 in the middle of work: after a random rest, and after the platform heard from the living again."""

    async def strike(stage: Stage) -> None:
        for number in range(count):
            await asyncio.sleep(stage.random.uniform(*every))
            await _hear(stage, stage.random.randint(1, 60))
            while not (alive := stage.house.alive()):
                await asyncio.sleep(0.01)
            await stage.house.kill(stage.random.choice(alive))
            await stage.tell((number + 1) / count)

    return strike


async def _hear(stage: Stage, lines: int) -> None:
    """Wait for so many lines from replicas, or until they have no more to say."""
    wanted = stage.platform.heard + lines
    with suppress(TimeoutError):
        async with asyncio.timeout(3):
            while stage.platform.heard < wanted:
                await asyncio.sleep(0.005)


def pauses(count: int, *, leases: float = 1.6, every: tuple[float, float] = (0.3, 0.8)) -> Faults:
    """Stop a replica for longer than its lease, then let it go on as if nothing had happened."""

    async def strike(stage: Stage) -> None:
        for number in range(count):
            await asyncio.sleep(stage.random.uniform(*every))
            if alive := stage.house.alive():
                await stage.house.pause(stage.random.choice(alive), leases * stage.scenario.lease)
            await stage.tell((number + 1) / count)

    return strike


async def pause_in_full_swing(stage: Stage) -> None:
    """One pause, when several replies are being written."""
    await stage.tell(1.0)
    while len(stage.platform.posts) < 5:
        await asyncio.sleep(0.02)
    await stage.house.pause(stage.random.choice(stage.house.alive()), 1.6 * stage.scenario.lease)


def traps(points: Sequence[str], *, rounds: int = 1, patience: float = 5.0) -> Faults:
    """Die at each named point, one after the other. What nobody came by in time is tried once more; `missed` tells
    what was not met then either."""

    async def strike(stage: Stage) -> None:
        house = stage.house
        order = [point for _ in range(rounds) for point in stage.random.sample(points, len(points))]
        late = Counter[str]()
        for point in order:
            house.lay(point, passes=stage.random.randint(1, 2))
        await house.kill(stage.random.choice(house.alive()))
        struck = 0
        while struck < len(order):
            name, point = await house.laid.get()
            if await house.dies(name, within=patience):
                stage.struck["deaths at points"] += 1
            else:
                late[point] += 1
                if late[point] > rounds:
                    stage.missed.append(point)
                else:
                    order.append(point)
                    house.lay(point, passes=1)
                await house.kill(name)
            struck += 1
            await stage.tell(struck / len(order))

    return strike


def database_stops(count: int, *, every: tuple[float, float], down: tuple[float, float] = (0.1, 1.0)) -> Faults:
    """Stop PostgreSQL as if the power failed, and start it again."""

    async def strike(stage: Stage) -> None:
        server = stage.ground.postgres
        assert server is not None
        for number in range(count):
            await asyncio.sleep(stage.random.uniform(*every))
            await asyncio.to_thread(server.stop, "immediate")
            await asyncio.sleep(stage.random.uniform(*down))
            await asyncio.to_thread(server.start)
            stage.struck["database stops"] += 1
            await stage.tell((number + 1) / count)

    return strike


def redis_losses(count: int, *, every: tuple[float, float] = (0.3, 1.0)) -> Faults:
    """Kill Redis and start it again, or make it forget everything."""

    async def strike(stage: Stage) -> None:
        server = stage.ground.redis
        assert server is not None
        for number in range(count):
            await asyncio.sleep(stage.random.uniform(*every))
            if stage.random.random() < 0.5:
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(stage.random.uniform(0, 0.5))
                await asyncio.to_thread(server.start)
                stage.struck["Redis kills"] += 1
            else:
                await asyncio.to_thread(server.flush)
                stage.struck["Redis flushes"] += 1
            await stage.tell((number + 1) / count)

    return strike


async def wait_for_stragglers(stage: Stage) -> None:
    """Let everyone write at once, and stay until the last late delivery has come."""
    await stage.tell(1.0)
    again = stage.scenario.weather.again
    while len(stage.platform.acknowledged) < stage.scenario.messages:
        await asyncio.sleep(0.1)
    await asyncio.sleep(max(again, default=0) + 0.5)


def at_once(*schedules: Faults) -> Faults:
    async def strike(stage: Stage) -> None:
        async with asyncio.TaskGroup() as group:
            for schedule in schedules:
                group.create_task(_whole(schedule(stage)))

    return strike


async def _whole(strike: Awaitable[None]) -> None:
    await strike
