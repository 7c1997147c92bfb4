"""What every Store keeps to where messages wait, overlap, find no room, or are answered without an engine.
Subclass `WaitingContract` as `StoreContract`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import LeaseLost
from bot.ports import Store
from bot.types import Bounds, Change, Memory, Overlap, TurnState
from tests.conformance.samples import (
    CHANNELS,
    LEASE,
    Clock,
    accept,
    answered,
    begun,
    claimed,
    inbound,
    key,
    outcome,
    texts,
)


class OverlapContract:
    @pytest.mark.parametrize("policy", ["merge", "interrupt"])
    async def test_what_comes_in_during_a_reply_becomes_one_next_turn(self, store: Store, policy: Overlap) -> None:
        running = await accept(store, "e0")
        claim = await claimed(store)
        await begun(store, claim)
        later = [
            await store.intake.accept(inbound(f"e{n}"), persona="tutor", overlap=lambda _: policy) for n in (1, 2, 3)
        ]
        assert [a.merged for a in later] == [False, True, True]
        assert len({a.turn for a in later}) == 1
        assert {a.interrupts for a in later} == ({running} if policy == "interrupt" else {None})
        assert await store.turns.save(claim, running, text="half") is (policy == "interrupt")
        await store.turns.finish(claim, running, outcome("half", TurnState.STOPPED))
        work = await begun(store, claim)
        assert [m.text for m in work.question] == ["question e1", "question e2", "question e3"]
        assert [m.text for m in work.memory.messages] == ["question e0", "half"]

    async def test_the_policy_asked_for_is_that_of_the_conversation_s_persona(self, store: Store) -> None:
        asked: list[str] = []

        def overlap(persona: str) -> Overlap:
            asked.append(persona)
            return "queue"

        await store.conversations.open(key(), persona="writer")
        await store.intake.accept(inbound("e1"), persona="tutor", overlap=overlap)
        assert asked == ["writer"]

    async def test_an_event_delivered_again_interrupts_nothing(self, store: Store) -> None:
        await accept(store, "e0")
        claim = await claimed(store)
        work = await begun(store, claim)
        again = await store.intake.accept(inbound("e0"), persona="tutor", overlap=lambda _: "interrupt")
        assert (again.duplicate, again.interrupts) == (True, None)
        assert not await store.turns.save(claim, work.turn.id, text="")


class BoundsContract:
    async def test_a_turn_that_is_full_turns_further_messages_away_with_one_word(self, store: Store) -> None:
        bounds = Bounds(waiting=1, joined=2)
        accepted = [
            await store.intake.accept(inbound(f"e{n}"), persona="tutor", bounds=bounds, busy="busy") for n in range(5)
        ]
        assert [(a.merged, a.shed) for a in accepted] == [
            (False, False),
            (True, False),
            (False, True),
            (True, True),
            (True, True),
        ]
        assert accepted[2].turn == accepted[3].turn == accepted[4].turn
        claim = await claimed(store)
        first = await begun(store, claim)
        assert [m.text for m in first.question] == ["question e0", "question e1"]
        await store.turns.finish(claim, first.turn.id, outcome())
        second = await begun(store, claim)
        assert second.reply is not None
        assert (second.reply.state, second.reply.text) == (TurnState.FAILED, "busy")
        assert len(second.question) == 3

    async def test_with_too_many_conversations_waiting_a_new_one_is_turned_away(self, store: Store) -> None:
        bounds = Bounds(backlog=2)
        accepted = [
            await store.intake.accept(inbound(f"e{n}", room=f"r{n}"), persona="tutor", bounds=bounds, busy="busy")
            for n in range(4)
        ]
        assert [a.shed for a in accepted] == [False, False, True, True]
        again = await store.intake.accept(inbound("e2", room="r2"), persona="tutor", bounds=bounds)
        assert (again.duplicate, again.turn) == (True, accepted[2].turn)
        waiting = await store.intake.accept(inbound("more", room="r0"), persona="tutor", bounds=bounds)
        assert not waiting.shed

    async def test_those_who_wait_to_be_told_to_come_back_keep_nobody_out(self, store: Store) -> None:
        for n in range(5):
            room = f"told{n}"
            await store.intake.answer(inbound(room, room=room), persona="tutor", reply="busy", state=TurnState.FAILED)
        bounds = Bounds(backlog=2)
        accepted = [
            await store.intake.accept(inbound(f"e{n}", room=f"r{n}"), persona="tutor", bounds=bounds, busy="busy")
            for n in range(3)
        ]
        assert [a.shed for a in accepted] == [False, False, True]

    async def test_only_conversations_that_need_no_engine_are_ready(self, store: Store) -> None:
        await accept(store, "e0", room="asks")
        await store.intake.answer(inbound("e1", room="told"), persona="tutor", reply="busy", state=TurnState.FAILED)
        await accept(store, "e2", room="both")
        await store.intake.answer(inbound("e3", room="both"), persona="tutor", reply="busy", state=TurnState.FAILED)
        claim = await store.claims.claim("a", channels=CHANNELS, lease=LEASE, ready=True)
        assert claim is not None
        assert claim.conversation == key("told")
        assert await store.claims.claim("a", channels=CHANNELS, lease=LEASE, ready=True) is None


class AnswerContract:
    async def test_an_answer_that_is_there_already_comes_in_order_and_stays_out_of_the_memory(
        self, store: Store
    ) -> None:
        await accept(store, "e0")
        helped = await store.intake.answer(inbound("help"), persona="tutor", reply="This is how.")
        again = await store.intake.answer(inbound("help"), persona="tutor", reply="Other.")
        assert (again.turn, again.duplicate) == (helped.turn, True)
        await accept(store, "e1")
        claim = await claimed(store)
        await store.turns.finish(claim, (await begun(store, claim)).turn.id, outcome("first"))
        work = await begun(store, claim)
        assert work.reply is not None
        assert (work.turn.id, work.reply.state, work.reply.text) == (helped.turn, TurnState.DONE, "This is how.")
        await store.turns.finish(claim, work.turn.id, work.reply)
        last = await begun(store, claim)
        assert last.reply is None
        assert [m.text for m in last.memory.messages] == ["question e0", "first"]
        assert await texts(store) == ["question e0", "first", "question help", "This is how.", "question e1"]

    async def test_forgetting_leaves_the_conversation_with_nothing_but_the_word_about_it(self, store: Store) -> None:
        opened = await store.conversations.open(key(), persona="writer", secret_hash="s")
        await answered(store, "e0")
        running = await accept(store, "e1")
        claim = await claimed(store)
        await begun(store, claim)
        await answered(store, "other", room="other")
        told = await store.intake.answer(
            inbound("forget"), persona="tutor", reply="Forgotten.", change=Change(forget=True)
        )
        assert await store.turns.get(running) is None
        assert await store.conversations.get(key()) == opened
        with pytest.raises(LeaseLost):
            await store.turns.finish(claim, running, outcome("late"))
        claim = await claimed(store)
        work = await begun(store, claim)
        assert (work.turn.id, work.turn.persona, work.memory.messages) == (told.turn, "writer", ())
        assert await texts(store) == ["question forget"]
        assert await texts(store, "other") == ["question other", "an answer"]


class MemoryContract:
    async def test_a_kept_memory_of_the_current_version_is_taken_as_it_is_and_an_older_one_is_not(
        self, store: Store
    ) -> None:
        await answered(store, "e0")
        await accept(store, "e1")
        claim = await claimed(store)
        work = await begun(store, claim)
        kept = replace(work.memory, messages=())
        assert work.memory.version > 0
        await store.turns.hand_back(claim, work.turn.id)
        assert (await store.turns.begin(claim, history=50, kept=kept)) == replace(work, memory=kept)
        delivery = await store.turns.finish(claim, work.turn.id, outcome())
        assert delivery.memory > kept.version
        await accept(store, "e2")
        later = await store.turns.begin(claim, history=50, kept=kept)
        assert later is not None
        assert len(later.memory.messages) == 4
        assert later.memory.version == delivery.memory

    async def test_facts_are_remembered_replaced_and_forgotten(self, store: Store) -> None:
        async def turn(event: str, facts: dict[str, str]) -> Memory:
            await accept(store, event)
            claim = await claimed(store)
            work = await begun(store, claim)
            await store.turns.finish(claim, work.turn.id, replace(outcome(), facts=facts))
            await store.outbox.sent(claim, work.turn.id)
            await store.claims.release(claim)
            return work.memory

        assert (await turn("e0", {"order": "A1", "name": "Ann"})).facts == {}
        assert (await turn("e1", {"order": "B2"})).facts == {"name": "Ann", "order": "A1"}
        assert (await turn("e2", {"name": ""})).facts == {"name": "Ann", "order": "B2"}
        assert (await turn("e3", {})).facts == {"order": "B2"}

    async def test_a_turn_handed_back_waits_again_without_a_lost_attempt(self, store: Store) -> None:
        turn = await accept(store, "e0")
        claim = await claimed(store)
        for _ in range(5):
            assert (await begun(store, claim)).turn.attempt == 1
            await store.turns.hand_back(claim, turn)
        found = await store.turns.get(turn)
        assert found is not None
        assert (found.state, found.attempt) == (TurnState.QUEUED, 0)

    async def test_a_stop_request_is_told_to_who_saves(self, store: Store) -> None:
        turn = await accept(store, "e0")
        claim = await claimed(store)
        await begun(store, claim)
        assert not await store.turns.save(claim, turn, text="a")
        await store.turns.request_stop(turn)
        assert await store.turns.save(claim, turn, text="ab")


class FailureContract:
    async def test_a_conversation_given_back_to_rest_is_claimable_only_after_it(
        self, store: Store, clock: Clock
    ) -> None:
        await accept(store, "e0")
        await store.claims.release(await claimed(store), rest=timedelta(seconds=30))
        clock.pass_(timedelta(seconds=29))
        assert await store.claims.claim("a", channels=CHANNELS, lease=LEASE) is None
        clock.pass_(timedelta(seconds=1))
        await claimed(store)

    async def test_a_claim_tells_of_undelivered_replies(self, store: Store) -> None:
        await accept(store, "e0")
        claim = await claimed(store)
        assert not claim.undelivered
        await store.turns.finish(claim, (await begun(store, claim)).turn.id, outcome())
        await store.claims.release(claim)
        assert (await claimed(store)).undelivered

    async def test_failed_turns_are_listed_and_asked_again_as_a_new_turn(self, store: Store) -> None:
        await answered(store, "fine")
        turn = await accept(store, "e0", text="poison?")
        claim = await claimed(store)
        await begun(store, claim)
        failed = replace(outcome("sorry", TurnState.FAILED), error="it broke")
        await store.turns.finish(claim, turn, failed)
        await store.outbox.sent(claim, turn)
        await store.claims.release(claim)
        [listed] = await store.failures.newest()
        assert (listed.turn, listed.conversation, listed.question, listed.error) == (turn, key(), "poison?", "it broke")
        assert not listed.undelivered
        again = await store.failures.retry(turn)
        assert again is not None
        assert again != turn
        work = await begun(store, await claimed(store))
        assert (work.turn.id, [m.text for m in work.question], work.turn.attempt) == (again, ["poison?"], 1)
        assert await store.failures.newest() == ()
        assert await store.failures.retry(turn) is None
        assert await store.failures.retry("unknown") is None

    async def test_a_message_turned_away_is_no_failure(self, store: Store) -> None:
        await store.intake.answer(inbound("e0"), persona="tutor", reply="busy", state=TurnState.FAILED)
        claim = await claimed(store)
        work = await begun(store, claim)
        assert work.reply is not None
        await store.turns.finish(claim, work.turn.id, work.reply)
        assert await store.failures.newest() == ()

    async def test_a_reply_given_up_waits_no_longer_until_it_is_tried_again(self, store: Store) -> None:
        await accept(store, "e0")
        claim = await claimed(store)
        turn = (await begun(store, claim)).turn.id
        await store.turns.finish(claim, turn, outcome("lost"))
        await store.outbox.give_up(claim, turn, error="the room is gone")
        await store.claims.release(claim)
        assert await store.claims.claim("a", channels=CHANNELS, lease=LEASE) is None
        [listed] = await store.failures.newest()
        assert (listed.turn, listed.error, listed.undelivered) == (turn, "the room is gone", True)
        assert await store.failures.retry(turn) == turn
        claim = await claimed(store)
        [delivery] = await store.outbox.pending(claim)
        assert (delivery.turn, delivery.message.text, delivery.attempt) == (turn, "lost", 2)


class WaitingContract(OverlapContract, BoundsContract, AnswerContract, MemoryContract, FailureContract):
    pass
