"""The assistant pane: what to begin with, what is going on, what a thread is about."""

import pytest

from bot.testing import ScriptedEngine
from storage.sql import SqlStore
from tests.slack.house import answer, serving
from tests.slack.platform import Settings, SlackPlatform

STATUS = "agents.sessions.setStatus"


@pytest.mark.parametrize("agent", [True, False], ids=["agent view", "older assistant"])
async def test_the_starters_of_the_persona_are_suggested_four_at_most(store: SqlStore, agent: bool) -> None:
    async with SlackPlatform(Settings(agent_view=agent)) as slack:
        ann = slack.user("Ann")
        dm = slack.dm(ann)
        async with serving(slack, store):
            if agent:
                await slack.open_home(ann, tab="messages")
            else:
                await slack.start_assistant_thread(ann)
            await slack.until(lambda: slack.prompts(dm))
        assert slack.prompts(dm) == [{"title": f"Label {n}", "message": f"Prompt {n}"} for n in range(4)]
        [call] = slack.calls_to("assistant.threads.setSuggestedPrompts")
        assert call.args["title"] == "Hello!"


async def test_a_thread_that_the_older_pane_began_is_answered_without_its_placeholder(store: SqlStore) -> None:
    async with SlackPlatform(Settings(agent_view=False)) as slack:
        ann = slack.user("Ann")
        dm = slack.dm(ann)
        engine = ScriptedEngine(answer)
        async with serving(slack, store, engine=engine):
            thread = await slack.start_assistant_thread(ann)
            await slack.say(ann, dm, "hello", thread=thread)
            await slack.until(lambda: [reply.text for reply in slack.answers(dm, thread)[1:]] == ["You said hello"])
        assert [message.text for message in engine.prompts[0].messages[1:]] == ["hello"]


@pytest.mark.parametrize("where", ["dm", "channel"])
async def test_while_it_thinks_the_status_says_so_and_then_it_is_cleared(
    slack: SlackPlatform, store: SqlStore, where: str
) -> None:
    ann = slack.user("Ann")
    room = slack.dm(ann) if where == "dm" else slack.channel("general", [ann])
    engine = ScriptedEngine("one two three", delay=0.15)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, room, f"{slack.mention} hello")
        await slack.until(lambda: slack.status(room, ts))
        session = slack.session(room, ts)
        assert session is not None
        assert session.status == "processing"
        await slack.finished(room, ts)
        await slack.until(lambda: [call.args["status"] for call in slack.calls_to(STATUS)] == ["processing", "active"])
        await slack.until(lambda: len(slack.calls_to("assistant.threads.setStatus")) == 2)
    assert slack.status(room, ts) == ""
    assert session.status == "active"
    first, last = slack.calls_to("assistant.threads.setStatus")
    assert first.args["status"]
    assert first.args["loading_messages"]
    assert last.args["status"] == ""


async def test_the_status_is_chinese_for_who_reads_slack_in_chinese(slack: SlackPlatform, store: SqlStore) -> None:
    lin = slack.user("林", locale="zh-CN")
    dm = slack.dm(lin)
    async with serving(slack, store, engine=ScriptedEngine("一 二 三", delay=0.15)):
        ts = await slack.say(lin, dm, "你好")
        await slack.until(lambda: slack.status(dm, ts))
        assert "思考" in slack.status(dm, ts)
        await slack.finished(dm, ts)


@pytest.mark.parametrize("delay", [0.0, 0.1], ids=["at once", "slowly"])
async def test_the_first_question_is_the_title_of_the_thread(
    slack: SlackPlatform, store: SqlStore, delay: float
) -> None:
    ann = slack.user("Ann")
    dm = slack.dm(ann)
    async with serving(slack, store, engine=ScriptedEngine(answer, delay=delay)):
        ts = await slack.say(ann, dm, "How  long\ndo comets live?")
        await slack.finished(dm, ts)
        await slack.until(lambda: slack.title(dm, ts))
        await slack.say(ann, dm, "and moons?", thread=ts)
        await slack.finished(dm, ts, count=2)
        await slack.settle()
    assert slack.title(dm, ts) == "How long do comets live?"
    assert len(slack.calls_to("assistant.threads.setTitle")) == 1


async def test_a_long_question_is_a_short_title(slack: SlackPlatform, store: SqlStore) -> None:
    ann = slack.user("Ann")
    dm = slack.dm(ann)
    async with serving(slack, store, engine=ScriptedEngine("yes indeed", delay=0.1)):
        ts = await slack.say(ann, dm, "why " * 100)
        await slack.until(lambda: slack.title(dm, ts))
        await slack.finished(dm, ts)
    title = slack.title(dm, ts)
    assert title is not None
    assert len(title) == 80
    assert title.endswith("…")


async def test_a_pane_that_slack_refuses_does_not_hinder_the_answer(slack: SlackPlatform, store: SqlStore) -> None:
    slack.faults.error("assistant.*", "not_allowed", times=None)
    slack.faults.error("agents.*", "unknown_method", times=None)
    ann = slack.user("Ann")
    dm = slack.dm(ann)
    async with serving(slack, store):
        ts = await slack.say(ann, dm, "hello")
        [reply] = await slack.finished(dm, ts)
    assert reply.text == "You said hello"
