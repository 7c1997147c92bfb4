"""The composition root: opens every part through its entry point and runs them together."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import structlog

from bot.config import Loaded, Settings
from bot.dispatch import Dispatcher, Pace
from bot.errors import EngineError, StoreError, UnknownPersona, UnknownPlugin
from bot.inbox import StoredInbox
from bot.knowledge import Library
from bot.personas import Catalog, Problem, persona_schema
from bot.plugins import Group, find
from bot.ports import Bus, Channel, ChannelPlugin, Engine, Inbox, Personas, Plugin, Store
from bot.types import new_id

log = structlog.stdlib.get_logger()


class App:
    """Parley with its parts open. The `Core` that channels see, and `run` to serve until cancelled."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        bus: Bus,
        engine: Engine,
        personas: Catalog,
        knowledge: Library,
        routes: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.settings = settings
        self.store = store
        self.bus = bus
        self.engine = engine
        self.knowledge = knowledge
        self.channels: dict[str, Channel] = {}
        self._catalog = personas
        self.inbox: Inbox = StoredInbox(store=store, bus=bus, routes=routes)

    @property
    def personas(self) -> Personas:
        return self._catalog

    @property
    def model(self) -> str:
        return self.engine.model

    @property
    def persona_schema(self) -> Mapping[str, object]:
        return persona_schema()

    async def ready(self) -> Mapping[str, str | None]:
        wrong: dict[str, str | None] = {"database": None, "bus": None, "engine": None}
        try:
            await self.store.check()
        except StoreError as error:
            wrong["database"] = str(error)
        try:
            await self.bus.check()
        except ConnectionError as error:
            wrong["bus"] = str(error)
        try:
            await self.engine.check()
        except EngineError as error:
            wrong["engine"] = str(error)
        return wrong

    async def run(self) -> None:
        """Serve every channel until cancelled or until one has nothing more to hear; running turns get their grace."""
        turns = self.settings.turns
        dispatcher = Dispatcher(
            holder=f"{socket.gethostname()}-{os.getpid()}-{new_id()[-4:]}",
            store=self.store,
            bus=self.bus,
            personas=self.personas,
            knowledge=self.knowledge,
            engine=self.engine,
            channels=self.channels,
            pace=Pace(at_once=turns.at_once, grace=timedelta(seconds=turns.grace_seconds)),
        )
        async with self._catalog.watching(self._on_change), asyncio.TaskGroup() as group:
            dispatching = group.create_task(dispatcher.run(), name="dispatcher")
            listening = {
                group.create_task(channel.listen(), name=f"channel {channel.name}")
                for channel in self.channels.values()
            }
            await asyncio.wait(listening, return_when=asyncio.FIRST_COMPLETED)
            for task in (*listening, dispatching):
                task.cancel()

    async def _on_change(self) -> None:
        await self.knowledge.refresh(self.personas.all())
        await self.bus.publish("personas", "")


@asynccontextmanager
async def open_app(loaded: Loaded, *, channels: Sequence[str] | None = None) -> AsyncIterator[App]:
    """Open every part in order: database, bus, engine, personas, knowledge, channels (all, or those named).

    Raises ConfigError, UnknownPlugin, StoreUnavailable, ModelRefused: one clear line each.
    """
    settings = loaded.settings
    served = tuple(settings.channels if channels is None else channels)
    async with AsyncExitStack() as stack:

        async def part(group: Group, section: str, name: str) -> Any:
            plugin = find(group, name)
            if not isinstance(plugin, Plugin):
                raise UnknownPlugin(name, hint=f"it is no part of {group}")
            return await stack.enter_async_context(plugin.open(loaded.section(section, plugin)))

        app = App(
            settings=settings,
            store=await part("parley.stores", "store", settings.store["use"]),
            bus=await part("parley.buses", "bus", settings.bus["use"]),
            engine=await part("parley.engines", "engine", settings.engine["use"]),
            personas=_catalog(settings),
            knowledge=Library(),
            routes={name: _rooms(settings, name) for name in served},
        )
        for name in served:
            _warn_of_missing(app.personas, name, _rooms(settings, name))
        await app.knowledge.refresh(app.personas.all())
        for name in served:
            plugin = find("parley.channels", name)
            if not isinstance(plugin, ChannelPlugin):
                raise UnknownPlugin(name, hint="it is no channel")
            opened = plugin.open(loaded.section(f"channels.{name}", plugin), app)
            app.channels[name] = await stack.enter_async_context(opened)
        yield app


def _catalog(settings: Settings) -> Catalog:
    folders = [settings.personas] if settings.personas.is_dir() else []
    catalog = Catalog(folders, language=settings.language, on_problem=_report)
    catalog.load()
    return catalog


def _warn_of_missing(personas: Personas, channel: str, rooms: Mapping[str, str]) -> None:
    for room, name in rooms.items():
        try:
            personas.get(name)
        except UnknownPersona as error:
            log.warning("a room has no persona", channel=channel, room=room, error=str(error))


def _report(problem: Problem) -> None:
    if problem.severity == "error":
        log.warning("persona has a fault", problem=str(problem))
    else:
        log.info("persona note", note=str(problem))


def _rooms(settings: Settings, channel: str) -> Mapping[str, str]:
    """The persona of each room of a channel; `default` for those it does not name."""
    return {"default": "support", **settings.channels.get(channel, {}).get("personas", {})}
