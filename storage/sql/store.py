"""The store on SQL, opened."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import make_url

from storage.sql.choices import SqlModels
from storage.sql.claims import SqlClaims
from storage.sql.conversations import SqlConversations
from storage.sql.database import Database
from storage.sql.failures import SqlFailures
from storage.sql.intake import SqlIntake
from storage.sql.jobs import SqlJobs
from storage.sql.letters import Letters
from storage.sql.memories import SqlMemories
from storage.sql.offices import SqlOffices
from storage.sql.outbox import SqlOutbox
from storage.sql.postgres import open_postgres
from storage.sql.records import SqlRecords
from storage.sql.rooms import SqlRooms
from storage.sql.settings import SqlSettings
from storage.sql.sqlite import open_sqlite
from storage.sql.statistics import SqlStatistics
from storage.sql.turns import SqlTurns
from storage.sql.vault import SqlVault


class SqlStore:
    def __init__(self, database: Database, *, letters: Letters | None = None) -> None:
        self.database = database
        self.conversations = SqlConversations(database)
        self.intake = SqlIntake(database)
        self.claims = SqlClaims(database)
        self.turns = SqlTurns(database)
        self.outbox = SqlOutbox(database)
        self.failures = SqlFailures(database)
        self.rooms = SqlRooms(database)
        self.vault = SqlVault(database)
        self.models = SqlModels(database, letters=letters)
        self.offices = SqlOffices(database)
        self.jobs = SqlJobs(database)
        self.statistics = SqlStatistics(database)
        self.memories = SqlMemories(database)
        self.records = SqlRecords(database)

    async def check(self) -> None:
        await self.database.check()


@asynccontextmanager
async def open_store(settings: SqlSettings, *, now: Callable[[], float] | None = None) -> AsyncIterator[SqlStore]:
    """Migrate and open the database, SQLite under a lock. `now` is the clock of leases and times, in seconds since
    1970: by default the database's own, which for SQLite is this machine's.

    Raises StoreUnavailable with one line that says what to do.
    """
    sqlite, file = settings.is_sqlite, make_url(settings.url).database
    letters = Letters(Path(file)) if sqlite and file not in (None, "", ":memory:") else None
    opened = open_sqlite(settings, now=now or time.time) if sqlite else open_postgres(settings, clock=now)
    async with opened as database:
        yield SqlStore(database, letters=letters)
