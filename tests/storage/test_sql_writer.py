"""Group commit: many operations share a transaction and none suffers for another."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from bot.errors import StoreUnavailable
from bot.ports import Store
from bot.types import Bounds, Rating
from storage.sql import SqlSettings, SqlStore, open_store
from storage.sql.writer import Worker
from tests.conformance import checks
from tests.conformance.samples import LEASE, accept, answered, begun, claimed, inbound, key, outcome, texts


async def test_operations_asked_for_together_share_commits(
    file_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = Worker._commit

    def counting(self: Worker, connection: Connection, jobs: Sequence[Any]) -> Any:
        sizes.append(len(jobs))
        return real(self, connection, jobs)

    monkeypatch.setattr(Worker, "_commit", counting)
    await asyncio.gather(*(accept(file_store, f"e{n}", room=f"r{n}") for n in range(100)))
    assert sum(sizes) == 100
    assert len(sizes) <= 10


async def test_one_failing_operation_does_not_hurt_those_it_shares_a_commit_with(file_store: SqlStore) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(text("DELETE FROM turns"))
        raise ValueError("only mine")

    results = await asyncio.gather(
        *(accept(file_store, f"e{n}", room=f"r{n}") for n in range(20)),
        file_store.database.write(fail),
        file_store.intake.accept(inbound("bad", text="half a pair \ud800"), persona="tutor"),
        *(accept(file_store, f"e{n}", room=f"r{n}") for n in range(20, 40)),
        return_exceptions=True,
    )
    failures = [result for result in results if isinstance(result, BaseException)]
    assert [type(failure) for failure in failures] == [ValueError, UnicodeEncodeError]
    for n in range(40):
        assert await texts(file_store, f"r{n}") == [f"question e{n}"]
    assert await file_store.conversations.get(key()) is None


async def test_an_operation_whose_task_was_cancelled_before_its_turn_is_left_out(file_store: SqlStore) -> None:
    tasks = [asyncio.create_task(accept(file_store, f"e{n}", room=f"r{n}")) for n in range(30)]
    await asyncio.sleep(0)
    for task in tasks[1::2]:
        task.cancel()
    await asyncio.wait(tasks)
    for n in range(0, 30, 2):
        assert await texts(file_store, f"r{n}") == [f"question e{n}"]


async def test_intake_and_finish_are_synced_to_the_disk_before_they_return(
    file_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    real = Worker._sync

    def noting(self: Worker, raw: Any, *, durable: bool) -> None:
        real(self, raw, durable=durable)
        if self._begin == "BEGIN IMMEDIATE":
            synced.append(raw.execute("PRAGMA synchronous").fetchone()[0] == 2)

    monkeypatch.setattr(Worker, "_sync", noting)
    turn = await accept(file_store, "e1")
    claim = await claimed(file_store)
    await begun(file_store, claim)
    await file_store.turns.save(claim, turn, text="half")
    await file_store.turns.finish(claim, turn, outcome())
    assert synced == [True, False, False, False, True]


async def test_a_full_disk_refuses_intake_in_one_line_and_recovers(file_store: SqlStore) -> None:
    await accept(file_store, "e1")

    def limit(pages: str) -> Callable[[Connection], object]:
        return lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").all()

    (size,) = await file_store.database.write(lambda connection: connection.exec_driver_sql("PRAGMA page_count").one())
    await file_store.database.write(limit(str(size)))
    big = inbound("e2", text="x" * 200_000)
    results = await asyncio.gather(
        file_store.intake.accept(big, persona="tutor"),
        file_store.turns.get("unknown"),
        return_exceptions=True,
    )
    assert isinstance(results[0], StoreUnavailable)
    assert "free some space" in str(results[0])
    assert "\n" not in str(results[0])
    assert await texts(file_store) == ["question e1"]
    await file_store.database.write(limit("1000000"))
    accepted = await file_store.intake.accept(big, persona="tutor")
    assert not accepted.duplicate
    await file_store.check()


async def test_fifty_tasks_never_see_a_locked_database_and_leave_it_whole(url: str, tmp_path: Path) -> None:
    async with open_store(SqlSettings(url=url)) as store:
        await checks.many_at_once_keep_order(store, rooms=50, each=2, workers=50)
    with sqlite3.connect(tmp_path / "parley.db") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()


async def test_a_closed_store_says_so(url: str) -> None:
    async with open_store(SqlSettings(url=url)) as store:
        pass
    with pytest.raises(StoreUnavailable, match="closed"):
        await accept(store, "e1")


async def test_no_statement_scans_a_table_or_sorts_a_conversation(memory_store: SqlStore) -> None:
    seen: set[str] = set()

    def trace(connection: Connection) -> None:
        raw: Any = connection.connection.driver_connection
        raw.set_trace_callback(seen.add)

    def untrace(connection: Connection) -> None:
        raw: Any = connection.connection.driver_connection
        raw.set_trace_callback(None)

    await memory_store.database.write(trace)
    await _everything(memory_store)
    await memory_store.database.write(untrace)
    asked = [s for s in seen if s.split(" ", 1)[0] in ("SELECT", "UPDATE", "DELETE")]
    assert len(asked) >= 15

    def explain(connection: Connection) -> list[str]:
        return [
            f"{row[3]}: {statement}"
            for statement in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
        ]

    plans = await memory_store.database.read(explain)
    bounded = ("FROM inbox", "USING INDEX ix_turns_asked")  # the latter holds only turns that wait for an answer
    slow = [plan for plan in plans if plan.startswith(("SCAN", "USE TEMP"))]
    assert [plan for plan in slow if not any(part in plan for part in bounded)] == []


async def _everything(store: Store) -> None:
    await answered(store, "e1")
    turn = await accept(store, "e2")
    await store.intake.accept(inbound("e2"), persona="tutor")
    await store.intake.accept(inbound("e3"), persona="tutor", bounds=Bounds(waiting=1))
    claim = await claimed(store)
    await store.claims.renew(claim, lease=LEASE)
    await begun(store, claim)
    await store.turns.save(claim, turn, text="half")
    await store.turns.request_stop(turn)
    await store.turns.newest(key())
    await store.turns.finish(claim, turn, outcome())
    await store.outbox.pending(claim)
    await store.outbox.sent(claim, turn)
    await store.turns.rate(turn, Rating(rating="up"))
    whole = await store.conversations.messages(key())
    await store.conversations.messages(key(), before=whole[-1].id)
    await store.claims.release(claim)
    await store.conversations.erase(key())
