"""The stand-in streams as Slack does, and ends streams as Slack does."""

import asyncio
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.messages.chunk import MarkdownTextChunk, TaskUpdateChunk

from tests.slack.clients import error_of, web_client
from tests.slack.platform import Channel, Settings, SlackPlatform, User

BUTTONS = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
            "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
        }
    ],
}


class Room:
    """A channel with Ann in it and a thread that she began."""

    def __init__(self, slack: SlackPlatform, ann: User, channel: Channel, root: str) -> None:
        self.ann, self.channel, self.root = ann, channel, root
        self.client = web_client(slack)
        recipient = {"recipient_user_id": ann.id, "recipient_team_id": ann.team}
        self.start_args: dict[str, Any] = {"channel": channel.id, "thread_ts": root, **recipient}

    async def start(self, text: str = "") -> dict[str, Any]:
        started = await self.client.chat_startStream(**self.start_args, markdown_text=text or None)
        return {"channel": self.channel.id, "ts": str(started["ts"])}


async def room(slack: SlackPlatform) -> Room:
    ann = slack.user("Ann")
    channel = slack.channel("general", [ann])
    return Room(slack, ann, channel, await slack.say(ann, channel, f"{slack.mention} hello"))


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as error:
        await call
    return error_of(error.value)


async def test_the_sdks_own_streamer_leaves_one_finished_message(slack: SlackPlatform) -> None:
    here = await room(slack)
    streamer = await here.client.chat_stream(**here.start_args, buffer_size=4)
    await streamer.append(markdown_text="Hello ")
    assert slack.answers(here.channel)[0].streaming == "in_progress"
    await streamer.append(markdown_text="wor")
    metadata = {"event_type": "parley_reply", "event_payload": {"turn": "t1"}}
    await streamer.stop(markdown_text="ld", blocks=[BUTTONS], metadata=metadata)
    [message] = slack.answers(here.channel, here.root)
    assert (message.text, message.streaming, message.blocks) == ("Hello world", "completed", [BUTTONS])
    assert (message.metadata, message.edits) == (metadata, 0)


async def test_a_stream_needs_a_thread_and_in_a_channel_its_recipient(slack: SlackPlatform) -> None:
    here = await room(slack)
    start = here.client.chat_startStream
    assert await refused(here.client.api_call("chat.startStream", json={"channel": slack.dm(here.ann).id})) == (
        "invalid_arguments"
    )
    assert await refused(start(channel=here.channel.id, thread_ts=here.root)) == "missing_recipient_team_id"
    assert (
        await refused(start(channel=here.channel.id, thread_ts=here.root, recipient_team_id=here.ann.team))
        == "missing_recipient_user_id"
    )
    dm = slack.dm(here.ann)
    root = await slack.say(here.ann, dm, "hello")
    assert (await start(channel=dm.id, thread_ts=root))["ok"]


async def test_a_live_stream_refuses_edits_and_deletion(slack: SlackPlatform) -> None:
    here = await room(slack)
    where = await here.start("one")
    assert await refused(here.client.chat_update(**where, text="two")) == "streaming_state_conflict"
    assert await refused(here.client.chat_delete(**where)) == "cant_delete_message"
    await here.client.chat_stopStream(**where)
    await here.client.chat_update(**where, text="two")
    assert slack.answers(here.channel)[0].text == "two"


async def test_a_finished_stream_takes_no_more(slack: SlackPlatform) -> None:
    here = await room(slack)
    where = await here.start("one")
    await here.client.chat_stopStream(**where)
    appended = here.client.chat_appendStream(**where, markdown_text="two")
    assert await refused(appended) == "message_not_in_streaming_state"
    assert await refused(here.client.chat_stopStream(**where)) == "message_not_in_streaming_state"


async def test_slack_closes_a_stream_after_its_time_and_keeps_the_text() -> None:
    async with SlackPlatform(Settings(stream_seconds=0.05)) as slack:
        here = await room(slack)
        where = await here.start("one")
        await asyncio.sleep(0.06)
        appended = here.client.chat_appendStream(**where, markdown_text="two")
        assert await refused(appended) == "message_not_in_streaming_state"
        [message] = slack.answers(here.channel)
        assert (message.text, message.streaming) == ("one", "expired")


async def test_slack_closes_a_stream_at_its_size_limit_and_keeps_what_was_there() -> None:
    async with SlackPlatform(Settings(stream_chars=10)) as slack:
        here = await room(slack)
        where = await here.start("12345678")
        assert await refused(here.client.chat_appendStream(**where, markdown_text="90abc")) == "msg_too_long"
        assert await refused(here.client.chat_stopStream(**where)) == "message_not_in_streaming_state"
        assert slack.answers(here.channel)[0].text == "12345678"


