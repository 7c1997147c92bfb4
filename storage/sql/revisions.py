"""The revisions of the tables, changed by hand."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, make_url

from storage.sql.migrations import current, downgrade, undone, upgrade
from storage.sql.postgres import migrated
from storage.sql.settings import SqlSettings
from storage.sql.sqlite import migrated_file

T = TypeVar("T")


class SqlMigrations:
    """Each method opens the database for itself: SQLite while no Parley has it open, PostgreSQL at any time."""

    def __init__(self, settings: SqlSettings) -> None:
        self._settings = settings

    async def current(self) -> str | None:
        return await self._run(current)

    async def upgrade(self, revision: str) -> None:
        await self._run(partial(upgrade, revision=revision))

    async def lost(self, revision: str) -> tuple[str, ...]:
        return await self._run(partial(undone, revision=revision))

    async def downgrade(self, revision: str) -> None:
        await self._run(partial(downgrade, revision=revision))

    async def _run(self, change: Callable[[Connection], T]) -> T:
        url = make_url(self._settings.url)
        if self._settings.is_sqlite:
            return await asyncio.to_thread(migrated_file, url, change)
        return await migrated(url, change)
