"""The web channel keeps to the contract of channels, as the reader of an event stream sees it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.web import WebChannel
from adapters.web.inbound import key_of
from adapters.web.replay import Replay
from bot.types import ConversationKey, Delta, LiveEvent, TurnFinished, TurnReplaced, TurnStarted
from tests.adapters_web.house import serving
from tests.conformance.channel import ChannelContract


class WebStage:
    """Follows the bus as an event stream does, without HTTP between."""

    def __init__(self, channel: WebChannel, events: AsyncIterator[tuple[str, LiveEvent]]) -> None:
        self.channel = channel
        self._events = events
        self._replay = Replay()
        self._texts: dict[str, str] = {}
        self._ends: list[tuple[str, str]] = []

    @property
    def conversation(self) -> ConversationKey:
        return key_of("room")

    async def shown(self, turn: str) -> str:
        await self._catch_up()
        return self._texts[turn]

    async def delivered(self) -> list[tuple[str, str]]:
        await self._catch_up()
        return self._ends

    async def _catch_up(self) -> None:
        """Until nothing has come for some frames."""
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(0.1):
                    cursor, event = await anext(self._events)
                for _, sent in self._replay.live(cursor, event, settled=True) or []:
                    self._take(sent)

    def _take(self, event: LiveEvent) -> None:
        match event:
            case TurnStarted():
                self._texts.setdefault(event.turn, "")
            case Delta():
                self._texts[event.turn] += event.text
            case TurnReplaced():
                self._texts[event.turn] = event.text
            case TurnFinished():
                self._texts[event.turn] = event.message.text
                self._ends.append((event.turn, event.message.text))


class TestWebChannel(ChannelContract):
    @pytest.fixture
    async def stage(self, tmp_path: Path) -> AsyncIterator[WebStage]:
        async with serving(tmp_path, dispatch=False) as served, served.core.bus.follow(key_of("room")) as events:
            yield WebStage(served.channel, events)