async def test_one_call_takes_twelve_thousand_characters(slack: SlackPlatform) -> None:
    here = await room(slack)
    where = await here.start()
    await here.client.chat_appendStream(**where, markdown_text="x" * 12_000)
    assert await refused(here.client.chat_appendStream(**where, markdown_text="x" * 12_001)) == "msg_too_long"
    await here.client.chat_appendStream(**where, markdown_text="y")
    assert len(slack.answers(here.channel)[0].text) == 12_001


async def test_chunks_carry_text_and_tasks(slack: SlackPlatform) -> None:
    here = await room(slack)
    where = await here.start()
    chunks = [MarkdownTextChunk(text="Hi"), TaskUpdateChunk(id="t1", title="Looking", status="in_progress")]
    await here.client.chat_appendStream(**where, chunks=chunks)
    [message] = slack.answers(here.channel)
    assert message.text == "Hi"
    assert message.stream is not None
    assert message.stream.tasks["t1"]["status"] == "in_progress"
    assert await refused(here.client.chat_appendStream(**where, chunks=[{"type": "noise"}])) == "invalid_chunks"


async def test_the_stop_button_ends_streams_and_waits_for_the_app_to_leave_processing(slack: SlackPlatform) -> None:
    here = await room(slack)
    where = await here.start("one")
    session: dict[str, Any] = {"channel_id": here.channel.id, "thread_ts": here.root}
    with pytest.raises(LookupError):
        await slack.stop(here.ann, here.channel, here.root)
    await here.client.agents_sessions_setStatus(**session, status="processing")
    await slack.stop(here.ann, here.channel, here.root)
    await slack.until(lambda: slack.deliveries[-1].name == "agent_session_stopped")
    assert slack.deliveries[-1].payload["event"]["streaming_message_ts"] == [where["ts"]]
    assert await refused(here.client.chat_appendStream(**where, markdown_text="two")) == "stopped_by_user"
    shown = slack.session(here.channel, here.root)
    assert shown is not None
    assert shown.status == "processing"
    await here.client.agents_sessions_setStatus(**session, status="active")
    assert shown.status == "active"


async def test_stopping_a_stream_leaves_processing_too(slack: SlackPlatform) -> None:
    here = await room(slack)
    session: dict[str, Any] = {"channel_id": here.channel.id, "thread_ts": here.root}
    await here.client.agents_sessions_setStatus(**session, status="processing", title="A question")
    where = await here.start("one")
    await here.client.chat_stopStream(**where)
    shown = slack.session(here.channel, here.root)
    assert shown is not None
    assert (shown.status, shown.title) == ("active", "A question")


async def test_a_status_shows_until_the_app_posts_or_its_time_is_over() -> None:
    async with SlackPlatform(Settings(status_seconds=0.05)) as slack:
        here = await room(slack)
        thread: dict[str, Any] = {"channel_id": here.channel.id, "thread_ts": here.root}
        await here.client.assistant_threads_setStatus(**thread, status="is thinking", loading_messages=["Hm"])
        assert slack.status(here.channel, here.root) == "is thinking"
        await asyncio.sleep(0.06)
        assert slack.status(here.channel, here.root) == ""
        await here.client.assistant_threads_setStatus(**thread, status="is thinking")
        await here.client.chat_postMessage(channel=here.channel.id, thread_ts=here.root, text="Done")
        assert slack.status(here.channel, here.root) == ""


async def test_suggested_prompts_are_four_and_an_agents_thread_has_none(slack: SlackPlatform) -> None:
    here = await room(slack)
    dm = slack.dm(here.ann)
    prompts = [{"title": str(number), "message": f"Question {number}"} for number in range(5)]
    suggest = here.client.assistant_threads_setSuggestedPrompts
    assert await refused(suggest(channel_id=dm.id, prompts=prompts)) == "invalid_arguments"
    await suggest(channel_id=dm.id, thread_ts=here.root, prompts=prompts[:4])
    assert slack.prompts(dm) == []
    await suggest(channel_id=dm.id, prompts=prompts[:4], title="Try")
    assert slack.prompts(dm) == prompts[:4]
    await here.client.assistant_threads_setTitle(channel_id=dm.id, thread_ts=here.root, title="Hello")
    assert slack.title(dm, here.root) == "Hello"
