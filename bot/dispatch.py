"""Claims conversations and has their turns run: in order, one at a time, each to exactly one visible reply."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import structlog

from bot.errors import StoreError
from bot.service import Service
from bot.types import Claim

log = structlog.stdlib.get_logger()


class Dispatcher:
    """One per replica. `holder` names it in claims."""

    def __init__(self, *, holder: str, service: Service) -> None:
        self._holder = holder
        self._service = service
        self._pace = service.pace
        self._serving: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled; then finish what runs within the grace period and hand the rest back."""
        bus = self._service.bus
        try:
            async with bus.subscribe("wake") as wakes, bus.subscribe("stop") as stops, asyncio.TaskGroup() as group:
                group.create_task(self._hear_wakes(wakes))
                group.create_task(self._hear_stops(stops))
                await self._claim_forever()
        finally:
            self._service.closing.set()
            await self._wind_down()

    async def _claim_forever(self) -> None:
        while True:
            self._news.clear()
            if await self._begin():
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.poll.total_seconds()):
                    await self._news.wait()

    async def _begin(self) -> bool:
        """Claim one conversation and serve it. False where none waits, or there is no room for it."""
        busy = len(self._serving)
        if busy >= self._pace.at_once + self._pace.ready:
            return False
        claim = await self._claim(ready=busy >= self._pace.at_once)
        if claim is None:
            return False
        task = asyncio.create_task(self._service.serve(claim), name=f"serve {claim.conversation.encode()}")
        self._serving.add(task)
        task.add_done_callback(self._ended)
        return True

    def _ended(self, task: asyncio.Task[None]) -> None:
        if len(self._serving) >= self._pace.at_once:
            self._news.set()  # there may be some that found no place
        self._serving.discard(task)

    async def _claim(self, *, ready: bool) -> Claim | None:
        try:
            return await self._service.store.claims.claim(
                self._holder, channels=self._service.channels.keys(), lease=self._pace.terms.lease, ready=ready
            )
        except StoreError as error:
            log.warning("claim failed", error=str(error))
            return None

    async def _hear_wakes(self, wakes: AsyncIterator[str]) -> None:
        async for _ in wakes:
            self._news.set()

    async def _hear_stops(self, stops: AsyncIterator[str]) -> None:
        async for turn in stops:
            self._service.stops.ask(turn)

    async def _wind_down(self) -> None:
        if not self._serving:
            return
        _, late = await asyncio.wait(self._serving, timeout=self._pace.grace.total_seconds())
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
