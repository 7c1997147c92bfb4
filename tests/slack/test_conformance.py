"""The channel suite, on Slack."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from adapters.slack.channel import SlackChannel
from adapters.slack.thread import STAMP
from bot.testing import ScriptedEngine
from bot.types import Author, ConversationKey, Inbound, Turn
from storage.local import plugin as local
from storage.sql import SqlStore
from tests.conformance.channel import ChannelContract
from tests.slack.house import House, opened
from tests.slack.platform import Channel, Message, SlackPlatform


class SlackStage:
    """A reader in a thread."""

    def __init__(self, channel: SlackChannel, slack: SlackPlatform, room: Channel, thread: str) -> None:
        self.channel = channel
        self._slack, self._room, self._thread = slack, room, thread

    @property
    def conversation(self) -> ConversationKey:
        return ConversationKey(channel="slack", tenant=self._slack.home.id, room=self._room.id, thread=self._thread)

    async def shown(self, turn: str) -> str:
        return "".join(message.text for message in self._replies() if _turn(message) in (turn, None))

    async def delivered(self) -> list[tuple[str, str]]:
        return [(str(_turn(message)), message.text) for message in self._replies() if _turn(message)]

    def _replies(self) -> list[Message]:
        return self._slack.answers(self._room, self._thread)


def _turn(message: Message) -> str | None:
    stamp = message.metadata
    return stamp["event_payload"]["turn"] if stamp and stamp["event_type"] == STAMP else None


@pytest.fixture(params=["streamed", "edited"])
async def stage(request: pytest.FixtureRequest, slack: SlackPlatform, store: SqlStore) -> AsyncIterator[SlackStage]:
    if request.param == "edited":
        slack.faults.error("chat.startStream", "method_not_supported_for_channel_type", times=None)
    ann = slack.user("Ann")
    room = slack.channel("general", [ann])
    store.turns.place = _placed  # type: ignore[method-assign] # the suite's turns are not in the store
    async with local.open(local.settings()) as shared:
        house = House(store, shared, ScriptedEngine(""))
        async with opened(slack, house) as channel:
            thread = await slack.say(ann, room, "hello")
            stage = SlackStage(channel, slack, room, thread)
            await _ask(store, stage.conversation, ann.id)
            yield stage


async def _placed(turn: Turn, shown: str) -> None:
    return None


async def _ask(store: SqlStore, key: ConversationKey, user: str) -> None:
    asked = Inbound(
        event_id="e1",
        conversation=key,
        author=Author(id=user, name="Ann"),
        text="hello",
        received_at=datetime.now(UTC),
    )
    await store.intake.accept(asked, persona="helper")


class TestSlackChannel(ChannelContract):
    pass
