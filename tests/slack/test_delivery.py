"""However Slack answers, each reply is there once and whole."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.testing import ScriptedEngine
from bot.types import Generated, KnowledgeSource, Prompt, TextDelta, Turn
from storage.sql import SqlStore
from storage.sql.models import conversations
from tests.slack.house import HELPER, serving
from tests.slack.platform import Channel, Message, Settings, SlackPlatform, User

WORDS = " ".join(f"word{n}" for n in range(60))
LONG = "\n\n".join(f"Paragraph {n}: " + "text " * 40 for n in range(40))
CODE = "Here:\n\n```python\n" + "\n".join(f"print({n})" for n in range(200)) + "\n```\n\nThat is all."


KB = KnowledgeSource(path=Path("kb"), label="kb")


def talking(text: str, *, delay: float = 0.002) -> ScriptedEngine:
    return ScriptedEngine(text, delay=delay)


def whole(messages: Sequence[Message]) -> str:
    """What stands in the thread, but for where it is cut."""
    return " ".join(" ".join(message.text for message in messages).split())


async def settled(slack: SlackPlatform, store: SqlStore, *, seconds: float = 30) -> None:
    """Returns when every event is taken and nothing waits to be answered or shown."""
    waits = select(conversations.c.key).where(conversations.c.waiting_since.is_not(None))
    await slack.settle()
    async with asyncio.timeout(seconds):
        while await store.database.read(lambda connection: connection.execute(waits).first()):
            await asyncio.sleep(0.01)


async def asked(slack: SlackPlatform, store: SqlStore, text: str = "hello") -> list[Message]:
    """The messages of the answer to a mention."""
    ann, room = place(slack)
    ts = await slack.say(ann, room, f"{slack.mention} {text}")
    await settled(slack, store)
    return slack.answers(room, ts)


def place(slack: SlackPlatform) -> tuple[User, Channel]:
    ann = next((user for user in slack.workspace.users.values() if user.name == "Ann"), None) or slack.user("Ann")
    return ann, next(iter(slack.workspace.channels.values()), None) or slack.channel("general", [ann])


CALLS = ("chat.startStream", "chat.appendStream", "chat.stopStream")
EDITS = ("chat.postMessage", "chat.update")


@pytest.mark.parametrize("fault", ["lose_answer", "drop", "status", "rate_limit"])
@pytest.mark.parametrize("method", [*CALLS, *EDITS])
async def test_a_fault_in_any_call_leaves_one_whole_reply(
    slack: SlackPlatform, store: SqlStore, method: str, fault: str
) -> None:
    if method in EDITS:
        slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    async with serving(slack, store, engine=talking(WORDS)):
        armed = getattr(slack.faults, fault)(method)
        answers = await asked(slack, store)
    assert armed.fired == 1
    assert whole(answers) == WORDS
    assert len(answers) == 1
    assert answers[0].streaming in (None, "completed")


async def test_answers_lost_by_the_dozen_duplicate_nothing(slack: SlackPlatform, store: SqlStore) -> None:
    for method in (*CALLS, *EDITS):
        slack.faults.lose_answer(method, times=None, rate=0.3)
    async with serving(slack, store, engine=talking("one two three", delay=0)):
        ann, room = place(slack)
        asked_at = [await slack.say(ann, room, f"{slack.mention} {n}") for n in range(25)]
        await settled(slack, store, seconds=100)
    assert all(whole(slack.answers(room, ts)) == "one two three" for ts in asked_at)
    assert all(len(slack.answers(room, ts)) == 1 for ts in asked_at)


async def test_without_looking_up_the_stamp_a_lost_answer_shows_the_reply_twice(
    slack: SlackPlatform, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the tests above."""
    from adapters.slack.showing import Showing

    async def blind(self: Showing, **looked: object) -> None:
        self.lost = False

    monkeypatch.setattr(Showing, "find", blind)
    slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    slack.faults.lose_answer("chat.postMessage")
    async with serving(slack, store, engine=talking(WORDS)):
        assert len(await asked(slack, store)) == 2


async def test_a_long_reply_goes_on_in_new_messages_with_nothing_lost(slack: SlackPlatform, store: SqlStore) -> None:
    async with serving(slack, store, engine=talking(LONG, delay=0), rotate_chars=2_000):
        answers = await asked(slack, store)
    assert len(answers) >= 3
    assert whole(answers) == whole_text(LONG)
    assert all(message.streaming == "completed" for message in answers)
    assert all(message.metadata for message in answers)


async def test_a_stream_that_slack_ends_goes_on_in_a_new_message(store: SqlStore) -> None:
    platform = SlackPlatform(Settings(stream_seconds=0.15))
    async with platform as slack, serving(slack, store, engine=talking(WORDS, delay=0.01)):
        answers = await asked(slack, store)
    assert whole(answers) == WORDS
    assert len({message.ts for message in answers}) == len(answers)


async def test_a_stream_rotates_before_its_time_is_over(slack: SlackPlatform, store: SqlStore) -> None:
    async with serving(slack, store, engine=talking(WORDS, delay=0.01), rotate_seconds=0.2):
        answers = await asked(slack, store)
    assert len(answers) >= 2
    assert whole(answers) == WORDS


