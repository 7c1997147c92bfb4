"""Group commit: one thread owns one connection and puts what many conversations ask for into one transaction.

The wait for the disk is shared: whatever is asked for during a commit goes into the next one. SQLite's driver
blocks, so the thread also keeps the event loop free, with one hop for a whole transaction.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.errors import StoreUnavailable

T = TypeVar("T")

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]
    durable: bool
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class Worker:
    """A thread with a connection. Enter it to start; leaving it runs what is queued, then closes.

    `connect` opens the connection in the thread; `begin` is the statement that begins a transaction; `explain`
    turns the driver's errors into StoreUnavailable.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        begin: str,
        explain: Callable[[sqlite3.Error], StoreUnavailable],
    ) -> None:
        self._connect = connect
        self._begin = begin
        self._explain = explain
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._synchronous = ""
        self._open = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"sqlite {self._begin.lower()}", daemon=True)
        self._thread.start()
        try:
            await self._opened
        except BaseException:
            self._jobs.put(None)
            raise
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        self._jobs.put(None)
        try:
            await self._closed.wait()
        finally:
            self._thread.join()

    async def run(self, work: Callable[[Connection], T], *, durable: bool) -> T:
        """The result of `work`, after its commit."""
        if not self._open:
            raise StoreUnavailable("the database is closed: Parley is shutting down")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, durable, future))
        return await future

    def _run(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - carried over to the task that opens
            self._loop.call_soon_threadsafe(_settle, [(self._opened, _Failed(self._explained(error)))])
            return
        self._loop.call_soon_threadsafe(_settle, [(self._opened, None)])
        try:
            while batch := self._next():
                self._loop.call_soon_threadsafe(_settle, self._commit(connection, batch))
        finally:
            connection.close()
            self._loop.call_soon_threadsafe(self._closed.set)

    def _next(self) -> list[_Job]:
        """Wait for work and take all there is, up to a bound; empty at the end."""
        batch: list[_Job] = []
        while (job := self._jobs.get()) is not None:
            batch.append(job)
            if len(batch) == _AT_ONCE or self._jobs.empty():
                return batch
        if batch:
            self._jobs.put(None)
        return batch

    def _commit(self, connection: Connection, jobs: Sequence[_Job]) -> list[tuple[asyncio.Future[Any], Any]]:
        """Run the jobs in one transaction, each in a savepoint; what befalls the database befalls all of them."""
        raw: Any = connection.connection.driver_connection
        batch = [job for job in jobs if not job.future.cancelled()]
        try:
            self._sync(raw, durable=any(job.durable for job in batch))
            raw.execute(self._begin)
            results = [self._try(connection, raw, job) for job in batch]
            raw.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - carried over to the tasks that asked
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            failed = _Failed(self._explained(error))
            return [(job.future, failed) for job in batch]
        return [(job.future, result) for job, result in zip(batch, results, strict=True)]

    def _try(self, connection: Connection, raw: Any, job: _Job) -> Any:
        raw.execute("SAVEPOINT job")
        try:
            result = job.work(connection)
        except Exception as error:
            if _befalls_all(error):
                raise
            result = _Failed(error)
            raw.execute("ROLLBACK TO job")
        raw.execute("RELEASE job")
        return result

    def _sync(self, raw: Any, *, durable: bool) -> None:
        wanted = "FULL" if durable else "NORMAL"
        if wanted != self._synchronous:
            raw.execute(f"PRAGMA synchronous={wanted}")
            self._synchronous = wanted

    def _explained(self, error: Exception) -> Exception:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, sqlite3.Error):
            return error
        explained = self._explain(cause)
        explained.__cause__ = error
        return explained


def _befalls_all(error: Exception) -> bool:
    """Whether the database itself is in trouble (full, damaged, gone) rather than this one job's statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, sqlite3.OperationalError) or type(cause) is sqlite3.DatabaseError


def _settle(results: Sequence[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, result in results:
        if future.cancelled():
            continue
        if isinstance(result, _Failed):
            future.set_exception(result.error)
        else:
            future.set_result(result)
