"""What a replica does where engines, channels, people and databases do not do as one would wish."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from bot import notices
from bot.errors import ChannelBusy, ChannelGone, EngineBusy, EngineTimeout
from bot.testing import FakeChannel, ScriptedEngine
from bot.types import Bounds, Delivery, Prompt, TurnState
from tests.core.parts import KEY, OnePersona, make_persona
from tests.core.replica import PACE, Replica, echo, until


async def test_a_stop_that_the_bus_did_not_bring_is_found_when_progress_is_saved(replica: Replica) -> None:
    replica.engine = ScriptedEngine("word " * 1000, delay=0.005)
    pace = replace(PACE, save=timedelta(milliseconds=30))
    async with replica.serving(pace=pace):
        turn = await replica.hear("hello")
        await until(lambda: bool(replica.channel.replies))
        await replica.store.turns.request_stop(turn)
        [delivery] = await replica.delivered(turn)
    assert delivery.state is TurnState.STOPPED


async def test_progress_is_saved_while_the_reply_is_written(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("word " * 1000, delay=0.005)
    async with replica.serving(pace=replace(PACE, save=timedelta(milliseconds=20))):
        turn = await replica.hear("hello")
        await until(lambda: engine.running == 1)
        async with asyncio.timeout(30):
            while (saved := await replica.store.turns.get(turn)) is None or len(saved.text) < 20:
                await asyncio.sleep(0.005)
        assert replica.channel.replies[0].text.startswith(saved.text)


async def test_an_engine_that_hangs_costs_one_deadline_and_the_next_turn_runs(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("never ends", delay=60)
    async with replica.serving(pace=replace(PACE, deadline=timedelta(milliseconds=100))):
        turn = await replica.hear("hello")
        [delivery] = await replica.delivered(turn)
        assert engine.running == 0
        replica.engine = engine
        engine.delay = 0
        [after] = await replica.delivered(await replica.hear("again"))
    assert (delivery.state, len(engine.prompts)) == (TurnState.FAILED, 2)
    assert delivery.message.text.endswith(notices.INTERRUPTED.pick("en"))
    assert after.state is TurnState.DONE
    [failed] = await replica.store.failures.newest()
    assert failed.turn == turn
    assert "within 0.1 s" in failed.error


async def test_a_full_engine_costs_a_turn_no_attempt(replica: Replica) -> None:
    refusals = iter(range(5))

    def script(prompt: Prompt) -> str | BaseException:
        return EngineBusy(waiting=64) if next(refusals, None) is not None else echo(prompt)

    replica.engine = ScriptedEngine(script)
    async with replica.serving():
        [delivery] = await replica.delivered(await replica.hear("hello"))
    assert delivery.message.text == "You said hello"
    assert {reply.turn.attempt for reply in replica.channel.replies} == {1}


async def test_a_turn_handed_back_at_shutdown_loses_no_attempt(replica: Replica) -> None:
    replica.engine = ScriptedEngine("word " * 1000, delay=0.01)
    turn = await replica.hear("hello")
    for _ in range(4):
        shown = len(replica.channel.replies)
        async with replica.serving(pace=replace(PACE, grace=timedelta(0))):
            await until(lambda shown=shown: len(replica.channel.replies) > shown)  # type: ignore[misc] # bound now
    replica.engine = ScriptedEngine(echo)
    async with replica.serving():
        [delivery] = await replica.delivered(turn)
    assert delivery.message.text == "You said hello"
    assert {reply.turn.attempt for reply in replica.channel.replies} == {1}


class Moody(FakeChannel):
    """Refuses deliveries with the errors it is given, first to last."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)
        self.tries: list[tuple[str, int, float]] = []

    async def deliver(self, delivery: Delivery) -> None:
        self.tries.append((delivery.message.text, delivery.attempt, asyncio.get_running_loop().time()))
        if self.errors:
            raise self.errors.pop(0)
        await super().deliver(delivery)


async def test_a_channel_that_asks_to_wait_is_left_alone_until_then_and_the_order_is_kept(replica: Replica) -> None:
    wait = timedelta(milliseconds=400)
    replica.channel = channel = Moody(ChannelBusy("429", wait=wait), ChannelBusy("503", wait=wait))
    async with replica.serving():
        turns = [await replica.hear(text) for text in ("one", "two")]
        await replica.delivered(*turns)
    assert list(channel.delivered) == turns
    assert [(text, attempt) for text, attempt, _ in channel.tries] == [
        ("You said one", 1),
        ("You said one", 2),
        ("You said one", 3),
        ("You said two", 1),
    ]
    times = [at for _, _, at in channel.tries]
    assert times[1] - times[0] >= wait.total_seconds()
    assert times[2] - times[1] >= wait.total_seconds()


