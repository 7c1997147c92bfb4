"""The console channel: chat in a terminal, or ask one question."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.console.channel import ConsoleChannel
from adapters.console.keyboard import Keyboard
from adapters.console.reply import Screen
from adapters.console.settings import ConsoleSettings
from bot.ports import Channel, ChannelPlugin, Core


@asynccontextmanager
async def open_console(settings: ConsoleSettings, core: Core) -> AsyncIterator[Channel]:
    yield ConsoleChannel(settings, core, screen=Screen(), keyboard=Keyboard())


plugin = ChannelPlugin(settings=ConsoleSettings, open=open_console)
