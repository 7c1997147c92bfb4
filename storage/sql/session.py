"""A connection to PostgreSQL, and one transaction after the other on it.

BEGIN, its settings and the reading of the database's clock travel together, so that each transaction knows the time
without a round trip of its own.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine

from bot.errors import StoreUnavailable

T = TypeVar("T")

_CONNECT = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "target_session_attrs": "read-write",
    "fallback_application_name": "parley",
}
# A replica that was paused in a transaction must not keep the others from its conversation: the server ends its
# session, and those who wait for the row wait longer than that.
_SETTINGS = """
    SET idle_in_transaction_session_timeout TO '8s';
    SET lock_timeout TO '10s';
    SET statement_timeout TO '30s';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
_CLIENT_SECONDS = 45.0
_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"
_BEGIN = {
    True: f"BEGIN ISOLATION LEVEL READ COMMITTED; {_CLOCK}",
    False: f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit TO off; {_CLOCK}",
}
_ALIVE = (TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR)
_NOW = "parley_now"
_IDLED = "25P03"  # the server ended the session before COMMIT came


class CommitUnknown(Exception):
    """The connection broke while the commit was under way; the cause says how."""


class _Patient(psycopg.Connection[Any]):
    """A connection that gives up on a server which holds the line but says nothing."""

    limit: float | None = _CLIENT_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        return super().wait(gen, interval, self.limit if timeout is None else timeout)


def engine(url: URL) -> Engine:
    """Makes connections that leave transactions to their user. Raises StoreUnavailable at an unknown option."""
    place = url.set(drivername="postgresql+psycopg")
    try:
        make_conninfo("", **dict.fromkeys(url.query, ""))
    except psycopg.ProgrammingError as error:
        shown = url.render_as_string(hide_password=True)
        raise StoreUnavailable(f"{shown!r} has an {str(error).strip()}; take it out of DATABASE_URL") from error
    options = create_engine(place).dialect.create_connect_args(place)[1]
    return create_engine(
        place,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,
        hide_parameters=True,
        creator=lambda: _Patient.connect(**{**_CONNECT, **options}),
    )


class Session:
    """`patient` waits for locks and for long statements however long they take: for migrations."""

    def __init__(self, engine: Engine, *, patient: bool = False) -> None:
        self.connection = engine.connect()
        raw = self.connection.connection.driver_connection
        if not isinstance(raw, _Patient):
            raise TypeError(f"{raw!r} was not made by this module")
        self.raw = raw
        try:
            raw.execute(_SETTINGS, prepare=False)
            if patient:
                raw.limit = None
                raw.execute("SET lock_timeout TO 0; SET statement_timeout TO 0", prepare=False)
        except BaseException:
            self.close()
            raise

    @property
    def lost(self) -> bool:
        return self.raw.closed or self.raw.info.transaction_status not in _ALIVE

    def transact(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        """Run `work` in a transaction. Raises CommitUnknown; after any other error nothing was stored."""
        cursor = self.raw.execute(_BEGIN[durable], prepare=False)
        while cursor.nextset():
            pass
        self.connection.info[_NOW] = cursor.fetchall()[0][0]
        try:
            result = work(self.connection)
        except BaseException:
            self.raw.rollback()
            raise
        if self.raw.info.transaction_status == TransactionStatus.INERROR:
            self.raw.rollback()
            raise psycopg.errors.InFailedSqlTransaction("a statement of this work failed and its error was hidden")
        try:
            self.raw.commit()
        except psycopg.Error as error:
            if self.lost and error.sqlstate != _IDLED:
                raise CommitUnknown from error
            raise
        return result

    def close(self) -> None:
        self.raw.close()
        self.connection.invalidate()
        self.connection.close()


def now(connection: Connection) -> float:
    """The database's clock as the connection's transaction began."""
    seconds: float = connection.info[_NOW]
    return seconds
