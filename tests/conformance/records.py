"""What every Store keeps to with people's data. Subclass `RecordsContract`; fixtures as for `StoreContract`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import LeaseLost
from bot.ports import Store
from bot.types import Author, ConversationKey, Person, Rating, Record, Source, TurnState
from tests.conformance.memories import summarised
from tests.conformance.samples import CHANNELS, LEASE, Clock, begun, claimed, inbound, key, outcome

ANN = Person(channel="web", tenant="shop", id="author-ann")
BEN = Person(channel="web", tenant="shop", id="author-ben")
DAY = timedelta(days=1)
SOURCE = Source(title="Returns", path="kb/returns.md", text="Returns take 30 days.")


async def written(store: Store, event: str, *, by: Person = ANN, room: str = "room", text: str | None = None) -> str:
    """The turn of a message by somebody."""
    message = inbound(event, room=room, text=text)
    accepted = await store.intake.accept(replace(message, author=Author(id=by.id, name=by.id)), persona="tutor")
    return accepted.turn


async def talked(
    store: Store,
    event: str,
    *,
    by: Person = ANN,
    room: str = "room",
    text: str | None = None,
    reply: str | None = None,
    state: TurnState = TurnState.DONE,
    sources: tuple[Source, ...] = (),
    **facts: str,
) -> str:
    """A question by somebody, answered, delivered and rated."""
    turn = await written(store, event, by=by, room=room, text=text)
    claim = await claimed(store)
    await begun(store, claim)
    said = outcome(reply or f"reply {event}", state, sources=sources)
    await store.turns.finish(claim, turn, replace(said, facts=facts))
    await store.outbox.sent(claim, turn)
    await store.claims.release(claim)
    await store.turns.rate(turn, Rating(rating="up", comment=f"comment {event}"))
    return turn


async def exported(store: Store, whom: Person | ConversationKey) -> Sequence[Record]:
    records = [record async for record in store.records.export(whom)]
    assert json.dumps(records)
    return records


def kinds(records: Sequence[Record]) -> list[object]:
    return [record["record"] for record in records]


async def hits(store: Store, needle: str) -> dict[str, int]:
    return {place: number for place, number in (await store.records.find(needle)).items() if number}


def in_tables(found: dict[str, int]) -> dict[str, int]:
    return {place: number for place, number in found.items() if not place.startswith("file ")}


class RecordsContract:
    async def test_a_conversation_is_exported_whole_oldest_first(self, store: Store) -> None:
        first = await talked(store, "e1", city="Berlin")
        await summarised(store, first)
        await talked(store, "e2", by=BEN)
        await talked(store, "other", room="other")
        records = await exported(store, key())
        assert sorted(map(str, kinds(records))) == sorted(
            ["conversation", "turn", "turn", *["message"] * 4, "rating", "rating", "summary", "fact"]
        )
        assert kinds(records)[0] == "conversation"
        said = [record["text"] for record in records if record["record"] == "message"]
        assert said == ["question e1", "reply e1", "question e2", "reply e2"]
        (fact,) = (record for record in records if record["record"] == "fact")
        assert (fact["name"], fact["value"], fact["turn"]) == ("city", "Berlin", first)
        assert str(records[0]["created_at"]).endswith("+00:00")
        assert not any("secret_hash" in record for record in records)
        assert await exported(store, key("nowhere")) == []

    async def test_many_turns_are_exported_page_after_page(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("storage.sql.exporting._PAGE", 2)
        for n in range(5):
            await talked(store, f"e{n}", city=f"city {n}")
        records = await exported(store, key())
        assert kinds(records).count("conversation") == 1
        assert [r["text"] for r in records if r["record"] == "turn"] == [f"reply e{n}" for n in range(5)]
        assert kinds(records).count("fact") == 1

    async def test_a_person_gets_what_is_theirs_and_no_words_of_others(self, store: Store) -> None:
        first = await talked(store, "e1", city="Berlin")
        second = await talked(store, "e2", by=BEN, text="ben's words", country="France")
        await summarised(store, second, "what both said")
        await talked(store, "own", room="own")
        records = await exported(store, ANN)
        text = json.dumps(records)
        assert "ben" not in text
        assert "France" not in text
        assert "what both said" not in text
        assert {record["id"] for record in records if record["record"] == "turn"} >= {first}
        assert [r["text"] for r in records if r["record"] == "message"] == [
            *("question own", "reply own"),
            *("question e1", "reply e1"),
        ]

    async def test_a_person_is_one_of_a_channel_and_where_named_of_a_tenant(self, store: Store) -> None:
        await talked(store, "e1")
        assert await exported(store, replace(ANN, channel="slack")) == []
        assert await exported(store, replace(ANN, tenant="other")) == []
        assert await exported(store, replace(ANN, tenant=None)) == await exported(store, ANN) != []

    async def test_rated_answers_come_with_question_sources_and_names_the_oldest_rating_first(
        self, store: Store, clock: Clock
    ) -> None:
        first = await talked(store, "e1", sources=(SOURCE,))
        second = await talked(store, "e2", by=BEN)
        clock.pass_(DAY)
        await store.turns.rate(first, Rating(rating="down", may_train=True))
        third, _ = await talked(store, "e3", room="other"), await written(store, "never answered")
        newest = [one async for one in store.records.rated()]
        assert [one.turn for one in newest] == [second, first, third]
        assert [one.rating.rating for one in newest] == ["up", "down", "up"]
        assert [one.rating.may_train for one in newest] == [False, True, False]
        one = newest[1]
        assert ([m.text for m in one.question], one.answer.text, one.persona) == (["question e1"], "reply e1", "tutor")
        assert one.answer.sources == (SOURCE,)
        assert one.names == (ANN.id, BEN.id)
        assert newest[2].names == (ANN.id,)
        assert [o.turn async for o in store.records.rated(since=one.rated_at)] == [first, third]
        assert [o.turn async for o in store.records.rated(persona="tutor")] == [second, first, third]
        assert [o.turn async for o in store.records.rated(persona="other")] == []

    async def test_what_was_stopped_or_failed_and_what_no_model_said_is_not_among_the_rated(self, store: Store) -> None:
        for n, state in enumerate((TurnState.STOPPED, TurnState.FAILED)):
            await talked(store, f"e{n}", state=state)
        prepared = await store.intake.answer(inbound("!help"), persona="tutor", reply="Commands: …")
        claim = await claimed(store)
        work = await begun(store, claim)
        assert work.reply is not None
        await store.turns.finish(claim, prepared.turn, work.reply)
        assert await store.turns.rate(prepared.turn, Rating(rating="up"))
        assert [one async for one in store.records.rated()] == []

    async def test_many_ratings_of_one_moment_are_each_told_once(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.sql.rating._PAGE", 2)
        turns = [await talked(store, f"e{n}") for n in range(5)]
        found = [one.turn async for one in store.records.rated()]
        assert sorted(found) == sorted(turns)
        await store.records.erase(ANN)
        assert [one async for one in store.records.rated()] == []

    async def test_an_erased_person_is_nowhere_and_everybody_else_s_data_is_as_before(self, store: Store) -> None:
        await talked(store, "before", by=BEN, city="Paris")
        theirs = await talked(store, "e1", text="canary-text", reply="canary-reply", order_number="canary-fact")
        after = await talked(store, "after", by=BEN)
        await summarised(store, after, "canary-summary")
        await talked(store, "own", room="canary-room", text="canary-own")
        await talked(store, "ben", by=BEN, room="bens")
        before = await exported(store, BEN)
        erased = await store.records.erase(ANN)
        assert [k.room for k in erased.gone] == ["canary-room"]
        assert erased.changed == (key(),)
        assert erased.cut == ()
        for needle in ("canary", ANN.id, theirs):
            assert await hits(store, needle) == {}
        assert await exported(store, ANN) == []
        assert await exported(store, BEN) == before
        assert await store.turns.get(theirs) is None
        assert await store.memories.overflowed(limit=5) == (key(),)

    async def test_a_summary_from_before_the_erased_turns_stays(self, store: Store) -> None:
        first = await talked(store, "before", by=BEN)
        await summarised(store, first, "what ben said")
        await talked(store, "e1")
        await store.records.erase(ANN)
        memory = await store.memories.read(key())
        assert memory is not None
        assert memory.summary is not None
        assert memory.summary.text == "what ben said"
        assert await store.memories.overflowed(limit=5) == ()

    async def test_a_conversation_of_a_visitor_goes_whole_whoever_wrote_in_it(self, store: Store) -> None:
        await store.conversations.open(key(), persona="tutor", visitor=ANN.id)
        await talked(store, "e1", by=BEN)
        erased = await store.records.erase(ANN)
        assert erased.gone == (key(),)
        assert await store.conversations.get(key()) is None

    async def test_who_works_on_an_erased_turn_is_fenced_out_and_the_others_go_on(self, store: Store) -> None:
        running = await written(store, "e1")
        waiting = await written(store, "e2", by=BEN)
        claim = await claimed(store)
        await begun(store, claim)
        before = await store.memories.read(key())
        erased = await store.records.erase(ANN)
        assert erased.cut == (running,)
        with pytest.raises(LeaseLost):
            await store.turns.finish(claim, running, outcome("late"))
        with pytest.raises(LeaseLost):
            await store.turns.save(claim, running, text="late")
        after = await store.memories.read(key())
        assert before is not None
        assert after is not None
        assert after.version != before.version
        anew = await claimed(store, "b")
        work = await begun(store, anew)
        assert work.turn.id == waiting
        await store.turns.finish(anew, waiting, outcome())
        await store.outbox.sent(anew, waiting)
        await store.claims.release(anew)
        assert await store.claims.claim("c", channels=CHANNELS, lease=LEASE) is None

    async def test_nothing_waits_where_only_the_erased_person_s_turns_did(self, store: Store) -> None:
        await talked(store, "e0", by=BEN)
        await written(store, "e1")
        await store.records.erase(ANN)
        assert await store.claims.claim("a", channels=CHANNELS, lease=LEASE) is None

    async def test_a_conversation_is_erased_whole_with_what_is_being_answered(self, store: Store) -> None:
        await talked(store, "e1")
        turn = await written(store, "e2")
        await begun(store, await claimed(store))
        erased = await store.records.erase(key())
        assert (erased.gone, erased.changed, erased.cut) == ((key(),), (), (turn,))
        assert await hits(store, key().encode()) == {}
        assert (await store.records.erase(key())).gone == ()

    async def test_finished_turns_go_after_their_time_with_all_that_rests_on_them(
        self, store: Store, clock: Clock
    ) -> None:
        old = await talked(store, "old", text="canary", reply="canary", city="canary")
        await summarised(store, old, "canary")
        clock.pass_(20 * DAY)
        await talked(store, "new")
        clock.pass_(10 * DAY)
        assert await store.records.expire(keep=30 * DAY) == 1
        assert await hits(store, "canary") == {}
        assert [m.text for m in await store.conversations.messages(key())] == ["question new", "reply new"]
        assert await store.memories.overflowed(limit=5) == (key(),)
        assert await store.records.expire(keep=30 * DAY) == 0

    async def test_conversations_go_when_they_were_idle_for_that_long(self, store: Store, clock: Clock) -> None:
        await store.conversations.open(key("opened"), persona="tutor")
        await talked(store, "e1")
        waiting = await written(store, "unanswered", room="waiting")
        clock.pass_(30 * DAY + timedelta(seconds=1))
        await store.conversations.open(key("fresh"), persona="tutor")
        assert await store.records.expire(keep=30 * DAY) == 3
        assert await store.conversations.get(key("opened")) is None
        assert await store.conversations.get(key()) is None
        assert await store.conversations.get(key("fresh")) is not None
        turn = await store.turns.get(waiting)
        assert turn is not None
        assert turn.state is TurnState.QUEUED

    async def test_a_persona_s_own_time_goes_before_and_without_any_nothing_goes(
        self, store: Store, clock: Clock
    ) -> None:
        await talked(store, "e1")
        await store.conversations.open(key("writer"), persona="writer")
        clock.pass_(20 * DAY)
        assert await store.records.expire(keep=None) == 0
        assert await store.records.expire(keep=10 * DAY, personas={"tutor": 90 * DAY}) == 1
        assert await store.conversations.get(key()) is not None
        assert await store.records.expire(keep=None, personas={"tutor": 10 * DAY}) == 2
        assert await store.conversations.get(key()) is None

    async def test_a_message_delivered_again_within_48_hours_is_known_however_short_the_time(
        self, store: Store, clock: Clock
    ) -> None:
        turn = await talked(store, "e1")
        clock.pass_(timedelta(hours=47))
        await store.records.expire(keep=timedelta(hours=1), personas={"tutor": timedelta(hours=1)})
        assert await written(store, "e1") == turn

    async def test_retention_deletes_many_turns_in_small_steps(
        self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.sql.erasing._ROWS", 20)
        for n in range(12):
            await talked(store, f"e{n}", room=f"room{n % 3}")
        clock.pass_(31 * DAY)
        assert await store.records.expire(keep=30 * DAY) == 15
        assert await hits(store, "question") == {}

    async def test_a_text_is_found_in_every_column_that_holds_it_and_nowhere_else(self, store: Store) -> None:
        await talked(store, "e1", text='say "杯子" 100%_', reply="杯子", city="杯子")
        assert in_tables(await hits(store, '"杯子" 100%_')) == {"messages.text": 1}
        assert in_tables(await hits(store, "杯子")) == {"messages.text": 2, "turns.text": 1, "facts.value": 1}
        assert in_tables(await hits(store, '"杯子" 1000_')) == {}
        assert in_tables(await hits(store, "SAY")) == {}
