"""The dispatcher on the real store and bus, with a scripted engine and a channel that remembers."""

import asyncio
from datetime import timedelta

from bot import notices
from bot.errors import EngineDied
from bot.lease import Terms
from bot.service import Pace
from bot.testing import FakeChannel, ScriptedEngine
from bot.types import Author, Delivery, Prompt, TurnState
from tests.core.parts import KEY, make_persona
from tests.core.replica import Replica, echo, inbound, until


async def test_a_message_gets_one_visible_reply_that_equals_what_is_stored(replica: Replica) -> None:
    async with replica.serving():
        turn = await replica.hear("hello")
        [delivery] = await replica.delivered(turn)
    assert delivery.state is TurnState.DONE
    assert delivery.message.text == replica.channel.replies[0].text == "You said hello"
    assert await replica.texts() == ["hello", "You said hello"]
    found = await replica.store.turns.get(turn)
    assert found is not None
    assert (found.state, found.persona_version, found.attempt) == (TurnState.DONE, "v1", 1)


async def test_the_bot_s_own_messages_and_overheard_ones_are_not_stored(replica: Replica) -> None:
    own = inbound("me", author=Author(id="b", name="bot", is_self=True))
    assert await replica.inbox.accept(own) is None
    assert await replica.texts() == []


async def test_an_event_delivered_again_gets_no_second_reply(replica: Replica) -> None:
    async with replica.serving():
        first = await replica.hear("hello", event="e1")
        await replica.delivered(first)
        assert await replica.hear("hello", event="e1") == first
        await replica.delivered(await replica.hear("bye"))
    assert await replica.texts() == ["hello", "You said hello", "bye", "You said bye"]


async def test_a_conversation_s_turns_run_in_order_one_at_a_time(replica: Replica) -> None:
    engine = ScriptedEngine(echo, delay=0.002)
    replica.engine = engine
    most = 0

    def count(prompt: Prompt) -> str:
        nonlocal most
        most = max(most, engine.running + 1)
        return echo(prompt)

    engine._script = count
    turns = [await replica.hear(f"m{n}") for n in range(5)]
    async with replica.serving():
        await replica.delivered(*turns)
    assert most == 1
    assert list(replica.channel.delivered) == turns
    assert await replica.texts() == [text for n in range(5) for text in (f"m{n}", f"You said m{n}")]
    assert "You said m3" in [message.text for message in engine.prompts[4].messages]


