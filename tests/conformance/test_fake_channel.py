"""The stand-in channel keeps to the contract that it stands in for."""

import pytest

from bot.testing import FakeChannel
from bot.types import ConversationKey
from tests.conformance.channel import ChannelContract
from tests.conformance.samples import key


class FakeStage:
    def __init__(self) -> None:
        self.channel = FakeChannel()

    @property
    def conversation(self) -> ConversationKey:
        return key("room")

    async def shown(self, turn: str) -> str:
        if turn in self.channel.delivered:
            return self.channel.delivered[turn].message.text
        return next(reply.text for reply in reversed(self.channel.replies) if reply.turn.id == turn)

    async def delivered(self) -> list[tuple[str, str]]:
        return [(turn, delivery.message.text) for turn, delivery in self.channel.delivered.items()]


class TestFakeChannel(ChannelContract):
    @pytest.fixture
    def stage(self) -> FakeStage:
        return FakeStage()
