"""PostgreSQL alone: several replicas, connections that break, a server that dies, and whose clock counts."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import Any, TypeVar

import psycopg
import pytest
from sqlalchemy import Connection, text

from bot.errors import LeaseLost, StoreUnavailable
from bot.ports import Store
from bot.types import Bounds
from storage.sql import SqlSettings, SqlStore, open_store, session
from storage.sql.postgres import PostgresDatabase
from storage.sql.session import Session
from tests.conformance import checks
from tests.conformance.samples import CHANNELS, LEASE, accept, begun, claimed, inbound, key, outcome, texts
from tests.postgres_server import PostgresServer

T = TypeVar("T")

MANY = Bounds(waiting=10**6, joined=10**6, backlog=10**6)
_KILL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}'"


@pytest.fixture
def url(postgres: PostgresServer, database: str) -> str:
    return postgres.url(database)


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[SqlStore]:
    async with open_store(SqlSettings(url=url, **options)) as store:
        yield store


class Replicas:
    """A Store that sends every call to the next of several."""

    def __init__(self, *stores: SqlStore) -> None:
        self._next = cycle(stores)

    def __getattr__(self, part: str) -> Any:
        return getattr(next(self._next), part)


async def test_two_replicas_on_one_database_lose_repeat_and_reorder_nothing(url: str) -> None:
    async with opened(url) as one, opened(url, connections=2) as two:
        replicas: Store = Replicas(one, two)
        await checks.many_at_once_keep_order(replicas)


async def test_opening_leaves_the_leases_of_other_replicas_alone(url: str) -> None:
    async with opened(url) as one:
        await accept(one, "e1")
        claim = await claimed(one)
        async with opened(url) as two:
            assert await two.claims.claim("b", channels=CHANNELS, lease=LEASE) is None
        await begun(one, claim)


async def test_a_connection_that_was_ended_while_idle_is_replaced_unnoticed(
    postgres: PostgresServer, database: str, url: str
) -> None:
    async with opened(url, connections=2) as store:
        for n in range(5):
            await accept(store, f"e{n}")
            assert postgres.execute(_KILL.format(database))[0][0] > 0
        await store.check()
        assert len(await texts(store)) == 5


async def test_connections_that_end_at_any_moment_lose_and_repeat_nothing(
    postgres: PostgresServer, database: str, url: str
) -> None:
    async with opened(url) as store:
        ended = 0
        writing = asyncio.gather(*(_write(store, f"r{n}", 30) for n in range(8)))
        while not writing.done():
            (killed,) = (await asyncio.to_thread(postgres.execute, _KILL.format(database)))[0]
            ended += killed
            await asyncio.sleep(0.02)
        await writing
        assert ended > 8
        for n in range(8):
            assert await texts(store, f"r{n}") == [str(m) for m in range(30)]


async def test_a_server_that_dies_loses_nothing_that_was_confirmed(tmp_path_factory: pytest.TempPathFactory) -> None:
    with PostgresServer() as server, server.database() as name:
        async with opened(server.url(name)) as store:
            writing = asyncio.gather(*(_write(store, f"r{n}", 40) for n in range(4)))
            for _ in range(3):
                await asyncio.sleep(0.2)
                await asyncio.to_thread(server.stop, "immediate")
                said = await _complaint(store.check)
                assert "\n" not in said
                await asyncio.to_thread(server.start)
            await writing
            await _until(store.check)
            for n in range(4):
                assert await texts(store, f"r{n}") == [str(m) for m in range(40)]


async def _write(store: SqlStore, room: str, count: int) -> None:
    """As a platform does: what was not confirmed is sent again."""
    for n in range(count):
        message = inbound(f"{room}-{n}", room=room, text=str(n))
        await _until(partial(store.intake.accept, message, persona="tutor", bounds=MANY))


async def _until(call: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(60):
        while True:
            try:
                return await call()
            except StoreUnavailable:
                await asyncio.sleep(0.01)


async def _complaint(call: Callable[[], Awaitable[object]]) -> str:
    async with asyncio.timeout(30):
        while True:
            try:
                await call()
            except StoreUnavailable as error:
                return str(error)


async def test_a_commit_whose_end_is_unknown_is_not_tried_again(
    postgres: PostgresServer, database: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = 0
    commit = session._Patient.commit

    def cut(self: Any) -> None:
        commit(self)
        self.pgconn.finish()
        raise psycopg.OperationalError("the line went dead")

    def work(connection: Connection) -> None:
        nonlocal runs
        runs += 1

    async with opened(url, connections=1) as store:
        with monkeypatch.context() as patch:
            patch.setattr(session._Patient, "commit", cut)
            with pytest.raises(StoreUnavailable, match="may have happened or not"):
                await store.database.write(work)
        assert runs == 1
        await store.check()


async def test_a_server_that_holds_the_line_but_says_nothing_does_not_hold_up_work(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(url, connections=1) as store:
        (silent,) = await store.database.read(lambda connection: connection.execute(_PROCESS).one())
        monkeypatch.setattr(session._Patient, "limit", 0.5)
        os.kill(silent, signal.SIGSTOP)
        try:
            async with asyncio.timeout(30):
                await accept(store, "e1")
        finally:
            os.kill(silent, signal.SIGCONT)
        assert await texts(store) == ["question e1"]


_PROCESS = text("SELECT pg_backend_pid()")


async def test_a_replica_paused_in_a_transaction_does_not_keep_others_from_its_conversation(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(url):  # the tables are made without haste
        pass
    brief = session._SETTINGS.replace("session_timeout TO '8s'", "session_timeout TO '1500ms'")
    monkeypatch.setattr(session, "_SETTINGS", brief)
    async with opened(url) as paused, opened(url) as other:
        await accept(paused, "e1")
        stale = await claimed(paused, "paused")
        await _lease_runs_out(paused)
        holding, going_on = threading.Event(), threading.Event()

        def work(connection: Connection) -> None:
            paused.turns._finish(connection, stale, turn, outcome("stale"))
            holding.set()
            going_on.wait(30)

        turn = (await begun(paused, stale)).turn.id
        finishing = asyncio.create_task(paused.database.write(work))
        await asyncio.to_thread(holding.wait, 30)
        async with asyncio.timeout(30):
            await accept(other, "e2")
            fresh = await claimed(other, "other")
        assert not finishing.done()
        going_on.set()
        with pytest.raises(LeaseLost):
            await finishing
        work_found = await begun(other, fresh)
        assert (work_found.turn.id, work_found.turn.attempt) == (turn, 2)


async def _lease_runs_out(store: SqlStore) -> None:
    await store.database.write(lambda connection: connection.execute(text("UPDATE conversations SET lease_until = 0")))


async def test_a_deadlock_is_tried_again(postgres_store: SqlStore) -> None:
    for room in ("a", "b"):
        await accept(postgres_store, room, room=room)
    met = threading.Barrier(2)
    runs = []

    def locking(*rooms: str) -> Callable[[Connection], None]:
        def work(connection: Connection) -> None:
            runs.append(rooms)
            for room in rooms:
                connection.execute(_LOCK, {"key": key(room).encode()})
                if len(runs) <= 2 and room == rooms[0]:
                    met.wait(30)

        return work

    write = postgres_store.database.write
    await asyncio.gather(write(locking("a", "b")), write(locking("b", "a")))
    assert len(runs) == 3


_LOCK = text("SELECT key FROM conversations WHERE key = :key FOR UPDATE")


async def test_work_that_hides_a_failed_statement_is_not_confirmed(postgres_store: SqlStore) -> None:
    def work(connection: Connection) -> str:
        connection.execute(text("UPDATE conversations SET persona = 'other'"))
        try:
            connection.exec_driver_sql("SELECT 1 / 0")
        except Exception:  # noqa: BLE001 - what this test is about
            return "done"
        return "impossible"

    await accept(postgres_store, "e1")
    with pytest.raises(StoreUnavailable):
        await postgres_store.database.write(work)
    found = await postgres_store.conversations.get(key())
    assert found is not None
    assert found.persona == "tutor"


async def test_a_failing_operation_leaves_nothing_and_its_connection_goes_on(url: str) -> None:
    async with opened(url, connections=1) as store:
        for bad in ("half a pair \ud800", "a \0 inside"):
            with pytest.raises((UnicodeEncodeError, psycopg.DataError)):
                await store.intake.accept(inbound("bad", text=bad), persona="tutor")
        assert await store.conversations.get(key()) is None
        await accept(store, "e1")


async def test_an_operation_whose_task_was_cancelled_before_its_turn_is_left_out(url: str) -> None:
    async with opened(url, connections=1) as store:
        going_on = threading.Event()
        first = asyncio.create_task(store.database.write(lambda connection: going_on.wait(30)))
        tasks = [asyncio.create_task(accept(store, f"e{n}", room=f"r{n}")) for n in range(6)]
        await asyncio.sleep(0)
        for task in tasks[1::2]:
            task.cancel()
        await asyncio.sleep(0)
        going_on.set()
        await asyncio.wait([first, *tasks])
        for n in range(6):
            assert await texts(store, f"r{n}") == ([] if n % 2 else [f"question e{n}"])


async def test_what_is_under_way_when_a_store_closes_is_done_and_what_comes_later_refused(url: str) -> None:
    async with opened(url, connections=2) as store:
        accepting = [asyncio.create_task(accept(store, f"e{n}", room=f"r{n}")) for n in range(20)]
        await asyncio.sleep(0)
    await asyncio.gather(*accepting)
    with pytest.raises(StoreUnavailable, match="closed"):
        await accept(store, "late")


async def test_intake_begin_and_finish_are_synced_to_the_disk_before_they_return(
    postgres_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    transact = Session.transact

    def noting(self: Session, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        def asking(connection: Connection) -> T:
            setting = connection.exec_driver_sql("SHOW synchronous_commit").scalar_one()
            synced.append(setting == "on")
            return work(connection)

        return transact(self, asking, durable=durable)

    monkeypatch.setattr(Session, "transact", noting)
    turn = await accept(postgres_store, "e1")
    claim = await claimed(postgres_store)
    await begun(postgres_store, claim)
    await postgres_store.turns.save(claim, turn, text="half")
    await postgres_store.turns.finish(claim, turn, outcome())
    accepted, claiming, began, saved, finished = synced
    assert (accepted, began, finished) == (True, True, True)
    assert (claiming, saved) == (False, False)


async def test_a_database_that_does_not_wait_for_its_disk_is_made_to(
    postgres: PostgresServer, database: str, url: str
) -> None:
    postgres.execute(f"ALTER DATABASE {database} SET synchronous_commit TO off")
    async with opened(url) as store:
        ask: Callable[[Connection], str] = lambda connection: connection.exec_driver_sql(  # noqa: E731
            "SHOW synchronous_commit"
        ).scalar_one()
        assert await store.database.write(ask) == "on"
        assert await store.database.write(ask, durable=False) == "off"


async def test_leases_and_times_are_those_of_the_database_whatever_this_machine_s_clock_says(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    async with opened(url) as store:
        await accept(store, "e1")
        claim = await claimed(store)
        for skew in (-3600, 3600):
            monkeypatch.setattr(time, "time", lambda skew=skew: real() + skew)
            async with opened(url) as skewed:
                assert await skewed.claims.claim("b", channels=CHANNELS, lease=LEASE) is None
                await skewed.claims.renew(claim, lease=LEASE)
                assert await store.claims.claim("b", channels=CHANNELS, lease=LEASE) is None
                conversation = await skewed.conversations.open(key(f"at {skew}"), persona="tutor")
                assert abs(conversation.created_at.timestamp() - real()) < 600
        wrong = PostgresDatabase(store.database._pool, clock=time.time)  # type: ignore[attr-defined] # a pool is there
        assert await SqlStore(wrong).claims.claim("b", channels=CHANNELS, lease=LEASE) is not None


async def test_a_lease_runs_out_by_the_clock_of_the_database(url: str) -> None:
    async with opened(url) as store:
        await accept(store, "e1")
        brief = timedelta(milliseconds=200)
        first = await store.claims.claim("a", channels=CHANNELS, lease=brief)
        assert first is not None
        async with asyncio.timeout(30):
            while (second := await store.claims.claim("b", channels=CHANNELS, lease=brief)) is None:
                await asyncio.sleep(0.02)
        assert second.epoch == first.epoch + 1


async def test_a_connection_that_takes_no_writes_any_more_is_replaced(url: str) -> None:
    async with opened(url, connections=1) as store:
        process = lambda connection: connection.execute(_PROCESS).scalar_one()  # noqa: E731
        for use in (store.check, lambda: accept(store, "e1")):
            before = await store.database.read(process)
            await store.database.write(lambda connection: connection.exec_driver_sql(_NO_WRITES))
            await use()
            assert await store.database.read(process) != before


_NO_WRITES = "SET default_transaction_read_only TO on"


async def test_a_server_that_takes_no_writes_any_more_is_noticed(
    postgres: PostgresServer, database: str, url: str
) -> None:
    async with opened(url) as store:
        await store.check()
        postgres.execute(f"ALTER DATABASE {database} SET default_transaction_read_only TO on")
        postgres.execute(_KILL.format(database))
        assert "read-only" in await _complaint(store.check)
        with pytest.raises(StoreUnavailable, match="read-only"):
            await accept(store, "e1")
        postgres.execute(f"ALTER DATABASE {database} SET default_transaction_read_only TO off")
        await _until(store.check)
        await accept(store, "e1")


async def test_an_attempt_that_began_is_counted_even_if_the_server_dies_at_once() -> None:
    with PostgresServer() as server, server.database() as name:
        for n in range(3):
            async with opened(server.url(name)) as store:
                turn = await accept(store, f"e{n}", room=f"r{n}")
                await begun(store, await claimed(store))
                server.stop("immediate")
            server.start()
            async with opened(server.url(name)) as store:
                found = await store.turns.get(turn)
                assert found is not None
                assert found.attempt == 1
                await store.conversations.erase(key(f"r{n}"))
