"""What a conversation remembers, from one turn to the next, and the commands that show and delete it."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import EngineDied
from bot.retention import expire_old
from bot.summaries import summarise_overflowed
from bot.testing import ScriptedEngine
from bot.types import Generated, Prompt
from tests.core.parts import KEY, make_persona
from tests.core.replica import Replica, echo, until

REMEMBERS = make_persona(remember=("order_number",), history_tokens=40)
FILES = ("parley.db", "parley.db-wal")
LONG = "and so on " * 6


def say(text: str) -> ScriptedEngine:
    return ScriptedEngine(text)


async def talk(replica: Replica, *texts: str) -> None:
    async with replica.serving():
        for text in texts:
            await replica.delivered(await replica.hear(text))


async def summarise(replica: Replica, engine: ScriptedEngine) -> int:
    return await summarise_overflowed(store=replica.store, engine=engine, personas=replica.personas)


@pytest.fixture
async def long(replica: Replica) -> Replica:
    """A conversation that does not fit its persona's history."""
    replica.personas.persona = REMEMBERS
    await talk(replica, f"my name is Ann {LONG}", f"I ordered 3 lamps {LONG}", f"they are green {LONG}", "thanks")
    return replica


async def test_a_fact_a_person_states_is_in_the_prompt_of_later_turns_and_a_correction_replaces_it(
    replica: Replica,
) -> None:
    replica.personas.persona = REMEMBERS
    replica.engine = engine = ScriptedEngine(echo)
    await talk(replica, "my order number is A-77", "where is it?", "sorry, my order number is A-78", "and now?")
    systems = [prompt.messages[0].text for prompt in engine.prompts]
    assert ["A-77" in text for text in systems] == [False, True, True, False]
    assert "A-78" in systems[3]
    memory = await replica.store.memories.read(KEY)
    assert memory is not None
    assert memory.facts == {"order_number": "A-78"}


async def test_a_summary_covers_whole_older_turns_and_leaves_the_newest_messages_and_all_in_place(
    long: Replica,
) -> None:
    before = await long.texts()
    writer = say("Ann ordered 3 lamps.")
    assert await summarise(long, writer) == 1
    assert await long.texts() == before
    memory = await long.store.memories.read(KEY, messages=50)
    assert memory is not None
    assert memory.summary is not None
    assert memory.summary.text == "Ann ordered 3 lamps."
    assert [m.text for m in memory.messages] == before[-len(memory.messages) :]
    assert memory.messages[0].role == "user"
    [prompt] = writer.prompts
    assert "my name is Ann" in prompt.messages[-1].text
    assert prompt.sampling.temperature <= 0.3
    assert await summarise(long, writer) == 0
    long.engine = engine = ScriptedEngine(echo)
    await talk(long, "what did I order?")
    assert "Ann ordered 3 lamps." in engine.prompts[0].messages[0].text


async def test_a_later_summary_goes_on_from_the_one_before(long: Replica) -> None:
    await summarise(long, say("Ann ordered 3 lamps."))
    await talk(long, f"please send them to Berlin {LONG}", f"and hurry {LONG}", f"a lot {LONG}")
    writer = say("Ann ordered 3 lamps, to Berlin.")
    assert await summarise(long, writer) == 1
    assert "Ann ordered 3 lamps." in writer.prompts[0].messages[-1].text
    assert "my name is Ann" not in writer.prompts[0].messages[-1].text


@pytest.mark.parametrize(
    "written",
    ["", "   ", "Ann ordered 4 lamps.", "word " * 400, "She said no. " * 9, "Ann \ufffd ordered lamps."],
)
async def test_a_summary_that_is_not_sound_is_not_kept_and_stays_wanted(long: Replica, written: str) -> None:
    assert await summarise(long, say(written)) == 0
    memory = await long.store.memories.read(KEY)
    assert memory is not None
    assert memory.summary is None
    assert await long.store.memories.overflowed(limit=5) == (KEY,)
    assert await summarise(long, say("Ann ordered lamps.")) == 1


