"""What becomes of a question that its author changes or deletes."""

import pytest

from bot.testing import ScriptedEngine
from bot.types import Prompt
from storage.sql import SqlStore
from tests.core.parts import make_persona
from tests.slack.house import answer, serving, stored
from tests.slack.platform import Channel, SlackPlatform, User


def long_then_echo(prompt: Prompt) -> str:
    said = prompt.messages[-1].text.splitlines()[-1]
    return "word " * 2_000 if said == "go on" else f"You said {said}"


@pytest.mark.parametrize("new", ["{app} what is snow?", "what is snow?"], ids=["with a mention", "without"])
async def test_an_edit_before_the_answer_begins_changes_the_question(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel, new: str
) -> None:
    async with serving(slack, store, engine=ScriptedEngine(long_then_echo, delay=0.05)) as house:
        ts = await slack.say(ann, general, f"{slack.mention} go on")
        await slack.until(lambda: house.engine.running == 1)  # type: ignore[attr-defined] # it is scripted
        waiting = await slack.say(ann, general, "what is rain?", thread=ts)
        await slack.settle()
        await slack.edit(waiting, new.format(app=slack.mention))
        await slack.settle()
        await slack.say(ann, general, "!stop", thread=ts)
        await slack.until(lambda: "You said what is snow?" in [reply.text for reply in slack.answers(general, ts)])
    assert await stored(store, "rain") == 0


async def test_a_first_question_may_be_edited_without_naming_the_app_again(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store) as house:
        house.personas.known["helper"] = make_persona(edits="answer")
        ts = await slack.say(ann, general, f"{slack.mention} what is rain?")
        await slack.finished(general, ts)
        await slack.settle()
        await slack.edit(ts, "what is snow?")
        replies = await slack.finished(general, ts, count=2)
    assert [reply.text for reply in replies] == ["You said what is rain?", "You said what is snow?"]


async def test_an_edit_after_the_answer_began_is_ignored_by_default(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, general, f"{slack.mention} what is rain?")
        await slack.finished(general, ts)
        await slack.settle()
        await slack.edit(ts, f"{slack.mention} what is snow?")
        await slack.unfurl(ts)
        await slack.settle()
        await slack.say(ann, general, "thanks", thread=ts)
        replies = await slack.finished(general, ts, count=2)
    assert [reply.text for reply in replies] == ["You said what is rain?", "You said thanks"]


async def test_an_edit_is_a_new_turn_once_where_the_persona_says_so_and_a_preview_is_none(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    slack.faults.duplicate("message")
    async with serving(slack, store) as house:
        house.personas.known["helper"] = make_persona(edits="answer")
        ts = await slack.say(ann, general, f"{slack.mention} what is rain?")
        await slack.finished(general, ts)
        await slack.settle()
        await slack.edit(ts, f"{slack.mention} what is snow?")
        await slack.finished(general, ts, count=2)
        await slack.unfurl(ts)
        await slack.settle()
        replies = await slack.finished(general, ts, count=2)
    assert [reply.text for reply in replies] == ["You said what is rain?", "You said what is snow?"]


async def test_edits_of_what_was_only_overheard_are_not_heard_either(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store) as house:
        house.personas.known["helper"] = make_persona(edits="answer")
        ts = await slack.say(ann, general, "lunch?")
        await slack.edit(ts, "dinner?")
        await slack.delete(ts)
        await slack.settle()
    assert slack.answers(general) == []
    assert await stored(store, "dinner") == 0


@pytest.mark.parametrize("which", ["the root, which leaves a tombstone", "a reply"])
async def test_a_deleted_question_is_erased_from_memory_with_its_answer(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel, which: str
) -> None:
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        ts = root = await slack.say(ann, general, f"{slack.mention} aubergine")
        await slack.finished(general, root)
        if which == "a reply":
            ts = await slack.say(ann, general, "broccoli", thread=root)
            await slack.finished(general, root, count=2)
        await slack.settle()
        gone = "aubergine" if ts == root else "broccoli"
        assert await stored(store, gone) > 0
        await slack.delete(ts)
        await slack.settle()
        assert await stored(store, gone) == 0
        await slack.say(ann, general, "next", thread=root)
        await slack.until(lambda: any(reply.text == "You said next" for reply in slack.answers(general, root)))
    assert not any(gone in message.text for message in engine.prompts[-1].messages)


@pytest.mark.parametrize("when", ["thinking", "writing"])
async def test_a_deletion_stops_what_is_being_written_and_takes_it_away(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel, when: str
) -> None:
    engine = ScriptedEngine(" ".join(f"word{n}" for n in range(2_000)), delay=0.05 if when == "writing" else 30)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, general, f"{slack.mention} aubergine")
        await slack.until(lambda: engine.running == 1)
        await slack.until(lambda: slack.session(general, ts) is not None)
        if when == "writing":
            await slack.until(lambda: any("word2" in reply.text for reply in slack.answers(general, ts)))
        await slack.delete(ts)
        await slack.until(lambda: engine.running == 0)
        await slack.until(lambda: slack.answers(general, ts) == [])
        session = slack.session(general, ts)
        assert session is not None
        await slack.until(lambda: session.status == "active")
    assert slack.status(general, ts) == ""
    assert await stored(store, "aubergine") == 0


async def test_forgetting_everything_stops_and_takes_away_what_is_being_written(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    engine = ScriptedEngine(" ".join(f"word{n}" for n in range(2_000)), delay=0.05)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, general, f"{slack.mention} aubergine")
        await slack.until(lambda: any("word2" in reply.text for reply in slack.answers(general, ts)))
        await slack.command(ann, general, "/parley", "forget")
        await slack.until(lambda: engine.running == 0)
        await slack.until(lambda: slack.answers(general, ts) == [])
    assert await stored(store, "aubergine") == 0
