"""SQLite behind the Database protocol: one writing connection, one reading, and a lock beside the file."""

import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError

from bot.errors import StoreUnavailable
from storage.sql.lock import locked
from storage.sql.migrations import require, upgrade
from storage.sql.models import conversations
from storage.sql.queued import cause_of
from storage.sql.settings import SqlSettings
from storage.sql.writer import Worker

T = TypeVar("T")

_BUSY_SECONDS = 10
_WAL_PAGES = 8000  # 32 MB: the pages that every turn writes are copied into the file eight times less often
_TOUCH = text("UPDATE alembic_version SET version_num = version_num")

log = logging.getLogger(__name__)


class SqliteDatabase:
    """The Database protocol on SQLite. One process, one writer: before 3.51.3 two could damage the file's log."""

    is_server = False

    def __init__(self, *, file: Path | None, writer: Worker, reader: Worker, now: Callable[[], float]) -> None:
        self._file = file
        self._inode = _inode(file)
        self._writer = writer
        self._reader = reader
        self._now = now

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        return await self._writer.run(work, durable=durable)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._reader.run(work, durable=False)

    async def check(self) -> None:
        if _inode(self._file) != self._inode:
            raise StoreUnavailable(
                f"the database file {str(self._file)!r} was moved or deleted while Parley had it open; "
                "put it back, then restart Parley"
            )
        await self.write(lambda connection: connection.execute(_TOUCH), durable=False)

    async def scrub(self) -> None:
        """Deleted rows are zeros in their pages already; this moves the pages from the log into the file."""
        if self._file:
            await self._writer.between(lambda raw: raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())

    def files(self) -> tuple[Path, ...]:
        return (self._file, self._file.with_name(self._file.name + "-wal")) if self._file else ()

    def insert(self, table: Any) -> Any:
        return insert(table)

    def now(self, connection: Connection) -> float:
        return self._now()


@asynccontextmanager
async def open_sqlite(settings: SqlSettings, *, now: Callable[[], float] = time.time) -> AsyncIterator[SqliteDatabase]:
    """Lock, migrate and open the database. Raises StoreUnavailable with one line that says what to do."""
    place = make_url(settings.url)
    prepare = upgrade if settings.migrate == "auto" else require
    log.info("SQLite %s at %s, one writer", sqlite3.sqlite_version, place.database)
    file = _file(place)

    def explain(error: sqlite3.Error) -> StoreUnavailable:
        return _explained(error, place)

    async with AsyncExitStack() as stack:
        if file:
            stack.enter_context(locked(file))
        writer = Worker(lambda: _connect_writer(place, prepare), begin="BEGIN IMMEDIATE", explain=explain)
        await stack.enter_async_context(writer)
        reader = writer
        if file:
            reader = Worker(lambda: _connect(place), begin="BEGIN", explain=explain)
            await stack.enter_async_context(reader)
        yield SqliteDatabase(file=file, writer=writer, reader=reader, now=now)


def migrated_file(url: URL, change: Callable[[Connection], T]) -> T:
    """What `change` returns, run in one transaction while no Parley has the database open."""
    with ExitStack() as stack:
        if file := _file(url):
            stack.enter_context(locked(file))
        try:
            connection = stack.enter_context(_connect(url))
            raw: Any = connection.connection.driver_connection
            raw.execute("BEGIN IMMEDIATE")
            result = change(connection)
            raw.execute("COMMIT")
        except (sqlite3.Error, DBAPIError) as error:
            cause = cause_of(error)
            raise _explained(cause, url) if isinstance(cause, sqlite3.Error) else error from error
    return result


def _file(url: URL) -> Path | None:
    return None if url.database in (None, "", ":memory:") else Path(url.database)


def _inode(file: Path | None) -> int | None:
    try:
        return file.stat().st_ino if file else None
    except FileNotFoundError:
        return None


def _connect(url: URL) -> Connection:
    """A connection that leaves transactions to its user. Foreign keys are not enforced yet: migrations come first."""
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": _BUSY_SECONDS, "check_same_thread": False},
    )
    return engine.connect()


def _connect_writer(url: URL, prepare: Callable[[Connection], None]) -> Connection:
    connection = _connect(url)
    raw: Any = connection.connection.driver_connection
    try:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
        raw.execute("BEGIN IMMEDIATE")
        prepare(connection)
        # Holding the lock means that every holder of a lease is dead: what they left is free at once.
        connection.execute(conversations.update().values(lease_until=0, holder=None))
        raw.execute("COMMIT")
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA secure_delete=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _explained(error: sqlite3.Error, url: URL) -> StoreUnavailable:
    """What went wrong with the database, and what to do about it, in one line."""
    name = getattr(error, "sqlite_errorname", "") or ""
    advice = next((text for prefix, text in _ADVICE.items() if name.startswith(prefix)), "see the log")
    return StoreUnavailable(f"the database {url.database!r} cannot be used: {error}; {advice}")


_ADVICE = {
    "SQLITE_FULL": "free some space on its disk; nothing was stored",
    "SQLITE_READONLY": "let Parley write to the file and its folder, or choose another in store.url",
    "SQLITE_CANTOPEN": "choose a file in a folder that exists and that Parley may write to",
    "SQLITE_NOTADB": "it is no SQLite database: choose another file in store.url, or move this one away",
    "SQLITE_CORRUPT": "it is damaged: restore a copy, or move it away to start with an empty one",
    "SQLITE_IOERR": "check its disk",
    "SQLITE_BUSY": "another program holds it: close that program",
}
