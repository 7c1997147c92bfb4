"""PostgreSQL behind the Database protocol: several replicas, each with a few connections."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, make_url, text
from sqlalchemy.dialects.postgresql import insert

from bot.errors import StoreUnavailable
from storage.sql import session
from storage.sql.migrations import require, upgrade
from storage.sql.pool import Pool
from storage.sql.queued import cause_of
from storage.sql.session import CommitUnknown, Session
from storage.sql.settings import SqlSettings

T = TypeVar("T")

_MIGRATING = 0x7061726C6579  # the key of the advisory lock: "parley"
_LOCK = text(f"SELECT pg_try_advisory_xact_lock({_MIGRATING})")
_READ_ONLY = text("SELECT current_setting('transaction_read_only') = 'on', pg_current_xact_id()")

log = logging.getLogger(__name__)


class PostgresDatabase:
    """The Database protocol on PostgreSQL. `clock` replaces the database's own."""

    is_server = True

    def __init__(self, pool: Pool, *, clock: Callable[[], float] | None = None) -> None:
        self._pool = pool
        self._clock = clock

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        return await self._pool.run(work, durable=durable)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._pool.run(work, durable=False)

    async def check(self) -> None:
        await self._pool.run(_is_writable, durable=False)

    async def scrub(self) -> None:
        """Left to autovacuum: what was deleted stays in the server's files and log until its space is used again."""

    def files(self) -> tuple[Path, ...]:
        return ()

    def insert(self, table: Any) -> Any:
        return insert(table)

    def now(self, connection: Connection) -> float:
        return session.now(connection) if self._clock is None else self._clock()


@asynccontextmanager
async def open_postgres(
    settings: SqlSettings, *, clock: Callable[[], float] | None = None
) -> AsyncIterator[PostgresDatabase]:
    """Migrate and open the database. Raises StoreUnavailable with one line that says what to do."""
    url = make_url(settings.url)
    engine = session.engine(url)
    explain = partial(_explained, url=url)
    await migrated(url, upgrade if settings.migrate == "auto" else require)
    pool = Pool(lambda: Session(engine), size=settings.connections, explain=explain)
    async with pool:
        log.info("%s, %s connections", await pool.run(_described, durable=False), settings.connections)
        yield PostgresDatabase(pool, clock=clock)


async def migrated(url: URL, change: Callable[[Connection], T]) -> T:
    """What `change` returns, run in one transaction while no other replica changes the tables."""
    engine = session.engine(url)
    told = False
    while True:
        done = await asyncio.to_thread(_alone, engine, url, change)
        if done:
            return done[0]
        if not told:
            log.info("another Parley is changing the tables; waiting for it")
            told = True
        await asyncio.sleep(0.1)


def _alone(engine: Engine, url: URL, change: Callable[[Connection], T]) -> tuple[T] | None:
    """None where another holds the lock."""

    def work(connection: Connection) -> tuple[T] | None:
        if not connection.execute(_LOCK).scalar_one():
            return None
        return (change(connection),)

    try:
        opened = Session(engine, patient=True)
        try:
            return opened.transact(work)
        finally:
            opened.close()
    except Exception as error:
        explained = _explained(error, url=url)
        if explained is error:
            raise
        raise explained from error


def _is_writable(connection: Connection) -> None:
    if connection.execute(_READ_ONLY).one()[0]:
        raise psycopg.errors.ReadOnlySqlTransaction("it takes no writes")


def _described(connection: Connection) -> str:
    row = connection.execute(text("SELECT current_setting('server_version'), current_setting('fsync')")).one()
    url = connection.engine.url
    if row[1] == "off":
        log.warning("fsync is off in PostgreSQL: a crash of its machine loses what was confirmed")
    return f"PostgreSQL {row[0]} at {url.render_as_string(hide_password=True)}"


def _explained(error: Exception, *, url: URL) -> Exception:
    """What went wrong with the database, and what to do about it, in one line; other errors as they are."""
    cause = error.__cause__ if isinstance(error, CommitUnknown) else cause_of(error)
    if not isinstance(cause, psycopg.OperationalError | psycopg.InternalError | psycopg.errors.InsufficientPrivilege):
        return error
    state = cause.sqlstate or ""
    if isinstance(error, CommitUnknown):
        advice = "it broke off during a commit, which may have happened or not"
    elif not state:
        advice = "is it running, and is DATABASE_URL right?"
    else:
        advice = next((text for prefix, text in _ADVICE.items() if state.startswith(prefix)), "see PostgreSQL's log")
    said = " ".join(str(cause).partition("\n\t")[0].split()) or type(cause).__name__
    shown = url.render_as_string(hide_password=True)
    return StoreUnavailable(f"the database {shown!r} cannot be used: {said}; {advice}")


_ADVICE = {
    "53100": "free some space on its disk; nothing was stored",
    "53300": "let PostgreSQL take more connections, or lower store.connections",
    "53": "give it more of what it lacks",
    "25006": "connect to a server that can be written",
    "28": "check user and password in DATABASE_URL",
    "3D": "create the database, or name another in DATABASE_URL",
    "42501": "let its user create and write tables in the schema `public`",
    "55P03": "another transaction holds what this one needs; try again in a moment",
    "57014": "it took too long; try again in a moment",
    "57P": "try again in a moment",
    "40": "try again in a moment",
    "08": "try again in a moment",
}
