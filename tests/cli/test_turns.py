"""parley turns, as an operator uses it."""

import json
from dataclasses import replace
from pathlib import Path

from bot.types import TurnState
from storage.sql import SqlSettings, open_store
from tests.cli.terminal import parley
from tests.conformance.samples import accept, begun, claimed, outcome


async def test_a_failed_turn_is_listed_asked_again_and_gone_from_the_list(tmp_path: Path) -> None:
    settings = SqlSettings(url=f"sqlite+aiosqlite:///{tmp_path / 'parley.db'}")
    async with open_store(settings) as store:
        turn = await accept(store, "e1", text="Why is the sky blue?")
        claim = await claimed(store)
        await begun(store, claim)
        await store.turns.finish(claim, turn, replace(outcome("Sorry.", TurnState.FAILED), error="the engine died"))
        await store.outbox.sent(claim, turn)
        await store.claims.release(claim)
    listed = parley("turns", "failed", cwd=tmp_path)
    assert listed.code == 0
    for part in (turn, "Why is the sky blue?", "the engine died", "web:shop:room"):
        assert part in listed.out
    [row] = json.loads(parley("turns", "failed", "--json", cwd=tmp_path).out)
    assert (row["turn"], row["error"], row["conversation"]) == (turn, "the engine died", "web:shop:room")
    again = parley("turns", "retry", turn, cwd=tmp_path)
    assert again.code == 0
    async with open_store(settings) as store:
        work = await begun(store, await claimed(store))
        assert work.turn.id in again.out
        assert work.question[0].text == "Why is the sky blue?"
    assert parley("turns", "failed", "--json", cwd=tmp_path).out.strip() == "[]"


async def test_a_turn_that_did_not_fail_cannot_be_tried_again(tmp_path: Path) -> None:
    refused = parley("turns", "retry", "01m00000000000000000", cwd=tmp_path)
    assert refused.code == 1
    assert "01m00000000000000000" in refused.complaint
