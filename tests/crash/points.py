"""The points between which a process may die, and the store with its commits told of: by epoch, lease and point."""

import os
import signal
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Column, Connection, Double, Integer, MetaData, String, Table, text

from bot.types import Claim
from storage.sql import SqlStore
from storage.sql.database import Database

T = TypeVar("T")

_COMMITS = ("accept", "claim", "begin", "save", "finish", "pending", "sent", "release", "renew")
_SENDS = ("post", "progress", "final", "find")
POINTS = (
    *(f"{name}.{place}-commit" for name in _COMMITS for place in ("before", "after")),
    *(f"{name}.{place}" for name in _SENDS for place in ("before-send", "after-send", "answered")),
    "ack.before-send",
    "ack.after-send",
)

metadata = MetaData()
writes = Table(
    "crash_writes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("what", String, nullable=False),
    Column("process", String, nullable=False),
    Column("conversation", String, nullable=False),
    Column("claimed", BigInteger, nullable=False),
    Column("current", BigInteger, nullable=False),
    Column("until", Double, nullable=False),
    Column("at", Double, nullable=False),
)
_TELL = text(
    "INSERT INTO crash_writes (what, process, conversation, claimed, current, until, at) "
    "SELECT :what, :process, key, :claimed, epoch, lease_until, :at FROM conversations WHERE key = :key"
)


class Trap:
    """Kills the process the `passes`-th time it comes by `point`."""

    def __init__(self, point: str = "", *, passes: int = 1) -> None:
        self._point = point
        self._left = passes

    def passed(self, point: str) -> None:
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class _Call:
    name: str
    claim: Claim | None


_call: ContextVar[_Call] = ContextVar("call")


class ToldDatabase:
    """A database that writes down, in the same transaction, who wrote with which epoch and which epoch held."""

    def __init__(self, database: Database, *, process: str, passed: Callable[[str], None]) -> None:
        self._database = database
        self._process = process
        self._passed = passed

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        call = _call.get(_Call("other", None))

        def told(connection: Connection) -> T:
            result = work(connection)
            claim = result if isinstance(result, Claim) else call.claim
            if claim is not None:
                what = "idle" if call.name == "begin" and result is None else call.name
                values = {"what": what, "process": self._process, "claimed": claim.epoch, "at": time.time()}
                connection.execute(_TELL, values | {"key": claim.conversation.encode()})
            if claim is not None or call.name != "claim":
                self._passed(f"{call.name}.before-commit")
            return result

        result = await self._database.write(told, durable=durable)
        if result is not None or call.name != "claim":
            self._passed(f"{call.name}.after-commit")
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class _Named:
    """A part of the store that says which of its methods is at work."""

    def __init__(self, part: object) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)

        async def call(*args: Any, **options: Any) -> Any:
            claim = next((value for value in args if isinstance(value, Claim)), None)
            before = _call.set(_Call(name, claim))
            try:
                return await method(*args, **options)
            finally:
                _call.reset(before)

        return call


def told(store: SqlStore, *, process: str, passed: Callable[[str], None]) -> SqlStore:
    """The same store over the same database, watched."""
    watched = SqlStore(ToldDatabase(store.database, process=process, passed=passed))
    for name in ("intake", "claims", "turns", "outbox"):
        setattr(watched, name, _Named(getattr(watched, name)))
    return watched
