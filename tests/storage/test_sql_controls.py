"""Each mechanism switched off: the suite's check must notice, or it guards nothing."""

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql.base import PGCompiler

from bot.types import Accepted, Inbound, TurnState, new_id
from storage.sql import SqlStore, claims, outbox, turns
from storage.sql.writer import Worker
from tests.conformance import checks
from tests.conformance.jobs import one_of_many_runs_each_fire
from tests.conformance.samples import CHANNELS, Clock, accept, begun, claimed, outcome, texts


async def notices(check: Awaitable[None]) -> None:
    with pytest.raises((AssertionError, ExceptionGroup)):
        await check


async def test_without_the_fence_the_check_for_stale_writers_fails(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (claims, turns, outbox):
        monkeypatch.setattr(module, "fence", lambda connection, claim: SimpleNamespace(locale=None, memory=1, since=0))
    await notices(checks.stale_claims_write_nothing(store, clock))


async def test_without_the_unique_keys_the_check_for_duplicates_fails(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_once: Callable[..., Any] = store.intake.accept

    async def accept_each(inbound: Inbound, **options: Any) -> Accepted:
        accepted: Accepted = await accept_once(replace(inbound, event_id=new_id(), message_id=None), **options)
        return accepted

    monkeypatch.setattr(store.intake, "accept", accept_each)
    await notices(checks.duplicates_make_no_second_turn(store))


async def test_without_exclusive_claims_the_check_for_order_fails(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim: Callable[..., Any] = store.claims.claim

    async def claim_whatever(*args: Any, **options: Any) -> Any:
        await store.database.write(lambda connection: connection.execute(FREE_ALL))
        return await claim(*args, **options)

    monkeypatch.setattr(store.claims, "claim", claim_whatever)
    await notices(checks.many_at_once_keep_order(store))


async def test_without_the_unique_row_the_check_for_one_run_per_fire_fails(
    store: SqlStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin: Callable[..., Any] = store.jobs.begin

    async def begin_each(job: str, fire: str, **options: Any) -> bool:
        taken: bool = await begin(job, f"{fire} {new_id()}", **options)
        return taken

    monkeypatch.setattr(store.jobs, "begin", begin_each)
    await notices(one_of_many_runs_each_fire(store, clock))


CLAIM = {"by": "", "at": 0, "until": 0, **{f"channel_{number}": "" for number in range(len(CHANNELS))}}
FREE_ALL = text("UPDATE conversations SET lease_until = 0")
BREAK_OUTBOX = {
    "sqlite": "CREATE TRIGGER broken BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'cut off in the middle'); END",
    "postgresql": """
        CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN RAISE integrity_constraint_violation USING MESSAGE = 'cut off in the middle'; END$$;
        CREATE TRIGGER broken BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION broken()
    """,
}


async def finish_is_whole_or_nothing(store: SqlStore) -> None:
    turn = await accept(store, "e1")
    claim = await claimed(store)
    await begun(store, claim)
    await store.turns.save(claim, turn, text="half")
    await store.database.write(lambda connection: connection.exec_driver_sql(BREAK_OUTBOX[connection.dialect.name]))
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError), match="cut off in the middle"):
        await store.turns.finish(claim, turn, outcome("whole"))
    now = await store.turns.get(turn)
    assert now is not None
    assert (now.state, now.text, now.message) == (TurnState.RUNNING, "half", None)
    assert await texts(store) == ["question e1"]
    assert await store.outbox.pending(claim) == ()


async def test_a_finish_cut_off_in_the_middle_leaves_nothing(store: SqlStore) -> None:
    await finish_is_whole_or_nothing(store)


async def test_without_savepoints_the_check_for_whole_finishes_fails(
    file_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Worker._try

    def without_rollback(self: Worker, connection: Connection, raw: Any, job: Any) -> Any:
        def execute(statement: str) -> object:
            return None if statement.startswith("ROLLBACK TO") else raw.execute(statement)

        return real(self, connection, SimpleNamespace(execute=execute), job)

    monkeypatch.setattr(Worker, "_try", without_rollback)
    await notices(finish_is_whole_or_nothing(file_store))


async def test_without_locking_what_is_claimed_two_replicas_claim_the_same(
    postgres_store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claims._claim.__wrapped__(len(CHANNELS), ready=False)
    with monkeypatch.context() as patch:
        patch.setattr(PGCompiler, "for_update_clause", lambda *_, **__: "")
        await postgres_store.database.read(lambda connection: claim(connection, CLAIM))
    monkeypatch.setattr(claims, "_claim", lambda channels, *, ready: claim)
    await notices(checks.many_at_once_keep_order(postgres_store))
