"""Group commit: one thread owns one connection and puts what many conversations ask for into one transaction.

The wait for the disk is shared: whatever is asked for during a commit goes into the next one. SQLite's driver
blocks, so the thread also keeps the event loop free, with one hop for a whole transaction.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from bot.errors import StoreUnavailable
from storage.sql.queued import Failed, Job, cause_of, settle

T = TypeVar("T")

_AT_ONCE = 256


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
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
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
        result: T = await self._put(work, durable=durable, between=False)
        return result

    async def between(self, work: Callable[[Any], object]) -> None:
        """Run `work` with the driver's connection, after a commit and before the next transaction begins."""
        await self._put(work, durable=False, between=True)

    async def _put(self, work: Callable[[Any], Any], *, durable: bool, between: bool) -> Any:
        if not self._open:
            raise StoreUnavailable("the database is closed: Parley is shutting down")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put(Job(work, durable, future, between))
        return await future

    def _run(self) -> None:
        try:
            connection = self._connect()
        except Exception as error:  # noqa: BLE001 - carried over to the task that opens
            self._loop.call_soon_threadsafe(settle, [(self._opened, Failed(self._explained(error)))])
            return
        self._loop.call_soon_threadsafe(settle, [(self._opened, None)])
        try:
            while batch := self._next():
                self._loop.call_soon_threadsafe(settle, self._commit(connection, batch))
                for job in batch:
                    if job.between:
                        self._loop.call_soon_threadsafe(settle, [(job.future, self._between(connection, job))])
        finally:
            connection.close()
            self._loop.call_soon_threadsafe(self._closed.set)

    def _next(self) -> list[Job]:
        """Wait for work and take all there is, up to a bound; empty at the end."""
        batch: list[Job] = []
        while (job := self._jobs.get()) is not None:
            batch.append(job)
            if len(batch) == _AT_ONCE or self._jobs.empty():
                return batch
        if batch:
            self._jobs.put(None)
        return batch

    def _commit(self, connection: Connection, jobs: Sequence[Job]) -> list[tuple[asyncio.Future[Any], Any]]:
        """Run the jobs in one transaction, each in a savepoint; what befalls the database befalls all of them."""
        raw: Any = connection.connection.driver_connection
        batch = [job for job in jobs if not job.future.cancelled() and not job.between]
        try:
            self._sync(raw, durable=any(job.durable for job in batch))
            raw.execute(self._begin)
            results = [self._try(connection, raw, job) for job in batch]
            raw.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - carried over to the tasks that asked
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            failed = Failed(self._explained(error))
            return [(job.future, failed) for job in batch]
        return [(job.future, result) for job, result in zip(batch, results, strict=True)]

    def _between(self, connection: Connection, job: Job) -> Any:
        try:
            return job.work(connection.connection.driver_connection)
        except Exception as error:  # noqa: BLE001 - carried over to the task that asked
            return Failed(self._explained(error))

    def _try(self, connection: Connection, raw: Any, job: Job) -> Any:
        raw.execute("SAVEPOINT job")
        try:
            result = job.work(connection)
        except Exception as error:
            if _befalls_all(error):
                raise
            result = Failed(error)
            raw.execute("ROLLBACK TO job")
        raw.execute("RELEASE job")
        return result

    def _sync(self, raw: Any, *, durable: bool) -> None:
        wanted = "FULL" if durable else "NORMAL"
        if wanted != self._synchronous:
            raw.execute(f"PRAGMA synchronous={wanted}")
            self._synchronous = wanted

    def _explained(self, error: Exception) -> Exception:
        cause = cause_of(error)
        if not isinstance(cause, sqlite3.Error):
            return error
        explained = self._explain(cause)
        explained.__cause__ = error
        return explained


def _befalls_all(error: Exception) -> bool:
    """Whether the database itself is in trouble (full, damaged, gone) rather than this one job's statement."""
    cause = cause_of(error)
    return isinstance(cause, sqlite3.OperationalError) or type(cause) is sqlite3.DatabaseError
