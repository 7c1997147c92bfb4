"""A Parley with the Slack channel before the stand-in: real inbox, dispatcher, store; scripted engine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr

from adapters.slack.channel import SlackChannel, open_slack
from adapters.slack.settings import SlackSettings
from bot.dispatch import Dispatcher
from bot.errors import UnknownPersona
from bot.inbox import StoredInbox
from bot.ports import Channel, Engine
from bot.testing import ScriptedEngine
from bot.types import LocalText, Persona, Prompt, Starter
from storage.local import plugin as local
from storage.sql import SqlStore
from tests.core.house import make_dispatcher, make_inbox
from tests.core.parts import make_persona
from tests.core.replica import PACE
from tests.slack.platform import SlackPlatform

HELPER = make_persona(
    greeting=LocalText({"en": "Hello!", "zh": "您好！"}),
    starters=tuple(
        Starter(label=LocalText({"en": f"Label {n}"}), prompt=LocalText({"en": f"Prompt {n}"})) for n in range(6)
    ),
)
WRITER = make_persona(name="writer", title=LocalText({"en": "Writer", "zh": "写手"}), description="writes")


class Cast:
    """The personas of these tests; `helper` may be changed."""

    def __init__(self) -> None:
        self.known: dict[str, Persona] = {"helper": HELPER, "writer": WRITER}

    def get(self, name: str) -> Persona:
        try:
            return self.known[name]
        except KeyError:
            raise UnknownPersona(name) from None

    def all(self) -> tuple[Persona, ...]:
        return tuple(self.known.values())


class House:
    """The `Core` of the channel. `engine.script` may be changed while it runs."""

    model = "scripted"
    persona_schema: Mapping[str, object] = {}

    def __init__(self, store: SqlStore, shared: Any, engine: Engine) -> None:
        self.store, self.bus, self.engine = store, shared.bus, engine
        self.personas = Cast()
        self.channels: dict[str, Channel] = {}
        self.inbox: StoredInbox = make_inbox(store, shared.bus, channel="slack", personas=self.personas)

    async def ready(self) -> Mapping[str, str | None]:
        return {}

    def dispatcher(self, *, holder: str = "one") -> Dispatcher:
        return make_dispatcher(
            self.store,
            self.bus,
            engine=self.engine,
            channels=self.channels,
            personas=self.personas,
            holder=holder,
            pace=PACE,
        )


def settings_for(slack: SlackPlatform, **changes: Any) -> SlackSettings:
    """One workspace by Socket Mode, quick."""
    given: dict[str, Any] = {
        "bot_token": SecretStr(slack.bot_token),
        "app_token": SecretStr(slack.app_token),
        "api_url": slack.api_url,
        "personas": {"default": "helper"},
        "append_seconds": 0.02,
        "edit_seconds": 0.02,
        "post_seconds": 0.0,
    }
    return SlackSettings(**{**given, **changes})


def answer(prompt: Prompt) -> str:
    return f"You said {prompt.messages[-1].text}"


@asynccontextmanager
async def serving(
    slack: SlackPlatform, store: SqlStore, *, engine: Engine | None = None, **changes: Any
) -> AsyncIterator[House]:
    """Hears and answers. More than one may serve a store, as replicas do."""
    async with local.open(local.settings()) as shared:
        house = House(store, shared, engine or ScriptedEngine(answer))
        async with opened(slack, house, **changes):
            dispatching = asyncio.create_task(house.dispatcher().run())
            try:
                yield house
            finally:
                dispatching.cancel()
                await asyncio.wait({dispatching})


@asynccontextmanager
async def opened(slack: SlackPlatform, house: House, **changes: Any) -> AsyncIterator[SlackChannel]:
    """The channel, listening."""
    async with open_slack(settings_for(slack, **changes), house) as channel:
        house.channels["slack"] = channel
        before = slack.sockets.opened
        listening = asyncio.create_task(channel.listen())
        try:
            if channel.routes == {}:
                await slack.until(lambda: slack.sockets.opened > before or listening.done())
            yield channel
        finally:
            listening.cancel()
            await asyncio.wait({listening})


async def stored(store: SqlStore, text: str) -> int:
    """In how many rows a text stands."""
    found = await store.records.find(text)
    return sum(number for place, number in found.items() if not place.startswith("file "))
