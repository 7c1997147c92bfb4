"""What the port does not show: the receipt of a turn, its rating, and that an erasure leaves no row."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from bot.types import Person, Rating, new_id
from storage.sql import SqlSettings, SqlStore, open_store
from storage.sql.models import metadata, ratings, turns
from tests.blank import blank
from tests.conformance.memories import remembered, summarised
from tests.conformance.samples import Clock, answered, inbound, key


async def rows(store: SqlStore, table: Any) -> list[dict[str, Any]]:
    def work(connection: Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(select(table)).mappings()]

    return await store.database.read(work)


async def test_a_finished_turn_keeps_its_receipt_and_its_counts(store: SqlStore) -> None:
    await answered(store, "e1")
    (turn,) = await rows(store, turns)
    left_out = [{"kind": "history", "what": "m1", "tokens": 7}]
    assert turn["receipt"] == {"context": 100, "reserved": 20, "prompt": 60, "left_out": left_out}
    assert json.dumps(turn["receipt"])
    assert (turn["finish_reason"], turn["prompt_tokens"], turn["new_tokens"], turn["cached_tokens"]) == (
        "stop",
        60,
        5,
        40,
    )


async def test_a_second_rating_replaces_the_first(store: SqlStore) -> None:
    delivery = await answered(store, "e1")
    await store.turns.rate(delivery.turn, Rating(rating="up"))
    await store.turns.rate(delivery.turn, Rating(rating="down", comment="wrong price"))
    (rating,) = await rows(store, ratings)
    assert (rating["turn"], rating["rating"], rating["comment"]) == (delivery.turn, "down", "wrong price")


OTHERS = {"job_runs", "models", "offices", "rooms", "statistics", "vault"}


async def everything(store: SqlStore) -> None:
    """A row in every table about people."""
    turn = await remembered(store, "e1", order_number="canary-fact")
    await summarised(store, turn, "canary-summary")
    await store.turns.rate(turn, Rating(rating="up", comment="canary-comment"))
    filled = {table.name for table in metadata.sorted_tables if await rows(store, table)}
    assert filled == {table.name for table in metadata.sorted_tables} - OTHERS


async def test_an_erasure_leaves_no_row_in_any_table(store: SqlStore) -> None:
    author = Person(channel="web", id="u1")
    for erase in (store.conversations.erase(key()), store.records.erase(author)):
        await everything(store)
        await erase
        assert not any([await rows(store, table) for table in metadata.sorted_tables])


async def test_retention_leaves_no_row_in_any_table(store: SqlStore, clock: Clock) -> None:
    await everything(store)
    clock.pass_(timedelta(days=31))
    await store.records.expire(keep=timedelta(days=30))
    assert not any([await rows(store, table) for table in metadata.sorted_tables])


@settings(
    max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.tuples(st.integers(1, 9_000), st.booleans()), min_size=1, max_size=8))
async def test_after_an_erasure_its_bytes_are_in_no_file(tmp_path: Path, steps: list[tuple[int, bool]]) -> None:
    """Whatever pages the texts lie on, alone or beside what stays."""
    file = tmp_path / f"{new_id()}.db"
    async with open_store(SqlSettings(url=blank(file))) as store:
        for number, (size, erases) in enumerate(steps):
            await remembered(store, f"e{number}", room=f"room{number % 2}", note="canary" * (size // 6 + 1))
            text = f"{'canary' if number % 2 else 'stays'} " * (size // 6 + 1)
            await store.intake.accept(inbound(f"f{number}", room=f"room{number % 2}", text=text), persona="tutor")
            if erases:
                await store.conversations.erase(key("room1"))
        await store.records.erase(key("room1"))
        await store.records.erase(key("room0"))
        assert not any(b"canary" in path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
