"""A replica on the real store and bus, with a scripted engine and a channel that remembers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.dispatch import Dispatcher
from bot.inbox import Limits, StoredInbox
from bot.load import Load
from bot.ports import Bus, Engine, Store
from bot.service import Pace
from bot.testing import FakeChannel
from bot.types import Author, Bounds, ConversationKey, Delivery, Inbound, Prompt, Rate, new_id
from tests.core.house import make_dispatcher, make_inbox
from tests.core.parts import KEY, NOW, CountingLimiter, DictWindow, OnePersona, make_persona

FREE = make_persona()
PACE = Pace(poll=timedelta(milliseconds=20), retry=timedelta(milliseconds=5), grace=timedelta(milliseconds=200))


class Replica:
    """A dispatcher with everything around it, and a person who writes to it."""

    def __init__(self, store: Store, bus: Bus, engine: Engine, channel: FakeChannel) -> None:
        self.store, self.bus, self.engine, self.channel = store, bus, engine, channel
        self.personas = OnePersona(FREE)
        self.window = DictWindow()
        self.limiter = CountingLimiter()
        self.bounds = Bounds()
        self.load = Load(at_once=4)

    @property
    def inbox(self) -> StoredInbox:
        return make_inbox(
            self.store,
            self.bus,
            limiter=self.limiter,
            window=self.window,
            personas=self.personas,
            limits=Limits(user=Rate(burst=1, per_minute=1)),
            bounds=self.bounds,
        )

    async def hear(self, text: str, *, room: str = "r", event: str | None = None) -> str:
        accepted = await self.inbox.accept(inbound(text, room=room, event=event))
        assert accepted is not None
        return accepted.turn

    def dispatcher(self, *, holder: str = "one", pace: Pace = PACE) -> Dispatcher:
        return make_dispatcher(
            self.store,
            self.bus,
            engine=self.engine,
            channels={"fake": self.channel},
            personas=self.personas,
            window=self.window,
            holder=holder,
            pace=pace,
            load=self.load,
        )

    @asynccontextmanager
    async def serving(self, **options: object) -> AsyncIterator[None]:
        task = asyncio.create_task(self.dispatcher(**options).run())  # type: ignore[arg-type] # passed through
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def delivered(self, *turns: str) -> list[Delivery]:
        await until(lambda: all(turn in self.channel.delivered for turn in turns))
        return [self.channel.delivered[turn] for turn in turns]

    async def texts(self, key: ConversationKey = KEY) -> list[str]:
        return [message.text for message in await self.store.conversations.messages(key)]


def inbound(text: str, *, room: str = "r", event: str | None = None, author: Author | None = None) -> Inbound:
    return Inbound(
        event_id=event or new_id(),
        conversation=ConversationKey(channel="fake", tenant="t", room=room),
        author=author or Author(id="u1", name="Ann"),
        text=text,
        received_at=NOW,
    )


def echo(prompt: Prompt) -> str:
    return f"You said {prompt.messages[-1].text}"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)
