"""Engines that say which model they are."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.models import Following, Switch
from bot.ports import Bus, Store
from bot.testing import ScriptedEngine
from bot.types import Generated, Prompt


class Fleet:
    """Opens scripted engines by their models. `refuses` raise when they are opened, `fails` when they are looked at.

    While `pause` is cleared no answer goes on after its first word.
    """

    def __init__(self) -> None:
        self.pause = asyncio.Event()
        self.pause.set()
        self.opened: list[str] = []
        self.open_now: list[str] = []
        self.refuses: dict[str, Exception] = {}
        self.fails: dict[str, Exception] = {}

    @asynccontextmanager
    async def open(self, model: str | None) -> AsyncIterator["Named"]:
        name = model or "base"
        self.opened.append(name)
        await asyncio.sleep(0)
        if name in self.refuses:
            raise self.refuses[name]
        self.open_now.append(name)
        try:
            yield Named(name, self)
        finally:
            self.open_now.remove(name)


class Named(ScriptedEngine):
    def __init__(self, name: str, fleet: Fleet) -> None:
        super().__init__(f"{name} says it")
        self.model = name
        self._fleet = fleet

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        async for event in super().generate(prompt):
            yield event
            await self._fleet.pause.wait()

    async def check(self) -> None:
        if self.model in self._fleet.fails:
            raise self._fleet.fails[self.model]


@asynccontextmanager
async def following(store: Store, bus: Bus, switch: Switch, *, poll: float = 60.0) -> AsyncIterator[None]:
    follower = Following(models=store.models, bus=bus, switch=switch, followed=None, poll=timedelta(seconds=poll))
    task = asyncio.create_task(follower.run())
    await asyncio.sleep(0.01)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
