"""What a store does with messages that change, with those heard before, and with where replies are shown."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import LeaseLost
from bot.ports import Store
from bot.types import Author, Change, Heard, Person, Retracted, Summary
from tests.conformance.samples import LEASE, SENT_AT, Clock, answered, begun, claimed, inbound, key, outcome, texts

EARLIER = tuple(
    Heard(author=Author(id=name.lower(), name=name), text=text, at=SENT_AT, message_id=f"h{number}")
    for number, (name, text) in enumerate([("Bob", "It is broken."), ("Cy", "Since Monday.")])
)


async def ask(store: Store, event: str, *, text: str | None = None, earlier: tuple[Heard, ...] = ()) -> str:
    message = replace(inbound(event, message=f"m-{event}", text=text), earlier=earlier)
    return (await store.intake.accept(message, persona="tutor")).turn


async def edit(store: Store, event: str, text: str) -> bool:
    return await store.intake.edit("web", "shop", f"m-{event}", text=text)


async def retract(store: Store, message: str) -> Retracted | None:
    return await store.intake.retract("web", "shop", message)


class EditingContract:
    async def test_a_turn_tells_which_events_asked_it(self, store: Store) -> None:
        turn = await ask(store, "e1")
        assert await store.turns.asked(turn) == ("e1",)
        await store.intake.accept(inbound("e2"), persona="tutor", overlap=lambda persona: "merge")
        assert set(await store.turns.asked(turn)) == {"e1", "e2"}
        assert await store.turns.asked("unknown") == ()

    async def test_an_edit_changes_the_question_until_its_answer_begins(self, store: Store) -> None:
        await ask(store, "e1", text="wat?")
        assert await edit(store, "e1", "what?")
        claim = await claimed(store)
        work = await begun(store, claim)
        assert [message.text for message in work.question] == ["what?"]
        assert not await edit(store, "e1", "who?")
        await store.turns.finish(claim, work.turn.id, outcome())
        assert not await edit(store, "e1", "who?")
        assert await texts(store) == ["what?", "an answer"]

    async def test_an_edit_finds_its_message_by_channel_tenant_and_id(self, store: Store) -> None:
        await ask(store, "e1", text="what?")
        assert not await store.intake.edit("web", "other", "m-e1", text="x")
        assert not await store.intake.edit("slack", "shop", "m-e1", text="x")
        assert not await edit(store, "e2", "x")
        assert await texts(store) == ["what?"]

    async def test_a_message_taken_back_goes_with_its_answer(self, store: Store) -> None:
        await ask(store, "e1")
        claim = await claimed(store)
        work = await begun(store, claim)
        await store.turns.finish(claim, work.turn.id, replace(outcome(), facts={"name": "Ann"}))
        await store.outbox.sent(claim, work.turn.id)
        await answered(store, "e2")
        assert await retract(store, "m-e1") == Retracted(conversation=key(), gone=True)
        assert await retract(store, "m-e1") is None
        assert await texts(store) == ["question e2", "an answer"]
        await ask(store, "e3")
        work = await begun(store, await claimed(store))
        assert work.memory.facts == {}
        assert [message.text for message in work.memory.messages] == ["question e2", "an answer"]

    async def test_whoever_answers_what_was_taken_back_is_fenced_out(self, store: Store) -> None:
        turn = await ask(store, "e1")
        claim = await claimed(store)
        await begun(store, claim)
        assert await retract(store, "m-e1") == Retracted(conversation=key(), gone=True, cut=turn)
        with pytest.raises(LeaseLost):
            await store.turns.save(claim, turn, text="half")
        assert await store.claims.claim("b", channels=("web",), lease=LEASE) is None

    async def test_a_turn_that_waits_with_more_questions_loses_the_one_taken_back(self, store: Store) -> None:
        for event in ("e1", "e2", "e3"):
            message = inbound(event, message=f"m-{event}")
            await store.intake.accept(message, persona="tutor", overlap=lambda persona: "merge")
        assert await retract(store, "m-e2") == Retracted(conversation=key())
        work = await begun(store, await claimed(store))
        assert [message.text for message in work.question] == ["question e1", "question e3"]

    async def test_what_was_said_before_is_remembered_where_the_conversation_is_new(self, store: Store) -> None:
        await ask(store, "e1", earlier=EARLIER)
        await ask(store, "e2", earlier=EARLIER)
        claim = await claimed(store)
        work = await begun(store, claim)
        heard = [("Bob", "It is broken."), ("Cy", "Since Monday.")]
        assert [(message.author, message.text) for message in work.memory.messages] == heard
        assert [message.text for message in work.question] == ["question e1"]
        await store.turns.finish(claim, work.turn.id, outcome())
        work = await begun(store, claim)
        said = [("Ann", "question e1"), (None, "an answer")]
        assert [(message.author, message.text) for message in work.memory.messages] == [*heard, *said]

    async def test_what_was_heard_can_be_taken_back_and_erased_by_who_said_it(self, store: Store) -> None:
        await ask(store, "e1", earlier=EARLIER)
        assert await retract(store, "h0") == Retracted(conversation=key())
        cy = Person(channel="web", id="cy")
        exported = [record async for record in store.records.export(cy)]
        assert [record["text"] for record in exported if record["record"] == "message"] == ["Since Monday."]
        await store.records.erase(cy)
        assert await texts(store) == ["question e1"]
        work = await begun(store, await claimed(store))
        assert work.memory.messages == ()

    async def test_a_conversation_begun_anew_keeps_what_was_said_and_remembers_none_of_it(self, store: Store) -> None:
        await ask(store, "e1")
        claim = await claimed(store)
        work = await begun(store, claim)
        await store.turns.finish(claim, work.turn.id, replace(outcome(), facts={"name": "Ann"}))
        await store.outbox.sent(claim, work.turn.id)
        assert await store.memories.summarise(key(), Summary(covers=work.turn.id, text="Ann asked."), of=())
        told = await store.intake.answer(
            inbound("new"), persona="tutor", reply="Anew.", change=Change(anew=True, persona="writer")
        )
        claim = await claimed(store)
        work = await begun(store, claim)
        assert work.turn.id == told.turn
        assert work.reply is not None
        await store.turns.finish(claim, work.turn.id, work.reply)
        await ask(store, "e2")
        work = await begun(store, claim)
        assert (work.turn.persona, work.memory.messages, work.memory.facts) == ("writer", (), {})
        assert work.memory.summary is None
        assert await store.memories.uncovered(key(), limit=9) == ()
        assert (await texts(store))[:2] == ["question e1", "an answer"]

    async def test_where_a_reply_is_shown_is_known_to_later_attempts_and_deliveries(
        self, store: Store, clock: Clock
    ) -> None:
        turn = await ask(store, "e1")
        work = await begun(store, await claimed(store))
        assert work.turn.shown is None
        await store.turns.place(work.turn, "message 7")
        clock.pass_(LEASE + timedelta(seconds=1))
        claim = await claimed(store, "b")
        again = await begun(store, claim)
        assert (again.turn.shown, again.turn.attempt) == ("message 7", 2)
        with pytest.raises(LeaseLost):
            await store.turns.place(work.turn, "message 8")
        await store.turns.place(again.turn, "message 9")
        delivery = await store.turns.finish(claim, turn, outcome())
        assert (delivery.shown, delivery.tries, delivery.attempt) == ("message 9", 2, 1)
        (pending,) = await store.outbox.pending(claim)
        assert (pending.shown, pending.tries, pending.attempt) == ("message 9", 2, 2)
