"""A whole Parley around the web channel, on real parts but for the engine; driven over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from adapters.web import WebChannel, WebSettings, open_channel
from bot.ports import Bus, Channel, Engine, Inbox, Personas, Store
from bot.service import Pace
from bot.testing import ScriptedEngine
from bot.types import KnowledgeSource, LocalText, Persona, Starter
from storage.local import LocalBusSettings, open_bus
from storage.sql import SqlSettings, open_store
from tests.blank import blank
from tests.core.house import make_dispatcher, make_inbox
from tests.core.parts import OnePersona, make_persona

NEW = "/api/v1/conversations"


def helper() -> Persona:
    return make_persona(
        greeting=LocalText({"en": "Hello!", "zh-CN": "您好！"}),
        starters=(Starter(label=LocalText({"en": "Ask", "zh-CN": "问"}), prompt=LocalText({"en": "How?"})),),
        disclaimer=LocalText({"en": "Can be wrong."}),
        rating_notice=LocalText({"en": "May train.", "zh-CN": "可能用于训练。"}),
        accent="#0f766e",
        knowledge=(KnowledgeSource(path=Path("kb"), label="kb"),),
        grounded="prefer",
    )


class House:
    """A core for one channel. `faults` are what `ready` reports."""

    def __init__(self, store: Store, bus: Bus, personas: Personas, engine: Engine) -> None:
        self.store = store
        self.bus = bus
        self.personas = personas
        self.inbox: Inbox = make_inbox(store, bus, channel="web", personas=personas)
        self.channels: dict[str, Channel] = {}
        self.engine: Engine = engine
        self.model = engine.model
        self.persona_schema: Mapping[str, object] = {"title": "persona"}
        self.tokens = {"prompt": 70, "cached": 50, "new": 3}
        self.faults: dict[str, str | None] = {"database": None, "bus": None, "engine": None}

    async def ready(self) -> Mapping[str, str | None]:
        return self.faults


@dataclass(kw_only=True)
class Visitor:
    """One conversation, by HTTP."""

    http: httpx.AsyncClient
    id: str
    token: str
    persona: dict[str, Any]

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def say(self, text: str, *, client_id: str = "c1") -> dict[str, Any]:
        body = {"client_id": client_id, "text": text}
        answer = await self.http.post(f"{NEW}/{self.id}/messages", json=body, headers=self.auth)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    async def messages(self) -> list[dict[str, Any]]:
        answer = await self.http.get(f"{NEW}/{self.id}/messages", headers=self.auth)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["messages"])

    @asynccontextmanager
    async def events(self, after: str | None = None) -> AsyncIterator[AsyncIterator["Event"]]:
        params = {"after": after} if after is not None else {}
        async with self.http.stream("GET", f"{NEW}/{self.id}/events", params=params, headers=self.auth) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield read_events(answer)

    async def reply(self, turn: str, after: str | None = None) -> "Reader":
        """Follow until the turn's end."""
        reader = Reader()
        async with asyncio.timeout(30), self.events(after) as events:
            async for event in events:
                reader.take(event)
                if event.name == "turn.finished" and event.data["turn"] == turn:
                    break
        return reader


@dataclass(frozen=True, kw_only=True)
class Event:
    id: str
    name: str
    data: dict[str, Any]


async def read_events(answer: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line.startswith(":"):
            yield Event(id="", name="heartbeat", data={})
        elif line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "event" in fields:
                yield Event(id=fields["id"], name=fields["event"], data=json.loads(fields["data"]))
            fields = {}


class Reader:
    """What a strict client holds: it fails on a gap or a repetition."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.texts: dict[str, str] = {}
        self.ends: dict[str, str] = {}
        self._at: dict[str, tuple[int, int]] = {}

    @property
    def cursor(self) -> str | None:
        return next((event.id for event in reversed(self.events) if event.id), None)

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    def take(self, event: Event) -> None:
        self.events.append(event)
        if event.name == "heartbeat":
            return
        data, turn = event.data, event.data["turn"]
        if event.name == "turn.finished":
            self.texts[turn], self.ends[turn] = data["message"]["text"], data["status"]
            return
        assert turn not in self.ends, f"{event.name} after the end"
        attempt, seq = data["attempt"], data.get("seq", 0)
        if event.name == "turn.started" and self._at.get(turn, (0, 0))[0] < attempt:
            self.texts[turn], self._at[turn] = "", (attempt, 0)
        elif event.name == "turn.replaced":
            self.texts[turn], self._at[turn] = data["text"], (attempt, seq)
        elif event.name == "delta":
            assert self._at[turn] == (attempt, seq - 1), f"delta {attempt}.{seq} after {self._at[turn]}"
            self.texts[turn] += data["text"]
            self._at[turn] = (attempt, seq)


@dataclass(kw_only=True)
class Served:
    folder: Path
    core: House
    channel: WebChannel
    http: httpx.AsyncClient

    async def visitor(self, **body: object) -> Visitor:
        answer = await self.http.post(NEW, json={"persona": "helper", **body})
        assert answer.status_code == 201, answer.text
        opened = answer.json()
        return Visitor(http=self.http, id=opened["id"], token=opened["token"], persona=opened["persona"])

    @asynccontextmanager
    async def dispatching(self, engine: Engine | str) -> AsyncIterator[None]:
        """Answer while it is entered. Leaving stops it as a signal would."""
        dispatcher = make_dispatcher(
            self.core.store,
            self.core.bus,
            engine=ScriptedEngine(engine) if isinstance(engine, str) else engine,
            channels={"web": self.channel},
            personas=self.core.personas,
            pace=Pace(grace=timedelta(seconds=1)),
        )
        running = asyncio.create_task(dispatcher.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})


@asynccontextmanager
async def serving(
    folder: Path,
    *,
    engine: Engine | str = "Hello there, friend.",
    dispatch: bool = True,
    among: tuple[Store, Bus] | None = None,
    **settings: Any,
) -> AsyncIterator[Served]:
    """Parley on `parley.db` in `folder`, or as one replica `among` others. Leaving stops it as a signal would."""
    store_settings = SqlSettings(url=blank(folder / "parley.db"))
    async with AsyncExitStack() as stack:
        if among is None:
            store: Store = await stack.enter_async_context(open_store(store_settings))
            bus: Bus = await stack.enter_async_context(open_bus(LocalBusSettings()))
        else:
            store, bus = among
        answering = ScriptedEngine(engine) if isinstance(engine, str) else engine
        core = House(store, bus, OnePersona(helper()), answering)
        async with (
            open_channel(WebSettings(port=0, **settings), core) as channel,
            httpx.AsyncClient(base_url=channel.address, timeout=30) as http,
        ):
            served = Served(folder=folder, core=core, channel=channel, http=http)
            listening = asyncio.create_task(channel.listen())
            try:
                async with served.dispatching(answering) if dispatch else nullcontext():
                    try:
                        yield served
                    finally:
                        listening.cancel()
            finally:
                await asyncio.wait({listening})