async def test_a_reply_that_can_never_be_shown_is_set_aside_and_the_next_one_is_shown(replica: Replica) -> None:
    replica.channel = channel = Moody(ChannelGone("the room was deleted"))
    async with replica.serving():
        first, second = await replica.hear("one"), await replica.hear("two")
        await replica.delivered(second)
    assert first not in channel.delivered
    [failed] = await replica.store.failures.newest()
    assert (failed.turn, failed.undelivered, failed.error) == (first, True, "the room was deleted")


async def test_a_channel_that_fails_is_tried_again_until_the_reply_is_there(replica: Replica) -> None:
    replica.channel = channel = Moody(ConnectionError("reset"), ValueError("odd"))
    async with replica.serving():
        turn = await replica.hear("one")
        await replica.delivered(turn)
    assert [attempt for _, attempt, _ in channel.tries] == [1, 2, 3]
    assert await replica.texts() == ["one", "You said one"]


async def test_over_their_limit_people_are_told_once_and_the_engine_is_not_asked(replica: Replica) -> None:
    replica.limiter.left = 1
    first, second = await replica.hear("one"), await replica.hear("two")
    assert await replica.hear("three") == second
    async with replica.serving():
        answered, refused = await replica.delivered(first, second)
    assert answered.message.text == "You said one"
    assert refused.state is TurnState.FAILED
    assert refused.message.text == notices.SLOWER.pick("en").format(seconds=7)
    assert isinstance(replica.engine, ScriptedEngine)
    assert len(replica.engine.prompts) == 1
    assert await replica.texts() == ["one", "You said one", "two", "three", refused.message.text]


async def test_who_is_told_busy_is_told_while_every_place_is_taken(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("word " * 1000, delay=0.01)
    replica.bounds = Bounds(backlog=2)
    async with replica.serving(pace=replace(PACE, at_once=1)):
        await replica.hear("long", room="a")
        await until(lambda: engine.running == 1)
        await replica.hear("waits", room="b")
        [delivery] = await replica.delivered(await replica.hear("too many", room="c"))
        assert engine.running == 1
    assert delivery.state is TurnState.FAILED
    assert "busy" in delivery.message.text


async def test_interrupt_stops_the_reply_and_answers_the_newest_with_the_rest_as_context(replica: Replica) -> None:
    replica.personas = OnePersona(make_persona(overlap="interrupt"))
    replica.engine = engine = ScriptedEngine("word " * 1000, delay=0.005)
    async with replica.serving():
        first = await replica.hear("one")
        await until(lambda: len(replica.channel.replies) == 1 and replica.channel.replies[0].text != "")
        engine._script = echo
        second = await replica.hear("two")
        stopped, answered = await replica.delivered(first, second)
    assert stopped.state is TurnState.STOPPED
    assert answered.message.text == "You said two"
    assert [m.text for m in engine.prompts[-1].messages[1:]] == ["one", stopped.message.text, "two"]


async def test_the_memory_kept_warm_equals_what_the_store_would_read(replica: Replica) -> None:
    """Negative control: the store takes a kept memory unseen, so one that drifts would be noticed only here."""

    def script(prompt: Prompt) -> str | BaseException:
        text = prompt.messages[-1].text
        return "" if text == "silent" else EngineTimeout("late") if text == "fails" else echo(prompt)

    replica.engine = ScriptedEngine(script)
    async with replica.serving():
        for text in ("one", "silent", "fails", "two"):
            await replica.delivered(await replica.hear(text))
        replica.limiter.left = 0
        await replica.delivered(await replica.hear("shed"))
        replica.limiter.left = 10
        await replica.delivered(await replica.hear("three"))
        await until(lambda: KEY in replica.window.kept)
    assert replica.window.hits >= 5
    kept = replica.window.kept[KEY]
    await replica.hear("next")
    claim = await replica.store.claims.claim("reader", channels=["fake"], lease=timedelta(seconds=15))
    assert claim is not None
    read = await replica.store.turns.begin(claim, history=60)
    assert read is not None
    assert read.memory == kept


async def test_the_tokens_of_finished_answers_are_counted(replica: Replica) -> None:
    async with replica.serving():
        await replica.delivered(await replica.hear("hello"))
        await replica.delivered(await replica.hear("hello again"))
        await until(lambda: replica.load.tokens["new"] == 7)
    assert replica.load.tokens["prompt"] > 7
    assert replica.load.tokens["cached"] == 0
