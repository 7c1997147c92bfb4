"""The store on SQL, opened."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from storage.sql.claims import SqlClaims
from storage.sql.conversations import SqlConversations
from storage.sql.database import Database
from storage.sql.engine import open_sqlite
from storage.sql.intake import SqlIntake
from storage.sql.outbox import SqlOutbox
from storage.sql.settings import SqlSettings
from storage.sql.turns import SqlTurns


class SqlStore:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.conversations = SqlConversations(database)
        self.intake = SqlIntake(database)
        self.claims = SqlClaims(database)
        self.turns = SqlTurns(database)
        self.outbox = SqlOutbox(database)

    async def check(self) -> None:
        await self.database.check()


@asynccontextmanager
async def open_store(settings: SqlSettings, *, now: Callable[[], float] = time.time) -> AsyncIterator[SqlStore]:
    """Lock, migrate and open the database. `now` is the clock of leases and times, in seconds since 1970.

    Raises StoreUnavailable with one line that says what to do.
    """
    async with open_sqlite(settings.url, now=now) as database:
        yield SqlStore(database)
