"""Runs case after case, on each database, and keeps the figures."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.crash.brood import Brood, brood
from tests.crash.browsers import ANSWER, browse
from tests.crash.cases import Case, Size, cases
from tests.crash.trial import Ground, on_sqlite, trial
from tests.e2e.server import running
from tests.postgres_server import PostgresServer
from tests.redis_server import RedisServer

Told = Callable[[float], None]
BROWSERS = "10 streams cut, server killed"
CANARIES = "14 cancelled requests"
LLAMA = "llama.cpp behind the remote engine"


class Soak:
    """`rows` are the figures of each trial, `faults` what must not have been."""

    def __init__(
        self, size: Size, *, seed: int, databases: Collection[str], only: Collection[str] | None, console: Console
    ) -> None:
        self._size = size
        self._seed = seed
        self._databases = databases
        self._only = only
        self._console = console
        self._folder = Path(tempfile.mkdtemp(prefix="parley-soak-"))
        self.rows: list[dict[str, Any]] = []
        self.faults: list[str] = []

    async def run(self) -> None:
        self._console.print(f"Logs and databases are in {self._folder}")
        columns = (TextColumn("{task.description:44}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as self._progress:
            for database in self._databases:
                async with brood() as nest, _servers(database, self._folder) as servers:
                    for case in cases(self._size, seed=self._seed):
                        if database in case.databases and self._wanted(case.scenario.name):
                            await self._try(case, database, servers, nest)
            for name, extra in ((BROWSERS, self._browse), (CANARIES, self._cancel), (LLAMA, self._llama)):
                if self._wanted(name):
                    began = time.monotonic()
                    with self._bar(name) as told:
                        row = await extra(told)
                    row["seconds"] = round(time.monotonic() - began, 1)
                    self.rows.append({"case": name, "database": "sqlite", **row})

    def _wanted(self, name: str) -> bool:
        return not self._only or any(name.startswith(f"{prefix} ") for prefix in self._only)

    async def _try(
        self, case: Case, database: str, servers: tuple[PostgresServer, RedisServer] | None, nest: Brood
    ) -> None:
        name = f"{case.scenario.name} ({database})"
        place = self._folder / name.replace(" ", "-")
        place.mkdir()
        with _ground(place, servers) as ground, self._bar(name) as told:
            report = await trial(case.on(database), ground, place, case.faults, nest=nest, told=told)
        self.rows.append(report.row())
        self._blame(name, [f"{fault.kind}: {fault.what}" for fault in case.unforgiven(report)])
        self._blame(name, [f"nobody came by {point}" for point in report.missed])

    async def _browse(self, told: Told) -> dict[str, Any]:
        place = self._folder / "browsers"
        place.mkdir()
        async with running(place, answer=ANSWER, delay=0.01) as server:
            found = await browse(
                server, browsers=8, cuts=self._size.of(200), kills=self._size.of(50), seed=self._seed, told=told
            )
        wrong = {"lost": found.lost, "duplicated": found.doubled, "wrong text": found.wrong}
        self._blame(BROWSERS, [f"{count} × {what}" for what, count in wrong.items() if count])
        return {"turns": found.turns, "kills": found.kills, "cuts": found.cuts, **wrong}

    async def _cancel(self, told: Told) -> dict[str, Any]:
        from bot.engine.client import open_engine
        from bot.engine.settings import EngineSettings
        from tests.crash.canaries import cancel_many, known_answers
        from tests.crash.house import resident
        from tests.engine.models import make_folder

        folder = await asyncio.to_thread(make_folder, self._folder / "tiny")
        settings = EngineSettings(model=str(folder), device="cpu", slots=4, queue=8, threads=1)
        async with open_engine(settings) as engine:
            known = await known_answers(engine)
            pid = engine.worker_pid or 0
            before = resident(pid)
            found = await cancel_many(engine, known, self._size.of(10_000), seed=self._seed, told=told)
            same = await known_answers(engine) == known
            grown = (resident(pid) - before) >> 20
            left = engine.in_flight + engine.unconfirmed
        if found.foreign or left or not same:
            self._blame(CANARIES, [f"{found.foreign} got foreign text, {left} places were not given back"])
        return {"turns": found.cancelled + found.finished, "cancelled": found.cancelled, "foreign": found.foreign,
                "left over": left, "MiB grown": grown}  # fmt: skip

    async def _llama(self, told: Told) -> dict[str, Any]:
        from tests.crash.llama import ask_through_faults, serving
        from tests.engine.models import make_folder
        from tests.llamacpp.environment import environment

        python = await environment()
        folder = await asyncio.to_thread(make_folder, self._folder / "llama")
        async with serving(folder, python) as url:
            found = await ask_through_faults(url, folder, self._size.of(200), told)
        self._blame(LLAMA, [f"{found[what]} {what}" for what in ("lost", "miscounted", "left over") if found[what]])
        return dict(found)

    def _blame(self, name: str, faults: list[str]) -> None:
        self.faults += faults
        for fault in faults[:20]:
            self._console.print(f"[red]{name}: {fault}")

    @contextmanager
    def _bar(self, name: str) -> Iterator[Told]:
        task = self._progress.add_task(name, total=1.0)
        yield lambda share: self._progress.update(task, completed=share)
        self._progress.update(task, completed=1.0)


@asynccontextmanager
async def _servers(database: str, folder: Path) -> AsyncIterator[tuple[PostgresServer, RedisServer] | None]:
    if database == "sqlite":
        yield None
        return
    async with AsyncExitStack() as stack:
        yield stack.enter_context(PostgresServer()), stack.enter_context(RedisServer())


@contextmanager
def _ground(place: Path, servers: tuple[PostgresServer, RedisServer] | None) -> Iterator[Ground]:
    if servers is None:
        yield on_sqlite(place)
        return
    postgres, redis = servers
    redis.flush()
    with postgres.database() as name:
        yield Ground(url=postgres.url(name), postgres=postgres, redis=redis)
