"""Replicas around one database: started, killed, paused, and started again whenever one is gone."""

import asyncio
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.crash.brood import Brood
from tests.crash.replica import Orders


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class _Life:
    pid: int
    slot: int
    over: asyncio.Event = field(default_factory=asyncio.Event)


class House:
    """`killed` tells when each process that was killed died, by the wall clock; `failed` are deaths of their own."""

    def __init__(self, brood: Brood, orders: Orders, *, replicas: int) -> None:
        self._brood = brood
        self._orders = orders
        self._slots = replicas
        self._lives: dict[str, _Life] = {}
        self._paused: set[str] = set()
        self._began = 0
        self._leaving = False
        self._traps: deque[tuple[str, int]] = deque()
        self.laid: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.killed: dict[str, float] = {}
        self.failed: list[str] = []
        self.pauses = 0
        self.resident = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """At the end every replica was asked to go, and went."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            weighing = group.create_task(self._weigh())
            for slot in range(self._slots):
                await self._start(slot)
            yield
            await self._leave()
            weighing.cancel()

    def alive(self) -> list[str]:
        return [name for name in self._lives if name not in self._paused]

    def lay(self, point: str, *, passes: int) -> None:
        """A replica that starts from now on dies when it comes by `point` for the `passes`-th time; one for each
        trap, in order. `laid` tells their names."""
        self._traps.append((point, passes))

    async def kill(self, name: str) -> None:
        life = self._lives[name]
        self.killed[name] = time.time()
        with suppress(ProcessLookupError):  # it came by its point just now, and word of that is on the way
            os.kill(life.pid, signal.SIGKILL)
        await life.over.wait()

    async def pause(self, name: str, seconds: float) -> None:
        pid = self._lives[name].pid
        self._paused.add(name)
        self.pauses += 1
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self._paused.discard(name)

    async def dies(self, name: str, *, within: float) -> bool:
        """Whether the replica is dead within so many seconds."""
        life = self._lives.get(name)
        if life is None:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await life.over.wait()
        return life.over.is_set()

    async def _leave(self) -> None:
        self._leaving = True
        lives = list(self._lives.values())
        for life in lives:
            with suppress(ProcessLookupError):
                os.kill(life.pid, signal.SIGTERM)
        async with asyncio.timeout(20):
            for life in lives:
                await life.over.wait()

    async def _start(self, slot: int) -> None:
        self._began += 1
        name = f"replica{slot}-{self._began}"
        point, passes = self._traps.popleft() if self._traps else ("", 0)
        orders = replace(self._orders, process=name, point=point, passes=passes)

        def died(status: int) -> None:
            self._group.create_task(self._bury(name, status))

        pid = await self._brood.hatch(orders, died=died)
        self._lives[name] = _Life(pid, slot)
        if point:
            self.laid.put_nowait((name, point))

    async def _bury(self, name: str, status: int) -> None:
        life = self._lives.pop(name)
        life.over.set()
        if status == -signal.SIGKILL:
            self.killed.setdefault(name, time.time())
        elif not (self._leaving and status == 0):
            self.failed.append(f"{name} ended with {status}")
            await asyncio.sleep(0.2)
        if not self._leaving:
            await self._start(life.slot)

    async def _weigh(self) -> None:
        """Keep in mind the most memory that a replica ever held."""
        while True:
            for life in list(self._lives.values()):
                with suppress(OSError):
                    self.resident = max(self.resident, resident(life.pid))
            await asyncio.sleep(0.5)

    @property
    def figures(self) -> Mapping[str, int]:
        return {
            "kills": len(self.killed),
            "pauses": self.pauses,
            "ended by themselves": len(self.failed),
            "MiB": self.resident >> 20,
        }
