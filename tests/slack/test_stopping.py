"""Stopping a reply: by Slack's own button, by a word, by the command."""

import pytest

from bot.testing import ScriptedEngine
from bot.types import ConversationKey, TurnState
from storage.sql import SqlStore
from tests.slack.house import House, serving
from tests.slack.platform import Channel, Message, SlackPlatform, User

WORDS = [f"word{number}" for number in range(2_000)]


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(" ".join(WORDS), delay=0.05)


async def begun(slack: SlackPlatform, room: Channel, thread: str) -> None:
    await slack.until(lambda: any("word2" in message.text for message in slack.answers(room, thread)))


async def settled(slack: SlackPlatform, house: House, room: Channel, thread: str) -> list[Message]:
    """The app's messages once the turn is over and shown."""
    session = slack.session(room, thread)
    await slack.until(lambda: session is not None and session.status == "active")
    newest = await house.store.turns.newest(
        ConversationKey(channel="slack", tenant=slack.home.id, room=room.id, thread=thread)
    )
    assert newest is not None
    assert newest.state is TurnState.STOPPED
    return slack.answers(room, thread)


def is_marked(message: Message) -> bool:
    return any("Stopped" in str(block) for block in message.blocks)


def is_a_beginning(text: str) -> bool:
    said = text.split()
    return said == WORDS[: len(said)]


async def test_slacks_own_button_frees_the_engine_and_finishes_the_message(
    slack: SlackPlatform, store: SqlStore, engine: ScriptedEngine, ann: User, general: Channel
) -> None:
    async with serving(slack, store, engine=engine) as house:
        ts = await slack.say(ann, general, f"{slack.mention} go on")
        await begun(slack, general, ts)
        await slack.stop(ann, general, ts)
        await slack.until(lambda: engine.running == 0)
        [reply] = await settled(slack, house, general, ts)
    assert is_marked(reply)
    assert reply.streaming != "in_progress"
    assert is_a_beginning(reply.text)
    assert slack.status(general, ts) == ""


async def test_a_reply_that_slack_stopped_goes_on_in_no_other_message(
    slack: SlackPlatform, store: SqlStore, engine: ScriptedEngine, ann: User, general: Channel
) -> None:
    """Slack refuses additions at once; its event comes when it comes."""
    async with serving(slack, store, engine=engine) as house:
        ts = await slack.say(ann, general, f"{slack.mention} go on")
        await begun(slack, general, ts)
        live = [message for message in slack.answers(general, ts) if message.stream is not None]
        for message in live:
            assert message.stream is not None
            message.stream.state = "stopped_by_user"
        shown = len(slack.answers(general, ts)[0].text)
        appends = len(slack.calls_to("chat.appendStream"))
        await slack.until(lambda: not live or len(slack.calls_to("chat.appendStream")) > appends)
        await slack.stop(ann, general, ts)
        await slack.until(lambda: engine.running == 0)
        [reply] = await settled(slack, house, general, ts)
    assert len(reply.text) >= shown
    assert is_marked(reply)


@pytest.mark.parametrize("word", ["!stop", "！停止", "{app} !stop", "{app}: !stop"])
async def test_a_word_in_the_thread_stops_the_reply(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel, word: str
) -> None:
    engine = ScriptedEngine(" ".join(WORDS), delay=0.05)
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, general, f"{slack.mention} go on")
        await begun(slack, general, ts)
        await slack.say(ann, general, word.format(app=slack.mention), thread=ts)
        await slack.until(lambda: engine.running == 0)
        reply, told = await slack.finished(general, ts, count=2)
        await slack.until(lambda: is_marked(slack.answers(general, ts)[0]))
    assert is_a_beginning(reply.text)
    assert told.text in {"Stopped.", "已停止。"}
    assert len(engine.prompts) == 1


async def test_the_command_stops_what_is_written_in_the_channel(
    slack: SlackPlatform, store: SqlStore, engine: ScriptedEngine, ann: User, general: Channel
) -> None:
    other = slack.channel("other", [ann])
    async with serving(slack, store, engine=engine) as house:
        ts = await slack.say(ann, general, f"{slack.mention} go on")
        elsewhere = await slack.say(ann, other, f"{slack.mention} go on")
        await begun(slack, general, ts)
        await begun(slack, other, elsewhere)
        await slack.command(ann, general, "/parley", "stop")
        await slack.until(lambda: engine.running == 1)
        [reply] = await settled(slack, house, general, ts)
        await slack.command(ann, general, "/parley", "stop")
        assert engine.running == 1
        await slack.command(ann, other, "/parley", "stop")
        await slack.until(lambda: engine.running == 0)
    assert is_marked(reply)
    assert [message.text for message in slack.ephemerals(ann)] == [
        "Stopped.",
        "No reply is being written here.",
        "Stopped.",
    ]


async def test_stopped_before_the_first_word_it_says_so(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    engine = ScriptedEngine("never comes", delay=30)
    async with serving(slack, store, engine=engine) as house:
        ts = await slack.say(ann, general, f"{slack.mention} go on")
        await slack.until(lambda: slack.session(general, ts) is not None)
        await slack.until(lambda: engine.running == 1)
        await slack.stop(ann, general, ts)
        await slack.until(lambda: engine.running == 0)
        [reply] = await settled(slack, house, general, ts)
    assert is_marked(reply)
    assert slack.status(general, ts) == ""


async def test_a_button_pressed_where_nothing_is_written_any_more_ends_the_session(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store):
        ts = await slack.say(ann, general, f"{slack.mention} hello")
        await slack.finished(general, ts)
        session = slack.session(general, ts)
        assert session is not None
        await slack.until(lambda: session.status == "active")
        session.status = "processing"
        await slack.stop(ann, general, ts)
        await slack.until(lambda: session.status == "active")
