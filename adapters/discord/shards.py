"""Who holds the gateway: one replica a shard, by a lease in the database; the others stand by."""

import asyncio
from contextlib import suppress

import aiohttp
import discord
import structlog

from adapters.discord.desk import Desk
from adapters.discord.gateway import Shard
from bot.errors import StoreError

log = structlog.stdlib.get_logger()


class Shards:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._holder = desk.holder
        self._lease = desk.settings.lease
        self._renew = self._lease.total_seconds() / 3

    async def keep(self) -> None:
        """Serve the shards that nobody else serves, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._desk.settings.shards):
                group.create_task(self._stand_by(number), name=f"discord shard {number}")

    async def _stand_by(self, number: int) -> None:
        office = f"discord.gateway.{self._desk.settings.application}.{number}"
        while True:
            if await self._hold(office):
                try:
                    await self._serve(office, number)
                except* (StoreError, OSError, aiohttp.ClientError, discord.HTTPException) as errors:
                    log.warning("the gateway is begun again", shard=number, error=str(errors.exceptions[0]))
                finally:
                    with suppress(StoreError):
                        await self._desk.core.store.offices.leave(office, holder=self._holder)
            await asyncio.sleep(self._renew)

    async def _serve(self, office: str, number: int) -> None:
        """Until the lease is lost. Raises what ends the shard for good."""
        loop = asyncio.get_running_loop()
        serving = asyncio.create_task(Shard(self._desk, number=number).serve(), name=f"discord gateway {number}")
        ends = loop.time() + self._lease.total_seconds()
        try:
            while not serving.done():
                await asyncio.wait({serving}, timeout=self._renew)
                if await self._hold(office):
                    ends = loop.time() + self._lease.total_seconds()
                elif loop.time() + self._renew > ends:
                    log.warning("another replica takes the gateway over", shard=number)
                    return
            await serving
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    async def _hold(self, office: str) -> bool:
        try:
            return await self._desk.core.store.offices.hold(office, holder=self._holder, lease=self._lease)
        except StoreError as error:
            log.info("the database does not say who holds the gateway", error=str(error))
            return False
