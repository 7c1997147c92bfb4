"""Feedback buttons below a reply become ratings."""

from collections.abc import AsyncIterator
from typing import Any

from adapters.slack.blocks import RATE
from bot.types import ConversationKey, Person
from storage.sql import SqlStore
from tests.slack.house import serving
from tests.slack.platform import Channel, Message, SlackPlatform, User


async def answered(slack: SlackPlatform, ann: User, room: Channel) -> tuple[str, Message]:
    ts = await slack.say(ann, room, f"{slack.mention} hello")
    await slack.until(lambda: any(reply.blocks for reply in slack.answers(room, ts)))
    [reply] = await slack.finished(room, ts)
    return ts, reply


def values(reply: Message) -> tuple[str, str]:
    """Of the good and the bad button."""
    buttons = reply.blocks[-1]["elements"][0]
    return buttons["positive_button"]["value"], buttons["negative_button"]["value"]


async def ratings(store: SqlStore, slack: SlackPlatform, user: User) -> list[Any]:
    found: AsyncIterator[Any] = store.records.export(Person(channel="slack", tenant=slack.home.id, id=user.id))
    return [record["rating"] async for record in found if record["record"] == "rating"]


async def test_a_press_is_stored_and_thanked_for_to_the_presser_alone(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store):
        ts, reply = await answered(slack, ann, general)
        good, bad = values(reply)
        assert await slack.press(ann, reply.ts, RATE, value=good) is not None
        assert await ratings(store, slack, ann) == ["up"]
        assert await slack.press(ann, reply.ts, RATE, value=bad) is not None
        assert await ratings(store, slack, ann) == ["down"]
    thanks = slack.ephemerals(ann)
    assert len(thanks) == 2
    assert {(word.channel, word.thread_ts) for word in thanks} == {(general.id, ts)}
    assert len(slack.answers(general)) == 1


async def test_the_buttons_still_work_after_a_restart(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store):
        _, reply = await answered(slack, ann, general)
    async with serving(slack, store):
        assert await slack.press(ann, reply.ts, RATE, value=values(reply)[1]) is not None
    assert await ratings(store, slack, ann) == ["down"]


async def test_a_press_for_a_turn_of_another_channel_or_of_none_changes_nothing(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    secret = slack.channel("secret", [slack.user("Ben")], private=True)
    async with serving(slack, store):
        _, there = await answered(slack, slack.user("Ben"), secret)
        _, here = await answered(slack, ann, general)
        for forged in (values(there)[0], "up:no-such-turn", "up:", "nonsense"):
            here.blocks[-1]["elements"][0]["positive_button"]["value"] = forged
            assert await slack.press(ann, here.ts, RATE, value=forged) is not None
    assert await ratings(store, slack, ann) == []
    assert await turn_ratings(store, slack, secret, there) == []
    assert slack.ephemerals(ann) == []


async def turn_ratings(store: SqlStore, slack: SlackPlatform, room: Channel, reply: Message) -> list[Any]:
    key = ConversationKey(channel="slack", tenant=slack.home.id, room=room.id, thread=reply.thread_ts)
    return [record["rating"] async for record in store.records.export(key) if record["record"] == "rating"]


async def test_what_was_forgotten_cannot_be_rated(
    slack: SlackPlatform, store: SqlStore, ann: User, general: Channel
) -> None:
    async with serving(slack, store):
        _, reply = await answered(slack, ann, general)
        await slack.command(ann, general, "/parley", "forget")
        said = len(slack.ephemerals(ann))
        assert await slack.press(ann, reply.ts, RATE, value=values(reply)[0]) is not None
    assert await ratings(store, slack, ann) == []
    assert len(slack.ephemerals(ann)) == said
