"""How the engine behaves beside its speed: the event loop's lag, and what a cancelled request leaves."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path

from bot.engine.client import LocalEngine, open_engine
from bot.engine.settings import EngineSettings
from bot.measuring.answers import percentile
from bot.measuring.usage import resident
from tests.conformance.engine import answer, ask
from tests.crash.canaries import cancel_many, known_answers
from tests.engine.models import make_folder

_BEAT = 0.005
SETTLE_SECONDS = 2


@asynccontextmanager
async def heartbeat(late: list[float]) -> AsyncIterator[None]:
    """Collects by how many seconds a short sleep came too late."""

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_BEAT)
            late.append(time.perf_counter() - began - _BEAT)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


async def lag(folder: Path, *, at_once: int = 8) -> tuple[float, float, float]:
    """The event loop's 99th percentile of lateness in seconds: with nothing to do, while the model loads, and while
    it answers."""
    idle: list[float] = []
    loading: list[float] = []
    answering: list[float] = []
    async with heartbeat(idle):
        await asyncio.sleep(3)
    async with open_engine(EngineSettings(model=str(folder), threads=1, slots=at_once)) as engine:
        async with heartbeat(loading):
            await engine.wait_loaded()
        async with heartbeat(answering):
            await asyncio.gather(
                *(answer(engine, ask(f"question {n}", engine=engine, max_tokens=48)) for n in range(at_once))
            )
    return percentile(idle, 0.99), percentile(loading, 0.99), percentile(answering, 0.99)


async def cancel_steps(engine: LocalEngine, *, times: int = 10) -> int:
    """The most tokens that another answer got between a request's end and word that its place is free."""
    return max([await _steps_until_free(engine, number) for number in range(times)])


async def _steps_until_free(engine: LocalEngine, number: int) -> int:
    tokens = 0
    under_way = asyncio.Event()

    async def other() -> None:
        nonlocal tokens
        async for _ in engine.generate(ask(f"other {number}", engine=engine, max_tokens=400)):
            tokens += 1
            under_way.set()

    reading = asyncio.create_task(other())
    try:
        async with aclosing(engine.generate(ask(f"first {number}", engine=engine, max_tokens=400))) as ended:
            await anext(ended)
            await under_way.wait()
        before = tokens
        while engine.unconfirmed:
            await asyncio.sleep(0.001)
        return tokens - before
    finally:
        reading.cancel()
        await asyncio.wait([reading])


async def many_cancels(folder: Path, *, count: int = 10_000) -> dict[str, int]:
    """So many requests to a tiny model, most of them cancelled: what is left, and how much the worker grew in bytes."""
    tiny = await asyncio.to_thread(make_folder, folder / "tiny")
    async with open_engine(EngineSettings(model=str(tiny), threads=1, slots=4, queue=64)) as engine:
        known = await known_answers(engine)
        await cancel_many(engine, known, 500, seed=1)
        pid = engine.worker_pid or 0
        before = resident(pid) or 0
        found = await cancel_many(engine, known, count, seed=2)
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while engine.in_flight + engine.unconfirmed:  # the worker's last words are under way
                    await asyncio.sleep(0.01)
        return {
            "cancelled": found.cancelled,
            "foreign": found.foreign,
            "left": engine.in_flight + engine.unconfirmed,
            "grown": (resident(pid) or 0) - before,
        }