async def test_a_code_block_that_goes_on_in_a_new_message_is_closed_and_opened_again(
    slack: SlackPlatform, store: SqlStore
) -> None:
    async with serving(slack, store, engine=talking(CODE, delay=0), rotate_chars=600):
        answers = await asked(slack, store)
    assert len(answers) >= 3
    assert all(message.text.count("```") % 2 == 0 for message in answers)
    lines = [line for message in answers for line in message.text.splitlines() if line.startswith("print")]
    assert lines == [f"print({n})" for n in range(200)]


async def test_a_corrected_reply_takes_the_place_of_what_was_streamed(slack: SlackPlatform, store: SqlStore) -> None:
    async with serving(slack, store, engine=talking("It is so. wrong word.", delay=0.05)) as house:
        house.personas.known["helper"] = replace(HELPER, grounded="prefer", knowledge=(KB,))
        answers = await asked(slack, store, "how long?")
    assert len(answers) == 1
    assert "wrong" not in answers[0].text
    assert "Returns take 30 days." in answers[0].text


async def test_a_very_long_answer_comes_as_a_file_too(slack: SlackPlatform, store: SqlStore) -> None:
    slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    slack.faults.lose_answer("files.completeUploadExternal")
    async with serving(slack, store, engine=talking(LONG, delay=0), file_over=1_000):
        answers = await asked(slack, store)
    attached = [slack.workspace.files[file] for message in answers for file in message.files]
    assert [file.content for file in attached] == [LONG.encode()]
    assert sum(len(message.text) for message in answers) < 1_000


class Dying(ScriptedEngine):
    """Says half and then nothing more, for the first attempt alone."""

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        self.prompts.append(prompt)
        if len(self.prompts) > 1:
            async for event in ScriptedEngine(WORDS).generate(prompt):
                yield event
            return
        yield TextDelta("half of")
        await asyncio.Event().wait()


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("noted", [True, False])
async def test_another_replica_puts_the_whole_reply_in_the_place_of_half_a_one(
    slack: SlackPlatform, store: SqlStore, streams: bool, noted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not streams:
        slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    if not noted:  # as if it died between the post and the note of it
        place_it = store.turns.place

        async def place_before_it(turn: Turn, shown: str) -> None:
            if "[]" in shown:
                await place_it(turn, shown)

        monkeypatch.setattr(store.turns, "place", place_before_it)
    ann, room = place(slack)
    engine = Dying("")
    async with serving(slack, store, engine=engine):
        ts = await slack.say(ann, room, f"{slack.mention} hello")
        await slack.until(lambda: slack.answers(room, ts))
        await slack.settle()
    async with serving(slack, store, engine=engine):
        await settled(slack, store)
    [answer] = slack.answers(room, ts)
    assert whole([answer]) == WORDS
    assert answer.streaming != "in_progress"


async def test_two_replicas_answer_each_of_many_events_once_however_often_they_come(
    slack: SlackPlatform, store: SqlStore
) -> None:
    slack.faults.duplicate("*", copies=2, rate=0.5)
    slack.faults.redeliver("*", after=0.3, rate=0.5)
    slack.faults.lose_ack("*", times=20, rate=0.5)
    slack.settings.retry_after = (0, 0.2, 0.5)
    slack.settings.ack_seconds = 0.5
    ann, room = place(slack)
    async with serving(slack, store) as one, serving(slack, store) as other:
        asked_at = [await slack.say(ann, room, f"{slack.mention} number {n}") for n in range(40)]
        await settled(slack, store, seconds=60)
        assert one is not other
    for n, ts in enumerate(asked_at):
        assert [message.text for message in slack.answers(room, ts)] == [f"You said number {n}"]


async def test_when_slack_asks_to_reconnect_nothing_is_missed(slack: SlackPlatform, store: SqlStore) -> None:
    ann, room = place(slack)
    asked_at: list[str] = []
    async with serving(slack, store):
        for reason in ("warning", "refresh_requested", "too_many_websockets"):
            asked_at.append(await slack.say(ann, room, f"{slack.mention} before"))
            await slack.disconnect(reason)
            asked_at.append(await slack.say(ann, room, f"{slack.mention} after"))
            await slack.until(lambda: slack.sockets.connections)
        await settled(slack, store, seconds=60)
    assert all(len(slack.answers(room, ts)) == 1 for ts in asked_at)


async def test_messages_are_as_far_apart_in_a_channel_as_slack_asks(slack: SlackPlatform, store: SqlStore) -> None:
    slack.settings.enforce_limits = True
    slack.settings.limit_window_seconds = 5
    slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    ann, room = place(slack)
    async with serving(slack, store, post_seconds=1.0, engine=talking("short", delay=0)):
        asked_at = [await slack.say(ann, room, f"{slack.mention} {n}") for n in range(4)]
        await settled(slack, store)
    assert all(len(slack.answers(room, ts)) == 1 for ts in asked_at)
    assert [call.status for call in slack.calls_to("chat.postMessage")] == [200] * 4


def whole_text(text: str) -> str:
    return " ".join(text.split())
