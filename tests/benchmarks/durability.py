"""What it costs that a turn survives a power cut: the same turns with and without waiting for the disk."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from tests.benchmarks.report import Row, shown
from tests.benchmarks.turns import measure, sqlite
from tests.postgres_server import PostgresServer


@contextmanager
def memory() -> Iterator[str]:
    yield "sqlite+aiosqlite:///:memory:"


@contextmanager
def postgres(fsync: str) -> Iterator[str]:
    with PostgresServer(fsync=fsync) as server, server.database() as name:
        yield server.url(name)


DATABASES: Mapping[str, Callable[[], AbstractContextManager[str]]] = {
    "SQLite, on disk": sqlite,
    "SQLite, in memory": memory,
    "PostgreSQL": partial(postgres, "on"),
    "PostgreSQL, fsync off": partial(postgres, "off"),
}


async def rows() -> list[Row]:
    found: list[Row] = []
    for name, database in DATABASES.items():
        for conversations, turns in ((1, 300), (50, 1500)):
            with database() as url:
                times, rate = await measure(url, conversations=conversations, turns=turns)
            found.append(Row(f"turn, {name}, {conversations} at once", f"{shown(times)}, {rate:.0f} turns/s"))
    return found
