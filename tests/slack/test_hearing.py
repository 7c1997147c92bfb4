"""What the app answers and what it only overhears: direct messages, mentions, threads, other bots."""

import pytest

from bot.testing import ScriptedEngine
from bot.types import ConversationKey
from storage.sql import SqlStore
from tests.slack.house import answer, serving, stored
from tests.slack.platform import Channel, Settings, SlackPlatform, User


@pytest.fixture
def ann(slack: SlackPlatform) -> User:
    return slack.user("Ann")


@pytest.fixture
def general(slack: SlackPlatform, ann: User) -> Channel:
    return slack.channel("general", [ann])


async def test_a_mention_in_a_channel_is_one_turn_though_it_is_two_events(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, general, f"{slack.mention} hello there")
        [reply] = await slack.finished(general, ts)
        await slack.settle()
    assert [delivery.name for delivery in slack.deliveries][:2] == ["message", "app_mention"]
    assert reply.text == "You said hello there"
    assert len(engine.prompts) == 1


@pytest.mark.parametrize("greeting", ["{app}: hello", "{app}, hello", "{app}，hello", "hello {app}", "{app}\nhello"])
async def test_the_name_of_the_app_is_no_part_of_the_question(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel, greeting: str
) -> None:
    async with serving(slack, store):
        ts = await slack.say(ann, general, greeting.format(app=slack.mention))
        [reply] = await slack.finished(general, ts)
    assert reply.text == "You said hello"


async def test_a_thread_goes_on_without_a_mention_and_remembers(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, general, f"{slack.mention} first")
        await slack.finished(general, ts)
        await slack.say(ann, general, "second", thread=ts)
        replies = await slack.finished(general, ts, count=2)
    assert [reply.text for reply in replies] == ["You said first", "You said second"]
    assert [message.text for message in engine.prompts[1].messages[1:]] == ["first", "You said first", "second"]


async def test_what_is_only_overheard_is_neither_answered_nor_stored(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store):
        root = await slack.say(ann, general, "lunch, anyone?")
        await slack.say(ann, general, "me", thread=root)
        ts = await slack.say(ann, general, f"{slack.mention} hello")
        await slack.finished(general, ts)
        await slack.settle()
    assert slack.answers(general, root) == []
    assert await stored(store, "hello") > 0
    assert await stored(store, "lunch") == 0


async def test_other_bots_and_the_app_itself_are_not_answered(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    robot = slack.user("Robot", is_bot=True)
    engine = ScriptedEngine(f"I am {slack.mention}, ask me")
    async with serving(slack, store, engine=engine):
        await slack.say(robot, general, f"{slack.mention} hello, fellow bot")
        ts = await slack.say(ann, general, f"{slack.mention} hello")
        await slack.finished(general, ts)
        await slack.say(robot, general, "and in the thread", thread=ts)
        await slack.settle()
        await slack.say(ann, general, "still there?", thread=ts)
        await slack.finished(general, ts, count=2)
        await slack.settle()
    assert len(engine.prompts) == 2
    assert len(slack.answers(general)) == 2


async def test_a_mention_in_the_middle_of_a_thread_knows_what_was_said_before_and_by_whom(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    ben, alarm = slack.user("Ben"), slack.user("Alarm", is_bot=True)
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        root = await slack.say(alarm, general, "the build is red")
        await slack.say(ben, general, f"I broke it, <@{ann.id}> &amp; am sorry", thread=root)
        await slack.say(ann, general, f"{slack.mention} who did it?", thread=root)
        await slack.finished(general, root)
        await slack.say(ben, general, "and now?", thread=root)
        await slack.finished(general, root, count=2)
    before = engine.prompts[0].messages[1].text
    assert before.splitlines() == ["Alarm: the build is red", "Ben: I broke it, @Ann & am sorry", "who did it?"]
    assert len(slack.calls_to("conversations.replies")) == 1


async def test_of_a_long_thread_the_newest_messages_are_known(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    engine = ScriptedEngine(answer)
    async with serving(slack, store, engine=engine):
        root = await slack.say(ann, general, "remark 0")
        for number in range(1, 60):
            await slack.say(ann, general, f"remark {number}", thread=root)
        await slack.say(ann, general, f"{slack.mention} so?", thread=root)
        await slack.finished(general, root)
    said = engine.prompts[0].messages[1].text.splitlines()
    assert [line.removeprefix("Ann: ") for line in said] == [f"remark {number}" for number in range(40, 60)] + ["so?"]


@pytest.mark.parametrize("trouble", ["throttled", "failing", "slow"])
async def test_an_answer_comes_where_slack_does_not_tell_what_was_said_before(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel, trouble: str
) -> None:
    match trouble:
        case "throttled":
            slack.faults.rate_limit("conversations.replies", retry_after=60, times=None)
        case "failing":
            slack.faults.status("conversations.replies", 500, times=None)
        case "slow":
            slack.faults.slow("conversations.replies", 8, times=None)
    async with serving(slack, store):
        root = await slack.say(ann, general, "something")
        await slack.say(ann, general, f"{slack.mention} hello", thread=root)
        [reply] = await slack.finished(general, root)
        await slack.settle()
    assert reply.text == "You said hello"
    assert {delivery.attempt for delivery in slack.deliveries} == {0}


async def test_the_two_events_of_a_mention_ask_slack_once_what_was_said_before(store: SqlStore) -> None:
    async with SlackPlatform(Settings(throttle_history=True)) as slack:
        slack.faults.slow("conversations.replies", 0.2)
        ann = slack.user("Ann")
        general = slack.channel("general", [ann])
        engine = ScriptedEngine(answer)
        async with serving(slack, store, engine=engine):
            root = await slack.say(ann, general, "the sky is green")
            await slack.say(ann, general, f"{slack.mention} is it?", thread=root)
            await slack.finished(general, root)
            await slack.settle()
        assert "the sky is green" in engine.prompts[0].messages[1].text
        assert len(slack.calls_to("conversations.replies")) == 1


async def test_who_reads_slack_in_chinese_is_answered_with_chinese_words(slack: SlackPlatform, store: SqlStore) -> None:
    lin = slack.user("林", locale="zh-CN")
    dm = slack.dm(lin)
    async with serving(slack, store):
        ts = await slack.say(lin, dm, "你好")
        [reply] = await slack.finished(dm, ts)
        await slack.settle()
        await slack.say(lin, dm, "!persona", thread=ts)
        _, listed = await slack.finished(dm, ts, count=2)
    there = await store.conversations.get(ConversationKey(channel="slack", tenant=slack.home.id, room=dm.id, thread=ts))
    assert there is not None
    assert there.locale == "zh-CN"
    assert reply.blocks[-1]["elements"][0]["positive_button"]["text"]["text"] == "回答得好"
    assert "写手" in listed.text
    assert "Writer" not in listed.text