async def test_conversations_run_at_the_same_time(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("word " * 1000, delay=0.05)
    async with replica.serving():
        for number in range(8):
            await replica.hear("hello", room=f"r{number}")
        await until(lambda: engine.running == 8)


async def test_stop_ends_the_reply_frees_the_engine_and_keeps_what_was_shown(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("word " * 1000, delay=0.002)
    async with replica.serving():
        turn = await replica.hear("hello")
        await until(lambda: len(replica.channel.replies) == 1 and replica.channel.replies[0].text != "")
        await replica.inbox.stop(turn)
        [delivery] = await replica.delivered(turn)
        assert engine.running == 0
    assert delivery.state is TurnState.STOPPED
    assert delivery.message.text == replica.channel.replies[0].text
    assert 0 < len(delivery.message.text) < 4000


async def test_a_stop_before_the_turn_begins_is_not_lost(replica: Replica) -> None:
    turn = await replica.hear("hello")
    await replica.inbox.stop(turn)
    async with replica.serving():
        [delivery] = await replica.delivered(turn)
    assert delivery.state is TurnState.STOPPED
    assert isinstance(replica.engine, ScriptedEngine)
    assert replica.engine.prompts == []


async def test_a_failed_attempt_is_made_again_and_shown_once(replica: Replica) -> None:
    attempts = 0

    def script(prompt: Prompt) -> str | BaseException:
        nonlocal attempts
        attempts += 1
        return EngineDied("gone") if attempts < 3 else echo(prompt)

    replica.engine = ScriptedEngine(script)
    async with replica.serving():
        turn = await replica.hear("hello")
        [delivery] = await replica.delivered(turn)
    assert (delivery.state, delivery.message.text) == (TurnState.DONE, "You said hello")
    assert [reply.turn.attempt for reply in replica.channel.replies] == [1, 2, 3]
    assert await replica.texts() == ["hello", "You said hello"]


async def test_a_poison_turn_is_set_aside_after_three_attempts_and_the_next_one_runs(replica: Replica) -> None:
    def script(prompt: Prompt) -> str | BaseException:
        return EngineDied("gone") if prompt.messages[-1].text == "poison" else echo(prompt)

    replica.engine = engine = ScriptedEngine(script)
    poison = await replica.hear("poison")
    fine = await replica.hear("fine")
    async with replica.serving():
        first, second = await replica.delivered(poison, fine)
    assert first.state is TurnState.FAILED
    assert first.message.text == notices.INTERRUPTED.pick("en")
    assert second.message.text == "You said fine"
    assert len(engine.prompts) == 4


async def test_an_unexpected_error_costs_attempts_and_not_the_dispatcher(replica: Replica) -> None:
    replica.engine = ScriptedEngine(lambda prompt: ValueError("a bug") if "bad" in prompt.messages[-1].text else "ok")
    bad, good = await replica.hear("bad", room="a"), await replica.hear("good", room="b")
    async with replica.serving():
        first, second = await replica.delivered(bad, good)
    assert (first.state, second.state) == (TurnState.FAILED, TurnState.DONE)


async def test_a_persona_that_is_gone_fails_the_turn_with_a_word_to_the_reader(replica: Replica) -> None:
    turn = await replica.hear("hello")
    replica.personas.persona = make_persona(name="other")
    async with replica.serving():
        [delivery] = await replica.delivered(turn)
    assert (delivery.state, delivery.message.text) == (TurnState.FAILED, notices.NO_PERSONA.pick("en"))


async def test_a_question_longer_than_the_context_is_refused_at_once(replica: Replica) -> None:
    replica.engine = ScriptedEngine(echo, context=300)
    async with replica.serving():
        [delivery] = await replica.delivered(await replica.hear("word " * 400))
    assert (delivery.state, delivery.message.text) == (TurnState.FAILED, notices.TOO_LONG.pick("en"))


async def test_another_replica_takes_over_when_a_holder_dies_and_the_reply_appears_once(replica: Replica) -> None:
    short = Pace(
        terms=Terms(lease=timedelta(milliseconds=300), renew=timedelta(milliseconds=100)),
        poll=timedelta(milliseconds=20),
        grace=timedelta(0),
    )
    turn = await replica.hear("hello")
    dead = await replica.store.claims.claim("dead", channels=["fake"], lease=short.terms.lease)
    assert dead is not None
    assert await replica.store.turns.begin(dead, history=10) is not None
    await replica.store.turns.save(dead, turn, text="You sa")
    async with replica.serving(holder="two", pace=short):
        [delivery] = await replica.delivered(turn)
    assert delivery.message.text == "You said hello"
    assert replica.channel.replies[0].turn.attempt == 2
    assert await replica.texts() == ["hello", "You said hello"]


async def test_a_reply_that_was_stored_but_not_delivered_is_delivered_first(replica: Replica) -> None:
    first = await replica.hear("one")

    class Broken(FakeChannel):
        async def deliver(self, delivery: Delivery) -> None:
            raise ConnectionError("the platform is away")

    working, replica.channel = replica.channel, Broken()
    async with replica.serving():
        async with asyncio.timeout(30):
            while (found := await replica.store.turns.get(first)) is None or not found.state.is_final:
                await asyncio.sleep(0.005)
    replica.channel = working
    second = await replica.hear("two")
    async with replica.serving(holder="two"):
        await replica.delivered(first, second)
    assert list(working.delivered) == [first, second]
    assert await replica.texts() == ["one", "You said one", "two", "You said two"]


async def test_erasing_a_conversation_in_the_middle_of_a_reply_leaves_nothing(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("word " * 1000, delay=0.002)
    async with replica.serving():
        turn = await replica.hear("hello")
        await until(lambda: engine.running == 1)
        await replica.inbox.erase(KEY)
        await until(lambda: engine.running == 0)
        await asyncio.sleep(0.05)
    assert await replica.texts() == []
    assert await replica.store.turns.get(turn) is None
    assert turn not in replica.channel.delivered


async def test_on_shutdown_a_short_reply_is_finished(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("a b c d e", delay=0.01)
    async with replica.serving(pace=Pace(grace=timedelta(seconds=30))):
        turn = await replica.hear("hello")
        await until(lambda: engine.running == 1)
    assert replica.channel.delivered[turn].message.text == "a b c d e"


async def test_on_shutdown_a_long_reply_is_handed_back_for_the_next_start(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("word " * 1000, delay=0.01)
    async with replica.serving():
        turn = await replica.hear("hello")
        await until(lambda: engine.running == 1)
    assert turn not in replica.channel.delivered
    assert engine.running == 0
    replica.engine = ScriptedEngine(echo)
    async with replica.serving(holder="two"):
        [delivery] = await replica.delivered(turn)
    assert delivery.message.text == "You said hello"


async def test_a_lost_lease_interrupts_the_work_and_its_writes_are_refused(replica: Replica) -> None:
    """Negative control of the fence: a stale holder's reply must never reach the store."""
    replica.engine = engine = ScriptedEngine("stale " * 200, delay=0.1)
    pace = Pace(
        terms=Terms(lease=timedelta(milliseconds=50), renew=timedelta(seconds=60)),
        poll=timedelta(seconds=5),
        grace=timedelta(0),
    )
    async with replica.serving(pace=pace):
        turn = await replica.hear("hello")
        await until(lambda: engine.running == 1)
        async with asyncio.timeout(30):
            while (taken := await replica.store.claims.claim("thief", channels=["fake"], lease=timedelta(60))) is None:
                await asyncio.sleep(0.002)
        await until(lambda: engine.running == 0)
    assert taken.holder == "thief"
    assert turn not in replica.channel.delivered
    assert await replica.texts() == ["hello"]
