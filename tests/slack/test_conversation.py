"""Conversations in DMs, channels and threads."""

from storage.sql import SqlStore
from tests.slack.house import serving
from tests.slack.platform import SlackPlatform


async def test_a_direct_message_is_answered_in_its_thread_by_a_stream(slack: SlackPlatform, store: SqlStore) -> None:
    ann = slack.user("Ann")
    dm = slack.dm(ann)
    async with serving(slack, store):
        ts = await slack.say(ann, dm, "hello there")
        [answer] = await slack.finished(dm, ts)
        assert answer.text == "You said hello there"
        assert answer.streaming == "completed"
        assert answer.thread_ts == ts
        await slack.settle()
    assert slack.unknown_calls == []


async def test_a_reply_in_a_thread_of_others_is_for_who_asked(slack: SlackPlatform, store: SqlStore) -> None:
    ann, ben = slack.user("Ann"), slack.user("Ben")
    room = slack.channel("general", [ann, ben])
    async with serving(slack, store):
        ts = await slack.say(ben, room, "it is broken")
        await slack.say(ann, room, f"{slack.mention} what now?", thread=ts)
        await slack.finished(room, ts)
        [call] = slack.calls_to("chat.startStream")
    assert call.args["recipient_user_id"] == ann.id
