"""A whole Parley around the Discord channel: the real inbox, dispatcher and database, on the stand-in for Discord."""

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from adapters.discord import DiscordChannel, DiscordSettings, open_channel
from bot.lease import Terms
from bot.ports import Bus, Channel, Engine, Inbox, Personas, Store
from bot.service import Pace
from bot.testing import ScriptedEngine
from storage.local import LocalBusSettings, open_shared
from storage.sql import SqlSettings, open_store
from tests.blank import blank
from tests.core.house import make_dispatcher, make_inbox
from tests.core.parts import OnePersona
from tests.discord.platform import Platform


def settings_of(platform: Platform, **given: Any) -> DiscordSettings:
    usual = {
        "token": SecretStr(platform.token),
        "edit_seconds": 0.02,
        "lease_seconds": 1.0,
        "personas": {"default": "helper"},
    }
    return DiscordSettings(api_url=platform.api, gateway_url=platform.gateway.url, **{**usual, **given})


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallCore:
    """What a channel sees of the core."""

    inbox: Inbox
    store: Store
    bus: Bus
    personas: Personas
    engine: Engine
    channels: dict[str, Channel] = field(default_factory=dict)
    model: str = "scripted"
    persona_schema: Mapping[str, object] = field(default_factory=dict)

    async def ready(self) -> Mapping[str, str | None]:
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    core: SmallCore
    channel: DiscordChannel
    engine: Engine
    running: asyncio.Task[None]

    async def stop(self) -> None:
        """Leave in good order."""
        self.running.cancel()
        await asyncio.wait({self.running})


@asynccontextmanager
async def parley(
    platform: Platform,
    url: str,
    *,
    engine: Engine | None = None,
    personas: Personas | None = None,
    bus: Bus | None = None,
    listens: bool = True,
    answers: bool = True,
    answers_in: str = "in_place",
    waits: bool = True,
    **settings: Any,
) -> AsyncIterator[Replica]:
    """One replica. With `listens` and `waits` somebody hears when it is given back."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(SqlSettings(url=url)))
        shared = await stack.enter_async_context(open_shared(LocalBusSettings()))
        bus = bus or shared.bus
        engine = engine or ScriptedEngine(lambda prompt: f"You said: {prompt.messages[-1].text}")
        personas = personas or OnePersona()
        core = SmallCore(
            inbox=make_inbox(store, bus, channel="discord", personas=personas),
            store=store,
            bus=bus,
            personas=personas,
            engine=engine,
        )
        channel = await stack.enter_async_context(
            open_channel(settings_of(platform, answers=answers_in, **settings), core)
        )
        core.channels["discord"] = channel
        pace = Pace(
            terms=Terms(lease=timedelta(seconds=2), renew=timedelta(seconds=0.5)),
            poll=timedelta(seconds=0.2),
            retry=timedelta(seconds=0.2),
            grace=timedelta(seconds=1),
        )
        dispatcher = make_dispatcher(
            store, bus, engine=engine, channels={"discord": channel}, personas=personas, holder=f"{id(core)}", pace=pace
        )

        async def run() -> None:
            async with asyncio.TaskGroup() as group:
                if listens:
                    group.create_task(channel.listen())
                if answers:
                    group.create_task(dispatcher.run())

        running = asyncio.create_task(run())
        try:
            if listens and waits:
                await platform.until(lambda: platform.gateway.hearers() or running.done())
            yield Replica(core=core, channel=channel, engine=engine, running=running)
        finally:
            running.cancel()
            await asyncio.wait({running})


def database(folder: Path, name: str = "parley") -> str:
    return blank(folder / f"{name}.db")


def heartbeats() -> list[threading.Thread]:
    """discord.py's, one a connection: one that outlives its connection keeps a dead session alive."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("keep-alive-handler")]
