"""The harness's end of a nest: hatch replicas, hear of their deaths."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from tests.crash.replica import Orders

ROOT = Path(__file__).parents[2]


class Brood:
    def __init__(self, nest: asyncio.subprocess.Process) -> None:
        assert nest.stdin is not None
        assert nest.stdout is not None
        self._orders, self._news = nest.stdin, nest.stdout
        self._hatching = asyncio.Lock()
        self._hatched: asyncio.Queue[int] = asyncio.Queue()
        self._mourners: dict[int, Callable[[int], None]] = {}

    async def hatch(self, orders: Orders, *, died: Callable[[int], None]) -> int:
        """The id of a new process; `died` hears its exit status, a signal's number negative."""
        async with self._hatching:
            self._orders.write(json.dumps(asdict(orders)).encode() + b"\n")
            pid = await self._hatched.get()
            self._mourners[pid] = died
            return pid

    async def listen(self) -> None:
        while line := (await self._news.readline()).decode().split():
            if len(line) == 1:
                self._hatched.put_nowait(int(line[0]))
            else:
                pid, status = map(int, line)
                while pid not in self._mourners:
                    await asyncio.sleep(0)
                self._mourners.pop(pid)(status)


@asynccontextmanager
async def brood() -> AsyncIterator[Brood]:
    """At the end all that was hatched is dead."""
    nest = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.nest", cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        opened = Brood(nest)
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(opened.listen())
            yield opened
            listening.cancel()
    finally:
        assert nest.stdin is not None
        nest.stdin.close()
        await nest.wait()
