"""What every Store keeps to. Subclass `StoreContract` and give it `clock` and `store` fixtures of one clock."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import LeaseLost, UnknownTurn
from bot.ports import Store
from bot.types import Bounds, Rating, Source, Turn, TurnState
from tests.conformance import checks
from tests.conformance.samples import (
    CHANNELS,
    LEASE,
    SENT_AT,
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

# NUL and lone surrogates are not text that every database can hold; channels refuse them.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)
SHARED_STORE = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]


class IntakeContract:
    async def test_a_first_message_makes_the_conversation_and_a_queued_turn(self, store: Store, clock: Clock) -> None:
        accepted = await store.intake.accept(inbound("e1", locale="zh-CN"), persona="tutor")
        assert not accepted.duplicate
        assert not accepted.merged
        conversation = await store.conversations.get(key())
        assert conversation is not None
        assert (conversation.key, conversation.persona, conversation.locale) == (key(), "tutor", "zh-CN")
        assert conversation.created_at.timestamp() == clock()
        assert conversation.created_at.utcoffset() == timedelta(0)
        assert await store.turns.get(accepted.turn) == Turn(
            id=accepted.turn,
            conversation=key(),
            persona="tutor",
            persona_version=None,
            state=TurnState.QUEUED,
            attempt=0,
            epoch=0,
            locale="zh-CN",
        )
        (message,) = await store.conversations.messages(key())
        assert (message.role, message.text, message.author, message.turn) == (
            "user",
            "question e1",
            "Ann",
            accepted.turn,
        )
        assert message.at == SENT_AT

    async def test_an_existing_conversation_keeps_its_persona(self, store: Store) -> None:
        await store.conversations.open(key(), persona="writer")
        accepted = await store.intake.accept(inbound("e1"), persona="tutor")
        turn = await store.turns.get(accepted.turn)
        assert turn is not None
        assert turn.persona == "writer"

    async def test_a_delivery_of_the_same_event_or_the_same_message_changes_nothing(self, store: Store) -> None:
        await checks.duplicates_make_no_second_turn(store)

    async def test_the_same_ids_of_another_tenant_or_channel_are_other_messages(self, store: Store) -> None:
        mine = inbound("e1", message="m1")
        other_tenant = replace(mine, conversation=replace(mine.conversation, tenant="other"))
        other_channel = replace(mine, conversation=replace(mine.conversation, channel="slack"))
        accepted = [await store.intake.accept(m, persona="tutor") for m in (mine, other_tenant, other_channel)]
        assert not any(a.duplicate for a in accepted)
        assert len({a.turn for a in accepted}) == 3

    async def test_messages_without_a_message_id_are_told_apart_by_their_event(self, store: Store) -> None:
        assert await accept(store, "e1") != await accept(store, "e2")

    async def test_beyond_the_bound_messages_join_the_newest_waiting_turn(self, store: Store) -> None:
        accepted = [
            await store.intake.accept(inbound(f"e{n}"), persona="tutor", bounds=Bounds(waiting=2)) for n in range(4)
        ]
        assert [a.merged for a in accepted] == [False, False, True, True]
        assert accepted[1].turn == accepted[2].turn == accepted[3].turn
        again = await store.intake.accept(inbound("e3"), persona="tutor", bounds=Bounds(waiting=2))
        assert again.duplicate
        assert again.turn == accepted[1].turn
        claim = await claimed(store)
        first = await begun(store, claim)
        assert [m.text for m in first.question] == ["question e0"]
        await store.turns.finish(claim, first.turn.id, outcome())
        second = await begun(store, claim)
        assert [m.text for m in second.question] == ["question e1", "question e2", "question e3"]

    async def test_a_running_turn_does_not_count_as_waiting_and_takes_no_more(self, store: Store) -> None:
        running = await accept(store, "e0")
        await begun(store, await claimed(store))
        waiting = await store.intake.accept(inbound("e1"), persona="tutor", bounds=Bounds(waiting=1))
        assert not waiting.merged
        assert waiting.turn != running

    @settings(max_examples=25, deadline=None, suppress_health_check=SHARED_STORE)
    @given(written=st.tuples(TEXT, TEXT, TEXT.filter(bool), TEXT, TEXT, TEXT))
    async def test_every_text_comes_back_to_the_byte(self, store: Store, written: tuple[str, ...]) -> None:
        question, author, room, answer, progress, comment = written
        message = inbound("e", room=room, text=question)
        message = replace(message, author=replace(message.author, name=author))
        await store.intake.accept(message, persona="tutor")
        claim = await claimed(store)
        assert claim.conversation == key(room)
        work = await begun(store, claim)
        assert (work.question[0].text, work.question[0].author) == (question, author)
        await store.turns.save(claim, work.turn.id, text=progress)
        saved = await store.turns.get(work.turn.id)
        assert saved is not None
        assert saved.text == progress
        source = Source(title=author, path=room, text=answer)
        delivery = await store.turns.finish(claim, work.turn.id, outcome(answer, sources=(source,)))
        assert await store.outbox.pending(claim) == (replace(delivery, attempt=2),)
        assert (await store.conversations.messages(key(room)))[-1] == delivery.message
        assert delivery.message.text == answer
        assert await store.turns.rate(work.turn.id, Rating(rating="down", comment=comment))
        await store.conversations.erase(key(room))


class ConversationContract:
    async def test_open_creates_once_and_returns_what_stands(self, store: Store) -> None:
        first = await store.conversations.open(key(), persona="tutor", locale="en", secret_hash="s", visitor="v")
        again = await store.conversations.open(key(), persona="writer", locale="zh", secret_hash="t")
        assert again == first == await store.conversations.get(key())
        assert (first.persona, first.locale, first.secret_hash, first.visitor) == ("tutor", "en", "s", "v")

    async def test_an_unknown_conversation_is_none_and_has_no_messages(self, store: Store) -> None:
        assert await store.conversations.get(key("nowhere")) is None
        assert await store.conversations.messages(key("nowhere")) == ()
        assert await store.turns.newest(key("nowhere")) is None

    async def test_messages_stand_in_the_order_of_their_turns_each_reply_after_its_questions(
        self, store: Store
    ) -> None:
        for n in range(3):
            await accept(store, f"e{n}")
        claim = await claimed(store)
        for n in range(3):
            await store.turns.finish(claim, (await begun(store, claim)).turn.id, outcome(f"reply {n}"))
        expected = [text for n in range(3) for text in (f"question e{n}", f"reply {n}")]
        assert await texts(store) == expected

    async def test_pages_of_older_messages_join_to_the_whole(self, store: Store) -> None:
        for n in range(5):
            await answered(store, f"e{n}", text=f"reply {n}")
        whole = await store.conversations.messages(key())
        assert len(whole) == 10
        pages = [await store.conversations.messages(key(), limit=3)]
        while pages[0]:
            pages.insert(0, await store.conversations.messages(key(), before=pages[0][0].id, limit=3))
        assert [len(page) for page in pages] == [0, 1, 3, 3, 3]
        assert tuple(message for page in pages for message in page) == whole

    async def test_a_page_before_a_message_of_another_conversation_is_empty(self, store: Store) -> None:
        await answered(store, "e1")
        other = await answered(store, "e2", room="other")
        assert await store.conversations.messages(key(), before=other.message.id) == ()
        assert await store.conversations.messages(key(), before="unknown") == ()

    async def test_erasing_removes_everything_and_fences_out_who_still_works_on_it(self, store: Store) -> None:
        delivered = await answered(store, "e1")
        await store.turns.rate(delivered.turn, Rating(rating="up"))
        turn = await accept(store, "e2")
        claim = await claimed(store)
        await begun(store, claim)
        await answered(store, "other", room="other")
        await store.conversations.erase(key())
        assert await store.conversations.get(key()) is None
        assert await texts(store) == []
        assert await store.turns.get(turn) is None
        assert await store.turns.newest(key()) is None
        assert not await store.turns.rate(delivered.turn, Rating(rating="up"))
        with pytest.raises(LeaseLost):
            await store.turns.save(claim, turn, text="late")
        with pytest.raises(LeaseLost):
            await store.turns.finish(claim, turn, outcome("late"))
        await store.claims.release(claim)
        assert await store.claims.claim("a", channels=CHANNELS, lease=LEASE) is None
        assert await texts(store, "other") == ["question other", "an answer"]
        await store.conversations.erase(key("never there"))

    async def test_a_claim_from_before_an_erasure_never_fits_the_conversation_made_anew(self, store: Store) -> None:
        await accept(store, "e1")
        old = await claimed(store, "a")
        await store.conversations.erase(key())
        turn = await accept(store, "e1")
        await claimed(store, "a")
        with pytest.raises(LeaseLost):
            await store.turns.finish(old, turn, outcome("late"))
        with pytest.raises(LeaseLost):
            await store.claims.renew(old, lease=LEASE)


class ClaimContract:
    async def test_without_work_there_is_nothing_to_claim(self, store: Store) -> None:
        await store.conversations.open(key(), persona="tutor")
        assert await store.claims.claim("a", channels=CHANNELS, lease=LEASE) is None

    async def test_only_conversations_of_the_named_channels_are_claimed(self, store: Store) -> None:
        await store.intake.accept(inbound("e1", channel="slack"), persona="tutor")
        assert await store.claims.claim("a", channels=["web"], lease=LEASE) is None
        assert await store.claims.claim("a", channels=[], lease=LEASE) is None
        claim = await store.claims.claim("a", channels={"web", "slack"}, lease=LEASE)
        assert claim is not None
        assert claim.conversation.channel == "slack"

    async def test_the_conversation_that_waits_longest_comes_first(self, store: Store, clock: Clock) -> None:
        for room in ("first", "second", "third"):
            await accept(store, room, room=room)
            clock.pass_(timedelta(seconds=1))
        assert [(await claimed(store)).conversation.room for _ in range(3)] == ["first", "second", "third"]

    async def test_a_conversation_with_ever_new_messages_does_not_stay_first(self, store: Store, clock: Clock) -> None:
        await accept(store, "e1", room="busy")
        clock.pass_(timedelta(seconds=1))
        await accept(store, "e2", room="patient")
        claim = await claimed(store)
        clock.pass_(timedelta(seconds=1))
        await accept(store, "e3", room="busy")
        work = await begun(store, claim)
        await store.turns.finish(claim, work.turn.id, outcome())
        await store.outbox.sent(claim, work.turn.id)
        await store.claims.release(claim)
        assert (await claimed(store)).conversation.room == "patient"

    async def test_many_claims_at_once_take_each_conversation_once(self, store: Store) -> None:
        for n in range(10):
            await accept(store, f"e{n}", room=f"room{n}")
        claims = await asyncio.gather(*(store.claims.claim(f"h{n}", channels=CHANNELS, lease=LEASE) for n in range(20)))
        taken = [claim.conversation.room for claim in claims if claim is not None]
        assert sorted(taken) == sorted(f"room{n}" for n in range(10))

    async def test_a_lease_runs_out_unless_renewed_and_the_next_claim_adds_one_to_the_epoch(
        self, store: Store, clock: Clock
    ) -> None:
        await accept(store, "e1")
        first = await claimed(store, "a")
        clock.pass_(LEASE - timedelta(seconds=1))
        await store.claims.renew(first, lease=LEASE)
        clock.pass_(LEASE - timedelta(seconds=1))
        assert await store.claims.claim("b", channels=CHANNELS, lease=LEASE) is None
        clock.pass_(timedelta(seconds=1))
        second = await claimed(store, "b")
        assert second.epoch == first.epoch + 1
        assert second.holder == "b"

    async def test_a_released_conversation_is_claimable_at_once(self, store: Store) -> None:
        await accept(store, "e1")
        first = await claimed(store, "a")
        await store.claims.release(first)
        assert (await claimed(store, "b")).epoch == first.epoch + 1

    async def test_releasing_a_lost_claim_frees_nobody_elses(self, store: Store, clock: Clock) -> None:
        await accept(store, "e1")
        lost = await claimed(store, "a")
        clock.pass_(LEASE)
        await claimed(store, "a")
        await store.claims.release(lost)
        assert await store.claims.claim("c", channels=CHANNELS, lease=LEASE) is None

    async def test_a_stale_claim_writes_nothing(self, store: Store, clock: Clock) -> None:
        await checks.stale_claims_write_nothing(store, clock)


class DeliveryContract:
    async def test_replies_wait_in_order_until_each_is_sent(self, store: Store) -> None:
        for n in range(3):
            await accept(store, f"e{n}")
        claim = await claimed(store)
        deliveries = [
            await store.turns.finish(claim, (await begun(store, claim)).turn.id, outcome(f"reply {n}"))
            for n in range(3)
        ]
        first, *rest = deliveries
        assert await store.outbox.pending(claim) == tuple(replace(d, attempt=2) for d in deliveries)
        await store.outbox.sent(claim, first.turn)
        assert await store.outbox.pending(claim) == tuple(replace(d, attempt=3) for d in rest)
        await store.outbox.sent(claim, first.turn)
        assert await store.outbox.pending(claim) == tuple(replace(d, attempt=4) for d in rest)

    async def test_a_conversation_waits_until_its_last_reply_is_sent(self, store: Store) -> None:
        await accept(store, "e1")
        claim = await claimed(store, "a")
        delivery = await store.turns.finish(claim, (await begun(store, claim)).turn.id, outcome())
        await store.claims.release(claim)
        claim = await claimed(store, "b")
        assert await store.turns.begin(claim, history=5) is None
        assert await store.outbox.pending(claim) == (replace(delivery, attempt=2),)
        await store.outbox.sent(claim, delivery.turn)
        await store.claims.release(claim)
        assert await store.claims.claim("c", channels=CHANNELS, lease=LEASE) is None

    async def test_the_claim_is_given_back_with_the_last_reply_and_kept_while_something_waits(
        self, store: Store
    ) -> None:
        turns = [await accept(store, f"e{n}") for n in range(2)]
        claim = await claimed(store, "a")
        for turn, waits in zip(turns, (True, False), strict=True):
            await begun(store, claim)
            await store.turns.finish(claim, turn, outcome())
            assert await store.outbox.sent(claim, turn) is waits
        with pytest.raises(LeaseLost):
            await store.claims.renew(claim, lease=LEASE)
        await accept(store, "e3")
        assert (await claimed(store, "b")).epoch == claim.epoch + 1

    async def test_a_message_that_comes_in_while_a_reply_is_sent_is_not_forgotten(self, store: Store) -> None:
        await accept(store, "e1")
        claim = await claimed(store)
        delivery = await store.turns.finish(claim, (await begun(store, claim)).turn.id, outcome())
        turn, _ = await asyncio.gather(accept(store, "e2"), store.outbox.sent(claim, delivery.turn))
        await store.claims.release(claim)
        assert (await begun(store, await claimed(store))).turn.id == turn


class StoreContract(IntakeContract, ConversationContract, ClaimContract, DeliveryContract):
    async def test_fifty_tasks_at_once_lose_repeat_and_reorder_nothing(self, store: Store) -> None:
        await checks.many_at_once_keep_order(store)

    async def test_an_open_store_says_it_is_well(self, store: Store) -> None:
        await store.check()

    async def test_a_turn_of_another_conversation_cannot_be_written_with_this_claim(self, store: Store) -> None:
        await accept(store, "e1", room="mine")
        mine = await claimed(store)
        foreign = await accept(store, "e2", room="theirs")
        theirs = await claimed(store)
        await begun(store, theirs)
        for write in (
            store.turns.save(mine, foreign, text="x"),
            store.turns.finish(mine, foreign, outcome("x")),
        ):
            with pytest.raises(UnknownTurn):
                await write
        turn = await store.turns.get(foreign)
        assert turn is not None
        assert (turn.state, turn.text) == (TurnState.RUNNING, "")
