"""Stores to test: on SQLite in a file and in memory, and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage.sql import SqlSettings, SqlStore, open_store
from tests.blank import blank
from tests.postgres_server import PostgresServer

if TYPE_CHECKING:
    from tests.conformance.samples import Clock


@pytest.fixture
def clock() -> "Clock":
    from tests.conformance.samples import Clock

    return Clock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}"


@pytest.fixture
async def file_store(tmp_path: Path, clock: "Clock") -> AsyncIterator[SqlStore]:
    async with open_store(SqlSettings(url=blank(tmp_path / "parley.db")), now=clock) as store:
        yield store


@pytest.fixture
async def memory_store(clock: "Clock") -> AsyncIterator[SqlStore]:
    async with open_store(SqlSettings(url="sqlite+aiosqlite:///:memory:"), now=clock) as store:
        yield store


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> Iterator[str]:
    """The name of a database with all tables, which others are copied from."""

    async def migrate(name: str) -> None:
        async with open_store(SqlSettings(url=postgres.url(name), connections=1)):
            pass

    with postgres.database() as name:
        asyncio.run(migrate(name))
        yield name


@pytest.fixture
def database(postgres: PostgresServer, migrated: str) -> Iterator[str]:
    """The name of a database on the server, with tables and nothing in them."""
    with postgres.database(template=migrated) as name:
        yield name


@pytest.fixture
async def postgres_store(postgres: PostgresServer, database: str, clock: "Clock") -> AsyncIterator[SqlStore]:
    async with open_store(SqlSettings(url=postgres.url(database)), now=clock) as store:
        yield store


@pytest.fixture(params=["file_store", "postgres_store"])
def store(request: pytest.FixtureRequest) -> SqlStore:
    """One after the other: a test that asks for it runs on both databases."""
    found: SqlStore = request.getfixturevalue(request.param)
    return found