async def test_an_engine_that_fails_is_asked_once_a_run_and_again_in_the_next(long: Replica) -> None:
    await talk(long, *(f"{n} {LONG}" for n in range(3)))
    broken = ScriptedEngine(lambda prompt: EngineDied("gone"))
    assert await summarise(long, broken) == 0
    assert len(broken.prompts) == 1
    assert await summarise(long, say("Ann ordered lamps.")) == 1


async def test_an_engine_that_knows_too_little_is_not_asked(long: Replica) -> None:
    writer = say("Ann ordered lamps.")
    writer.grounded_only = True
    assert await summarise(long, writer) == 0
    assert writer.prompts == []


async def test_a_summary_of_what_a_person_erased_meanwhile_is_not_kept(long: Replica) -> None:
    class Erasing(ScriptedEngine):
        async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
            await long.store.conversations.erase(KEY)
            async for event in super().generate(prompt):
                yield event

    assert await summarise(long, Erasing("Ann ordered lamps.")) == 0
    assert await long.store.memories.read(KEY) is None


async def test_a_message_like_a_book_is_summarised_in_what_fits_the_engine(replica: Replica) -> None:
    replica.personas.persona = REMEMBERS
    await talk(replica, "book " * 900, "what was that?", f"I see {LONG}")
    for context in (800, 300):
        writer = ScriptedEngine("A book was sent.", context=context)
        assert await summarise(replica, writer) == 1
        [prompt] = writer.prompts
        assert prompt.budget.prompt + prompt.budget.reserved <= context
        await talk(replica, "book " * 900, "again", f"I see {LONG}")


async def test_memory_shows_what_is_remembered_and_forget_deletes_all_of_it(long: Replica) -> None:
    await talk(long, "my order number is A-77")
    await summarise(long, say("Ann ordered 3 lamps."))
    shown, forgotten = await long.hear("!memory"), await long.hear("!forget")
    assert shown != forgotten
    async with long.serving():
        await long.delivered(forgotten)
    memory = await long.store.memories.read(KEY, messages=10)
    assert memory is not None
    assert (memory.facts, memory.summary, memory.messages) == ({}, None, ())
    found = await long.store.records.find("Ann")
    assert {place for place, number in found.items() if number} <= {"messages.author", *map("file {}".format, FILES)}
    async with long.serving():
        [delivery] = await long.delivered(await long.hear("!memory"))
    assert "A-77" not in delivery.message.text


async def test_memory_is_answered_without_the_engine_and_says_facts_summary_and_day(long: Replica) -> None:
    await talk(long, "my order number is A-77")
    await summarise(long, say("Ann ordered 3 lamps."))
    long.engine = engine = ScriptedEngine(echo)
    async with long.serving():
        [delivery] = await long.delivered(await long.hear("!memory"))
    assert "A-77" in delivery.message.text
    assert "Ann ordered 3 lamps." in delivery.message.text
    assert engine.prompts == []


async def test_forget_stops_what_is_being_answered(replica: Replica) -> None:
    replica.engine = engine = ScriptedEngine("word " * 5000, delay=0.002)
    async with replica.serving():
        await replica.hear("tell me a story")
        await until(lambda: engine.running == 1)
        forgotten = await replica.hear("!forget")
        await replica.delivered(forgotten)
        await until(lambda: engine.running == 0)
    texts = await replica.texts()
    assert texts[0] == "!forget"
    assert len(texts) == 2


async def test_help_names_every_command_in_the_persona_s_language(replica: Replica) -> None:
    replica.personas.persona = make_persona(languages=("zh-CN",))
    async with replica.serving():
        [delivery] = await replica.delivered(await replica.hear("!help"))
    for command in ("!forget", "!memory", "!help"):
        assert command in delivery.message.text
    assert "显示" in delivery.message.text


async def test_retention_knows_each_persona_s_own_days(replica: Replica) -> None:
    replica.personas.persona = make_persona(keep_days=90)
    await talk(replica, "hello")
    asked: list[object] = []

    class Records:
        async def expire(self, **options: object) -> int:
            asked.append(options)
            return 0

    class Store:
        records = Records()

    store: Any = Store()
    await expire_old(store=store, personas=replica.personas, keep=timedelta(days=30))
    assert asked == [{"keep": timedelta(days=30), "personas": {"helper": timedelta(days=90)}}]
