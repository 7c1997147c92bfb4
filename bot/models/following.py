"""Keeps a replica at the model that was chosen, wherever it was."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from bot.errors import ParleyError, StoreError
from bot.models.switch import Switch
from bot.ports import Bus, Models

TOPIC = "model"

log = structlog.stdlib.get_logger()


@dataclass(slots=True, kw_only=True)
class Following:
    """`followed` is the choice that answers here; None: the settings. The bus tells of a new one at once; where it does
    not reach, a look every `poll` finds it. One that cannot be loaded here within `limit` is tried again after
    `retry`."""

    models: Models
    bus: Bus
    switch: Switch
    followed: int | None
    poll: timedelta = timedelta(seconds=3)
    retry: timedelta = timedelta(minutes=1)
    limit: timedelta = timedelta(minutes=10)
    _refused: tuple[int | None, float] | None = field(default=None, init=False)

    async def run(self) -> None:
        """Until cancelled."""
        told = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear(told), name="chosen models")
            while True:
                await self.look()
                try:
                    async with asyncio.timeout(self.poll.total_seconds()):
                        await told.wait()
                except TimeoutError:
                    continue
                told.clear()

    async def look(self) -> None:
        """Go over to the chosen model where it is another one."""
        try:
            choice = await self.models.current()
        except StoreError:
            return
        chosen = None if choice is None else choice.id
        if chosen == self.followed or self._rests(chosen):
            return
        model = None if choice is None else choice.model
        try:
            async with asyncio.timeout(self.limit.total_seconds()):
                await self.switch.swap(model)
        except (ParleyError, OSError, TimeoutError) as error:
            why = str(error) or f"it was not loaded within {self.limit}"
            log.warning("the chosen model cannot be loaded here", chosen=model, error=why, answers=self.switch.model)
            self._refused = (chosen, asyncio.get_running_loop().time())
            return
        self.followed, self._refused = chosen, None
        log.info("another model answers", model=self.switch.model)

    def _rests(self, chosen: int | None) -> bool:
        """Whether it was refused a moment ago."""
        if self._refused is None or self._refused[0] != chosen:
            return False
        return asyncio.get_running_loop().time() < self._refused[1] + self.retry.total_seconds()

    async def _hear(self, told: asyncio.Event) -> None:
        async with self.bus.subscribe(TOPIC) as news:
            async for _ in news:
                told.set()
