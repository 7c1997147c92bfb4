"""The composition root: opens every part through its entry point and runs them together."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from bot.config import Loaded, RateSettings, Settings
from bot.dispatch import Dispatcher
from bot.errors import EngineError, ModelRefused, StoreError, StoreInUse, UnknownPersona, UnknownPlugin
from bot.inbox import Limits, StoredInbox
from bot.jobs import Scheduler, upkeep
from bot.knowledge import Library
from bot.load import Load
from bot.models import Following, open_switch
from bot.personas import BUILTIN, Catalog, Problem, persona_schema
from bot.plugins import Group, find
from bot.ports import (
    Bus,
    Channel,
    ChannelPlugin,
    Engine,
    EngineServer,
    Inbox,
    Personas,
    Plugin,
    ServerPlugin,
    Shared,
    Store,
    StorePlugin,
)
from bot.retention import expire_old
from bot.service import Pace, Service
from bot.summaries import summarise_overflowed
from bot.types import Bounds, Rate, new_id

log = structlog.stdlib.get_logger()


class App:
    """Parley with its parts open. The `Core` that channels see, and `run` to serve until cancelled."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: Store,
        shared: Shared,
        engine: Engine,
        following: Following | None,
        personas: Catalog,
        knowledge: Library,
        routes: Mapping[str, Mapping[str, str]],
    ) -> None:
        """`following` keeps the engine at the model that is chosen in the store; None: it stays as it is."""
        self.settings = settings
        self.store = store
        self.shared = shared
        self.engine = engine
        self.knowledge = knowledge
        self._following = following
        self.channels: dict[str, Channel] = {}
        self._catalog = personas
        self._routes = routes
        self._load = Load(at_once=settings.turns.at_once)
        self._leaving = False
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{new_id()[-4:]}"
        self.inbox: Inbox = StoredInbox(
            store=store,
            bus=shared.bus,
            limiter=shared.limiter,
            window=shared.window,
            personas=personas,
            routes=routes,
            load=self._load,
            limits=_limits(settings),
            bounds=Bounds(waiting=settings.turns.waiting, backlog=settings.turns.backlog),
            keep=settings.data.keep,
        )
        self._scheduler = Scheduler(
            store=store,
            bus=shared.bus,
            personas=personas,
            channels=self.channels,
            upkeep=upkeep(
                store,
                zone=settings.zone,
                keep_runs=timedelta(days=settings.jobs.keep_days),
                now=_now,
                forget_old=partial(expire_old, store=store, personas=personas, keep=settings.data.keep),
                summarise=partial(summarise_overflowed, store=store, engine=engine, personas=personas),
            ),
            zone=settings.zone,
            holder=self._holder,
            now=_now,
        )

    @property
    def bus(self) -> Bus:
        return self.shared.bus

    @property
    def personas(self) -> Personas:
        return self._catalog

    @property
    def model(self) -> str:
        return self.engine.model

    @property
    def tokens(self) -> Mapping[str, int]:
        return self._load.tokens

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
        if self._leaving:
            wrong["server"] = "it is shutting down"
        return wrong

    async def run(self) -> None:
        """Serve every channel until cancelled or until one has nothing more to hear; running turns get their grace."""
        async with self._catalog.watching(self._on_change), asyncio.TaskGroup() as group:
            reloading = group.create_task(self._hear_reloads(), name="persona reloads")
            scheduling = group.create_task(self._scheduler.run(), name="scheduler")
            dispatching = group.create_task(self._dispatcher().run(), name="dispatcher")
            following = group.create_task(self._follow_models(), name="chosen models")
            listening = {
                group.create_task(channel.listen(), name=f"channel {channel.name}")
                for channel in self.channels.values()
            }
            try:
                await asyncio.wait(listening, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                self._leaving = True
                await asyncio.sleep(self.settings.turns.drain_seconds)
                raise
            finally:
                for task in (*listening, dispatching, scheduling, reloading, following):
                    task.cancel()

    def _dispatcher(self) -> Dispatcher:
        turns = self.settings.turns
        service = Service(
            store=self.store,
            bus=self.bus,
            window=self.shared.window,
            personas=self.personas,
            knowledge=self.knowledge,
            engine=self.engine,
            channels=self.channels,
            pace=Pace(
                at_once=turns.at_once,
                deadline=timedelta(seconds=turns.deadline_seconds),
                grace=timedelta(seconds=turns.grace_seconds),
            ),
            load=self._load,
            now=lambda: _now().astimezone(),
        )
        return Dispatcher(holder=self._holder, service=service)

    async def _follow_models(self) -> None:
        if self._following is not None:
            await self._following.run()

    async def _hear_reloads(self) -> None:
        """Another replica saw the persona files change: look here too, where no file event may come."""
        async with self.bus.subscribe("personas") as reloads:
            async for _ in reloads:
                if await asyncio.to_thread(self._catalog.load):
                    await self._follow()

    async def _on_change(self) -> None:
        await self._follow()
        await self.bus.publish("personas", "")

    async def _follow(self) -> None:
        await self.read_knowledge()
        self._scheduler.refresh()

    async def read_knowledge(self) -> None:
        """Of a built-in persona that no room names, it is read with the first question instead."""
        named = {name for rooms in self._routes.values() for name in rooms.values()}
        await self.knowledge.refresh(
            persona
            for persona in self.personas.all()
            if persona.name in named or not all(source.path.is_relative_to(BUILTIN) for source in persona.knowledge)
        )


@asynccontextmanager
async def open_app(loaded: Loaded, *, channels: Sequence[str] | None = None) -> AsyncIterator[App]:
    """Open every part in order: database, bus, engine, personas, knowledge, channels (all, or those named).

    Raises ConfigError, UnknownPlugin, StoreUnavailable, ModelRefused: one clear line each.
    """
    settings = loaded.settings
    served = tuple(settings.channels if channels is None else channels)
    async with AsyncExitStack() as stack:
        store: Store = await stack.enter_async_context(open_store(loaded))
        shared: Shared = await stack.enter_async_context(open_shared(loaded))
        switch, following = await _open_chosen(loaded, store, shared, stack)
        app = App(
            settings=settings,
            store=store,
            shared=shared,
            engine=switch,
            following=following,
            personas=open_catalog(settings),
            knowledge=Library(),
            routes={name: _rooms(settings, name) for name in served},
        )
        for name in served:
            _warn_of_missing(app.personas, name, _rooms(settings, name))
        await app.read_knowledge()
        for name in served:
            plugin = find("parley.channels", name)
            if not isinstance(plugin, ChannelPlugin):
                raise UnknownPlugin(name, hint="it is no channel")
            opened = plugin.open(loaded.section(f"channels.{name}", plugin), app)
            app.channels[name] = await stack.enter_async_context(opened)
        yield app


def open_store(loaded: Loaded) -> AbstractAsyncContextManager[Store]:
    """The database alone, for commands that look into it. Raises like `open_app`."""
    return _part(loaded, "parley.stores", "store")


@asynccontextmanager
async def open_beside(loaded: Loaded) -> AsyncIterator[Store]:
    """The database; where a running Parley has it for itself, what can be read of it. Raises like `open_app`."""
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(open_store(loaded))
        except StoreInUse:
            plugin = find("parley.stores", loaded.settings.store["use"])
            if not isinstance(plugin, StorePlugin):
                raise
            store = await stack.enter_async_context(plugin.beside(loaded.section("store", plugin)))
        yield store


async def chosen_model(loaded: Loaded) -> str | None:
    """The model that was chosen in the store; None where the settings tell, or the command line does."""
    if _is_named(loaded):
        return None
    async with open_beside(loaded) as store:
        choice = await store.models.current()
    return None if choice is None else choice.model


def _is_named(loaded: Loaded) -> bool:
    """Whether the model was named on the command line."""
    return loaded.origin("engine.model").startswith("flag")


def open_shared(loaded: Loaded) -> AbstractAsyncContextManager[Shared]:
    """The bus and what goes with it, alone. Raises like `open_app`."""
    return _part(loaded, "parley.buses", "bus")


def open_engine(loaded: Loaded, model: str | None = None) -> AbstractAsyncContextManager[Engine]:
    """The engine of the settings, or the same with another model. Raises like `open_app`."""
    if model is not None:
        engine = {**loaded.settings.engine, "model": model}
        loaded = replace(loaded, settings=loaded.settings.model_copy(update={"engine": engine}))
    return _part(loaded, "parley.engines", "engine")


def open_engine_server(loaded: Loaded, engine: Engine) -> AbstractAsyncContextManager[EngineServer]:
    """What offers the engine to other programs. Raises ConfigError, UnknownPlugin."""
    name = loaded.settings.serve["use"]
    plugin = find("parley.servers", name)
    if not isinstance(plugin, ServerPlugin):
        raise UnknownPlugin(name, hint="it is no part of parley.servers")
    opened: AbstractAsyncContextManager[EngineServer] = plugin.open(loaded.section("serve", plugin), engine)
    return opened


async def _open_chosen(
    loaded: Loaded, store: Store, shared: Shared, stack: AsyncExitStack
) -> tuple[Engine, Following | None]:
    """The model that was chosen in the store, and what follows later choices; one named on the command line stays."""
    choice = None if _is_named(loaded) else await store.models.current()
    opened = open_switch(partial(open_engine, loaded), None if choice is None else choice.model)
    try:
        switch = await stack.enter_async_context(opened)
    except ModelRefused as error:
        if choice is None:
            raise
        raise ModelRefused(f"{error}; `parley model rollback` takes back that it was chosen") from error
    if _is_named(loaded):
        return switch, None
    followed = None if choice is None else choice.id
    return switch, Following(models=store.models, bus=shared.bus, switch=switch, followed=followed)


def _part(loaded: Loaded, group: Group, section: str) -> AbstractAsyncContextManager[Any]:
    name = getattr(loaded.settings, section)["use"]
    plugin = find(group, name)
    if not isinstance(plugin, Plugin):
        raise UnknownPlugin(name, hint=f"it is no part of {group}")
    return plugin.open(loaded.section(section, plugin))


def open_catalog(settings: Settings) -> Catalog:
    """The personas of the settings, read; their faults go to the log."""
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


def _now() -> datetime:
    return datetime.now(UTC)


def _limits(settings: Settings) -> Limits:
    def rate(given: RateSettings | None) -> Rate | None:
        return None if given is None else Rate(burst=given.burst, per_minute=given.per_minute)

    limits = settings.limits
    return Limits(user=rate(limits.user), conversation=rate(limits.conversation), tenant=rate(limits.tenant))


def _rooms(settings: Settings, channel: str) -> Mapping[str, str]:
    """The persona of each room of a channel; `default` for those it does not name."""
    return {"default": "support", **settings.channels.get(channel, {}).get("personas", {})}
