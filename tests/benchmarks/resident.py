"""Memory of a server with ten thousand conversations: each with its stream open and idle, then with all closed and
their live buffers let go, then with ten thousand more, which shows what is used again and what is lost."""

import asyncio
import resource
import tempfile
from pathlib import Path

import psutil

from tests.benchmarks.parley import parley
from tests.benchmarks.report import Row
from tests.benchmarks.talkers import ParleyTalker

CONVERSATIONS = 10_000
AT_ONCE = 50
SETTLE_SECONDS = 10
BUFFER_SECONDS = 20.0  # live buffers are kept so long; five minutes by default


async def rows() -> list[Row]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    web = {"personas": {"default": "free"}, "max_streams": 2 * CONVERSATIONS}
    with tempfile.TemporaryDirectory() as folder:
        bus = {"use": "local", "idle_seconds": BUFFER_SECONDS}
        async with parley(Path(folder), channels={"web": web}, bus=bus) as server:
            assert server.process is not None
            process = psutil.Process(server.process.pid)
            await _visit(server.port, AT_ONCE)
            start = process.memory_info().rss
            talkers = await _visit(server.port, CONVERSATIONS)
            await asyncio.sleep(SETTLE_SECONDS)
            idle = process.memory_info().rss
            closed = await _left(process, talkers)
            again = await _left(process, await _visit(server.port, CONVERSATIONS))
    return [
        Row("memory of a server that has answered", _megabytes(start)),
        Row(f"with {CONVERSATIONS:,} idle conversations, streams open", _grown(idle, start)),
        Row("the same, streams closed and buffers let go", _megabytes(closed)),
        Row(f"and {CONVERSATIONS:,} more conversations, closed again", _megabytes(again)),
    ]


async def _left(process: psutil.Process, talkers: list[ParleyTalker]) -> int:
    """Memory when all have gone and their buffers too."""
    for talker in talkers:
        await talker.leave()
    await asyncio.sleep(2 * BUFFER_SECONDS + SETTLE_SECONDS)
    return int(process.memory_info().rss)


async def _visit(port: int, conversations: int) -> list[ParleyTalker]:
    """Visitors who asked once and now only listen."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def visit() -> ParleyTalker:
        async with gate:
            talker = ParleyTalker()
            await talker.open("127.0.0.1", port)
            await talker.ask("hello there")
            talker.hang_up()
            return talker

    return await asyncio.gather(*(visit() for _ in range(conversations)))


def _megabytes(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"


def _grown(size: int, start: int) -> str:
    return f"{_megabytes(size)}, {(size - start) / CONVERSATIONS / 1024:.1f} KiB each"
