"""The Discord channel keeps to the contract of channels, on the stand-in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from adapters.discord import DiscordChannel, open_channel
from adapters.discord.buttons import press_in
from adapters.discord.reply import NOTHING
from bot.testing import ScriptedEngine
from bot.types import ConversationKey, Turn
from storage.local import LocalBusSettings, open_shared
from storage.sql import SqlSettings, open_store
from tests.conformance.channel import ChannelContract
from tests.core.house import make_inbox
from tests.core.parts import OnePersona
from tests.discord.house import SmallCore, settings_of
from tests.discord.platform import Platform
from tests.discord.platform.world import Json


@dataclass(slots=True)
class Room:
    """A reader before a room. A reply is known by the nonce of its first message."""

    discord: Platform
    channel: DiscordChannel
    conversation: ConversationKey
    room: Json
    seen: list[tuple[str, str]] = field(default_factory=list)

    async def shown(self, turn: str) -> str:
        texts = [post["content"] for post in self.discord.posts(self.room) if post["nonce"] == turn]
        return "" if texts == [NOTHING] else "\n".join(texts)

    async def delivered(self) -> list[tuple[str, str]]:
        return [(post["nonce"], post["content"]) for post in self.discord.posts(self.room) if _is_done(post)]


def _is_done(post: Json) -> bool:
    ids = [button["custom_id"] for row in post["components"] for button in row["components"]]
    presses = [press_in(one) for one in ids]
    return bool(presses) and all(press is not None and press.act != "stop" for press in presses)


async def keep_nothing(turn: Turn, shown: str) -> None:
    """The contract's turns are in no database."""


class TestDiscordChannel(ChannelContract):
    @pytest.fixture
    async def stage(self, discord: Platform, url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
        guild = discord.guild()
        room = discord.channel(guild)
        key = ConversationKey(channel="discord", tenant=guild["id"], room=room["id"])
        async with open_store(SqlSettings(url=url)) as store, open_shared(LocalBusSettings()) as shared:
            monkeypatch.setattr(store.turns, "place", keep_nothing)
            inbox = make_inbox(store, shared.bus, channel="discord")
            engine = ScriptedEngine("")
            core = SmallCore(inbox=inbox, store=store, bus=shared.bus, personas=OnePersona(), engine=engine)
            async with open_channel(settings_of(discord), core) as channel:
                yield Room(discord, channel, key, room)
