"""Stores to test: in a file and in memory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from storage.sql import SqlSettings, SqlStore, open_store

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
async def file_store(url: str, clock: "Clock") -> AsyncIterator[SqlStore]:
    async with open_store(SqlSettings(url=url), now=clock) as store:
        yield store


@pytest.fixture
async def memory_store(clock: "Clock") -> AsyncIterator[SqlStore]:
    async with open_store(SqlSettings(url="sqlite+aiosqlite:///:memory:"), now=clock) as store:
        yield store
