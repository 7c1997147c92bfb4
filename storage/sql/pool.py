"""Threads that each own a connection to PostgreSQL and take jobs from one queue.

One job is one transaction: conversations that shared one would wait for each other's rows in ever different orders.
The server itself puts commits that come together on disk together.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from bot.errors import StoreUnavailable
from storage.sql.queued import Failed, Job, cause_of, settle
from storage.sql.session import CommitUnknown, Session

T = TypeVar("T")

_ATTEMPTS = 5
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0  # seconds
_TRANSIENT = ("40001", "40P01")
_READ_ONLY = "25006"

log = logging.getLogger(__name__)


class Pool:
    """Enter it to start, with a first connection; leaving it runs what is queued, then closes.

    A thread that lost its connection takes no job before it has another. While none has one, jobs are refused at
    once with what is wrong, and the threads go on trying.
    """

    def __init__(self, connect: Callable[[], Session], *, size: int, explain: Callable[[Exception], Exception]) -> None:
        self._connect = connect
        self._size = size
        self._explain = explain
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._open = False
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._connected = 0
        self._down: str | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed = asyncio.Event()
        self._threads: list[threading.Thread] = []
        self._running = 0
        self._start(1)
        try:
            await self._opened
        except BaseException:
            await self.__aexit__()
            raise
        self._start(self._size - 1)
        self._open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        self._leaving.set()
        self._jobs.put(None)
        try:
            await self._closed.wait()
        finally:
            for thread in self._threads:
                thread.join()

    def _start(self, count: int) -> None:
        self._running += count
        for _ in range(count):
            thread = threading.Thread(target=self._run, name=f"postgresql {len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    async def run(self, work: Callable[[Connection], T], *, durable: bool) -> T:
        """The result of `work`, after its commit."""
        if not self._open:
            raise StoreUnavailable("the database is closed: Parley is shutting down")
        future: asyncio.Future[T] = self._loop.create_future()
        with self._lock:
            if self._down is not None:
                raise StoreUnavailable(self._down)
            self._jobs.put(Job(work, durable, future))
        return await future

    def _run(self) -> None:
        try:
            self._serve()
        finally:
            self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        self._running -= 1
        if not self._running:
            self._refuse(StoreUnavailable("the database is closed: Parley is shutting down"))
            self._closed.set()

    def _serve(self) -> None:
        failures = 0
        while True:
            try:
                session = self._connect()
            except Exception as error:  # noqa: BLE001 - told to the tasks that ask
                self._fell(self._explained(error), again=failures > 0)
                if self._leaving.wait(min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**failures)):
                    return
                failures = min(failures + 1, 10)
                continue
            failures = 0
            self._rose()
            if not self._work_with(session):
                return

    def _work_with(self, session: Session) -> bool:
        """Do jobs until the end (False) or until there is no connection (True)."""
        connected: Session | None = session
        try:
            while connected is not None and (job := self._jobs.get()) is not None:
                if job.future.cancelled():
                    continue
                result, connected = self._do(job, connected)
                self._loop.call_soon_threadsafe(settle, [(job.future, result)])
            if connected is None:
                return True
            self._jobs.put(None)
            return False
        finally:
            with self._lock:
                self._connected -= 1
            if connected is not None:
                connected.close()

    def _do(self, job: Job, session: Session | None) -> tuple[Any, Session | None]:
        """The job's result, and the connection to go on with.

        What broke before its commit was sent is done again on another connection; a broken commit is not, for it
        may have happened.
        """
        error: Exception = StoreUnavailable("the database ends every connection")
        for attempt in range(_ATTEMPTS):
            try:
                session = session or self._connect()
                return session.transact(job.work, durable=job.durable), session
            except Exception as raised:  # noqa: BLE001 - carried over to the task that asked
                error = raised
            if session is None:
                break
            state = getattr(cause_of(error), "sqlstate", None)
            if session.lost or state == _READ_ONLY:
                session.close()
                session = None
                if isinstance(error, CommitUnknown):
                    break
            elif state in _TRANSIENT:
                time.sleep(0.005 * 2**attempt)
            else:
                break
        return Failed(self._explained(error)), session

    def _rose(self) -> None:
        with self._lock:
            self._connected += 1
            was, self._down = self._down, None
        if was is not None:
            log.info("the database answers again")
        self._loop.call_soon_threadsafe(self._is_open, None)

    def _fell(self, error: Exception, *, again: bool) -> None:
        """A connection was refused; where there is none at all, so is every job."""
        with self._lock:
            alone = not self._connected
            if alone:
                again, self._down = self._down is not None, str(error)
        self._loop.call_soon_threadsafe(self._is_open, Failed(error))
        if not again:
            log.warning("%s", error)
        if alone:
            self._refuse(error)

    def _is_open(self, result: Any) -> None:
        if not self._opened.done():
            settle([(self._opened, result)])

    def _refuse(self, error: Exception) -> None:
        ending = False
        with suppress(queue.Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is None:
                    ending = True
                else:
                    self._loop.call_soon_threadsafe(settle, [(job.future, Failed(error))])
        if ending:
            self._jobs.put(None)

    def _explained(self, error: Exception) -> Exception:
        explained = self._explain(error)
        if explained is not error:
            explained.__cause__ = error
        return explained
