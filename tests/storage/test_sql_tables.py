"""What the port does not show: the receipt of a turn, its rating, and that an erasure leaves no row."""

import json
from typing import Any

from sqlalchemy import Connection, select

from bot.types import Rating
from storage.sql import SqlStore
from storage.sql.models import metadata, ratings, turns
from tests.conformance.samples import answered, key


async def rows(store: SqlStore, table: Any) -> list[dict[str, Any]]:
    def work(connection: Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(select(table)).mappings()]

    return await store.database.read(work)


async def test_a_finished_turn_keeps_its_receipt_and_its_counts(file_store: SqlStore) -> None:
    await answered(file_store, "e1")
    (turn,) = await rows(file_store, turns)
    left_out = [{"kind": "history", "what": "m1", "tokens": 7}]
    assert turn["receipt"] == {"context": 100, "reserved": 20, "prompt": 60, "left_out": left_out}
    assert json.dumps(turn["receipt"])
    assert (turn["finish_reason"], turn["prompt_tokens"], turn["new_tokens"], turn["cached_tokens"]) == (
        "stop",
        60,
        5,
        40,
    )


async def test_a_second_rating_replaces_the_first(file_store: SqlStore) -> None:
    delivery = await answered(file_store, "e1")
    await file_store.turns.rate(delivery.turn, Rating(rating="up"))
    await file_store.turns.rate(delivery.turn, Rating(rating="down", comment="wrong price"))
    (rating,) = await rows(file_store, ratings)
    assert (rating["turn"], rating["rating"], rating["comment"]) == (delivery.turn, "down", "wrong price")


async def test_an_erasure_leaves_no_row_in_any_table(file_store: SqlStore) -> None:
    delivery = await answered(file_store, "e1")
    await file_store.turns.rate(delivery.turn, Rating(rating="up"))
    assert all([await rows(file_store, table) for table in metadata.sorted_tables])
    await file_store.conversations.erase(key())
    assert not any([await rows(file_store, table) for table in metadata.sorted_tables])
