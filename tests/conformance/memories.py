"""What every Store keeps to with long memory. Subclass `MemoryContract`; fixtures as for `StoreContract`."""

from dataclasses import replace
from datetime import timedelta

from bot.ports import Store
from bot.types import Summary, TurnState
from tests.conformance.samples import Clock, accept, answered, begun, claimed, key, outcome


async def remembered(store: Store, event: str, *, room: str = "room", overflowed: bool = False, **facts: str) -> str:
    """The turn of a next question, answered and delivered, after which these facts are known."""
    turn = await accept(store, event, room=room)
    claim = await claimed(store)
    work = await begun(store, claim)
    ended = replace(outcome(f"reply {event}"), facts=facts, overflowed=overflowed)
    await store.turns.finish(claim, work.turn.id, ended)
    await store.outbox.sent(claim, turn)
    await store.claims.release(claim)
    return turn


async def summarised(store: Store, covers: str, text: str = "in short", *, room: str = "room") -> bool:
    """Keep a summary of all that no summary covers yet, up to a turn."""
    memory = await store.memories.read(key(room))
    assert memory is not None
    told = [message.id for message in await store.memories.uncovered(key(room), limit=100) if message.turn <= covers]
    summary = Summary(covers=covers, text=text)
    return await store.memories.summarise(key(room), summary, of=told, after=memory.summary)


class MemoryContract:
    async def test_an_unknown_conversation_has_no_memory_and_a_new_one_an_empty_one(self, store: Store) -> None:
        assert await store.memories.read(key()) is None
        await store.conversations.open(key(), persona="tutor")
        memory = await store.memories.read(key(), messages=5)
        assert memory is not None
        assert (memory.messages, memory.summary, memory.facts) == ((), None, {})

    async def test_facts_are_read_by_their_names_and_a_newer_value_replaces_the_older(self, store: Store) -> None:
        await remembered(store, "e1", order_number="A-77", city="Berlin")
        await remembered(store, "e2", order_number="A-78")
        memory = await store.memories.read(key())
        assert memory is not None
        assert memory.facts == {"order_number": "A-78", "city": "Berlin"}

    async def test_the_version_changes_with_all_that_is_remembered(self, store: Store) -> None:
        versions = []
        first = await remembered(store, "e1", city="Berlin")
        for change in (
            lambda: summarised(store, first),
            lambda: remembered(store, "e2"),
            lambda: remembered(store, "e3"),
        ):
            memory = await store.memories.read(key())
            assert memory is not None
            versions.append(memory.version)
            await change()
        assert len(set(versions)) == 3

    async def test_a_summary_stands_beside_the_messages_it_covers_and_the_rest_is_read_after_it(
        self, store: Store
    ) -> None:
        turns = [await remembered(store, f"e{n}") for n in range(4)]
        assert await summarised(store, turns[1], "two questions")
        memory = await store.memories.read(key(), messages=10)
        assert memory is not None
        assert memory.summary == Summary(covers=turns[1], text="two questions")
        assert [m.text for m in memory.messages] == ["question e2", "reply e2", "question e3", "reply e3"]
        assert len(await store.conversations.messages(key())) == 8
        assert await summarised(store, turns[2], "three questions")
        memory = await store.memories.read(key(), messages=1)
        assert memory is not None
        assert memory.summary == Summary(covers=turns[2], text="three questions")
        assert [m.text for m in memory.messages] == ["reply e3"]

    async def test_uncovered_messages_are_the_oldest_of_finished_turns_after_the_newest_summary(
        self, store: Store
    ) -> None:
        turns = [await remembered(store, f"e{n}") for n in range(3)]
        await accept(store, "unanswered")
        uncovered = await store.memories.uncovered(key(), limit=3)
        assert [m.text for m in uncovered] == ["question e0", "reply e0", "question e1"]
        await summarised(store, turns[0])
        uncovered = await store.memories.uncovered(key(), limit=10)
        assert [m.text for m in uncovered] == ["question e1", "reply e1", "question e2", "reply e2"]
        assert await store.memories.uncovered(key("nowhere"), limit=3) == ()

    async def test_summaries_are_wanted_where_the_window_overflowed_until_one_is_kept(
        self, store: Store, clock: Clock
    ) -> None:
        first = await remembered(store, "e1", room="first", overflowed=True)
        clock.pass_(timedelta(seconds=1))
        await remembered(store, "e2", room="second", overflowed=True)
        clock.pass_(timedelta(seconds=1))
        await remembered(store, "e3", room="first", overflowed=True)
        await remembered(store, "e4", room="third")
        assert [k.room for k in await store.memories.overflowed(limit=9)] == ["first", "second"]
        assert [k.room for k in await store.memories.overflowed(limit=1)] == ["first"]
        await summarised(store, first, room="first")
        assert [k.room for k in await store.memories.overflowed(limit=9)] == ["second"]

    async def test_a_summary_of_what_is_gone_meanwhile_is_not_kept(self, store: Store) -> None:
        turn = await remembered(store, "e1")
        told = [message.id for message in await store.memories.uncovered(key(), limit=10)]
        summary = Summary(covers=turn, text="late")
        assert not await store.memories.summarise(key(), summary, of=[*told, "gone"])
        assert not await store.memories.summarise(key(), summary, of=told, after=Summary(covers="gone", text="x"))
        assert not await store.memories.summarise(key(), replace(summary, covers="gone"), of=told)
        assert not await store.memories.summarise(key("nowhere"), summary, of=told)
        await store.conversations.erase(key())
        assert not await store.memories.summarise(key(), summary, of=told)
        await remembered(store, "e2")
        assert not await store.memories.summarise(key(), summary, of=told)
        memory = await store.memories.read(key())
        assert memory is not None
        assert memory.summary is None

    async def test_of_two_summaries_made_at_once_only_the_first_is_kept(self, store: Store) -> None:
        turn = await remembered(store, "e1")
        told = [message.id for message in await store.memories.uncovered(key(), limit=10)]
        assert await store.memories.summarise(key(), Summary(covers=turn, text="first"), of=told)
        assert not await store.memories.summarise(key(), Summary(covers=turn, text="second"), of=told)
        memory = await store.memories.read(key())
        assert memory is not None
        assert memory.summary == Summary(covers=turn, text="first")

    async def test_a_stopped_turn_s_question_is_remembered(self, store: Store) -> None:
        await accept(store, "e1")
        claim = await claimed(store)
        work = await begun(store, claim)
        await store.turns.finish(claim, work.turn.id, outcome("", TurnState.STOPPED))
        assert [m.text for m in await store.memories.uncovered(key(), limit=5)] == ["question e1"]
        await answered_after(store)


async def answered_after(store: Store) -> None:
    await answered(store, "other", room="other")
