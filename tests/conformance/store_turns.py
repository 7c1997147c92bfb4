"""What every Store keeps to in the life of a turn. Subclass `TurnContract` as `StoreContract`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import UnknownTurn
from bot.ports import Store
from bot.types import Rating, Source, TurnState
from tests.conformance.samples import (
    LEASE,
    Clock,
    accept,
    answered,
    begun,
    claimed,
    key,
    outcome,
    texts,
)


class TurnContract:
    async def test_a_begun_turn_runs_with_its_first_attempt_and_the_claims_epoch(self, store: Store) -> None:
        turn = await accept(store, "e1")
        claim = await claimed(store)
        work = await begun(store, claim)
        assert work.turn.id == turn
        assert (work.turn.state, work.turn.attempt, work.turn.epoch) == (TurnState.RUNNING, 1, claim.epoch)
        assert [m.text for m in work.question] == ["question e1"]
        assert work.memory.messages == ()
        assert await store.turns.get(turn) == work.turn

    async def test_turns_begin_in_the_order_of_their_messages(self, store: Store) -> None:
        expected = [await accept(store, f"e{n}") for n in range(4)]
        claim = await claimed(store)
        order = []
        while work := await store.turns.begin(claim, history=0):
            order.append(work.turn.id)
            await store.turns.finish(claim, work.turn.id, outcome())
        assert order == expected

    async def test_after_a_crash_the_turn_begins_again_with_question_and_progress(
        self, store: Store, clock: Clock
    ) -> None:
        await accept(store, "e1")
        await accept(store, "e2")
        dead = await claimed(store, "a")
        first = await begun(store, dead)
        await store.turns.save(dead, first.turn.id, text="half an ans")
        clock.pass_(LEASE)
        second = await begun(store, await claimed(store, "b"))
        assert second.turn.id == first.turn.id
        assert (second.turn.attempt, second.turn.text) == (2, "half an ans")
        assert second.question == first.question
        assert second.memory.messages == ()

    async def test_history_holds_the_newest_messages_before_the_turn_oldest_first(self, store: Store) -> None:
        for n in range(4):
            await answered(store, f"e{n}", text=f"reply {n}")
        await answered(store, "x", room="other")
        await accept(store, "e4")
        await accept(store, "e5")
        claim = await claimed(store)
        work = await begun(store, claim, history=3)
        assert [m.text for m in work.memory.messages] == ["reply 2", "question e3", "reply 3"]
        work = await begun(store, claim, history=100)
        assert len(work.memory.messages) == 8
        assert [m.text for m in work.memory.messages[:2]] == ["question e0", "reply 0"]
        assert (await begun(store, claim, history=0)).memory.messages == ()

    @pytest.mark.parametrize("state", [TurnState.STOPPED, TurnState.FAILED, TurnState.DONE])
    async def test_history_keeps_what_was_said_and_asked_unless_nobody_answered(
        self, store: Store, state: TurnState
    ) -> None:
        for n in range(3):
            await accept(store, f"e{n}")
        claim = await claimed(store)
        for text in ("said", ""):
            await store.turns.finish(claim, (await begun(store, claim)).turn.id, outcome(text, state))
        work = await begun(store, claim)
        stopped = ["question e1"] if state is TurnState.STOPPED else []
        assert [m.text for m in work.memory.messages] == ["question e0", "said", *stopped]

    async def test_finishing_stores_reply_state_and_delivery(self, store: Store, clock: Clock) -> None:
        turn = await accept(store, "e1")
        claim = await claimed(store)
        await begun(store, claim)
        clock.pass_(timedelta(seconds=2))
        sources = (Source(title="Returns", path="shop/returns.md", text="within 30 days"),)
        delivery = await store.turns.finish(claim, turn, outcome("the answer", sources=sources))
        assert (delivery.turn, delivery.conversation, delivery.state) == (turn, key(), TurnState.DONE)
        assert (delivery.message.role, delivery.message.text) == ("assistant", "the answer")
        assert delivery.message.sources == sources
        assert delivery.message.at.timestamp() == clock()
        finished = await store.turns.get(turn)
        assert finished is not None
        assert (finished.state, finished.text, finished.persona_version) == (TurnState.DONE, "the answer", "v1")
        assert finished.message == delivery.message.id
        assert (await store.conversations.messages(key()))[-1] == delivery.message
        assert await store.outbox.pending(claim) == (replace(delivery, attempt=2),)

    async def test_a_turn_finishes_once(self, store: Store) -> None:
        turn = await accept(store, "e1")
        claim = await claimed(store)
        await begun(store, claim)
        await store.turns.finish(claim, turn, outcome("first"))
        with pytest.raises(UnknownTurn, match=turn):
            await store.turns.finish(claim, turn, outcome("second"))
        with pytest.raises(UnknownTurn, match=turn):
            await store.turns.save(claim, turn, text="second")
        assert await texts(store) == ["question e1", "first"]
        assert len(await store.outbox.pending(claim)) == 1

    async def test_newest_is_the_last_begun_turn_else_the_first_that_waits(self, store: Store) -> None:
        first, second, third = [await accept(store, f"e{n}") for n in range(3)]
        newest = await store.turns.newest(key())
        assert newest is not None
        assert newest.id == first
        claim = await claimed(store)
        for expected in (first, second):
            work = await begun(store, claim)
            newest = await store.turns.newest(key())
            assert newest == work.turn
            assert newest.id == expected
            await store.turns.finish(claim, expected, outcome())
        newest = await store.turns.newest(key())
        assert newest is not None
        assert (newest.id, newest.state) == (second, TurnState.DONE)
        assert third != second

    async def test_a_stop_request_marks_an_unfinished_turn_and_leaves_a_finished_one(self, store: Store) -> None:
        turn = await accept(store, "e1")
        asked = await store.turns.request_stop(turn)
        assert asked is not None
        assert asked.stop_requested
        assert asked.state is TurnState.QUEUED
        claim = await claimed(store)
        work = await begun(store, claim)
        assert work.turn.stop_requested
        await store.turns.finish(claim, turn, outcome("", TurnState.STOPPED))
        other = await answered(store, "e2", room="other")
        late = await store.turns.request_stop(other.turn)
        assert late is not None
        assert (late.state, late.stop_requested) == (TurnState.DONE, False)
        assert await store.turns.request_stop("unknown") is None

    async def test_a_rating_is_stored_or_replaced_for_known_turns(self, store: Store) -> None:
        delivery = await answered(store, "e1")
        assert await store.turns.rate(delivery.turn, Rating(rating="up"))
        assert await store.turns.rate(delivery.turn, Rating(rating="down", comment="wrong price"))
        assert not await store.turns.rate("unknown", Rating(rating="up"))

    async def test_an_unknown_turn_is_none(self, store: Store) -> None:
        assert await store.turns.get("unknown") is None
