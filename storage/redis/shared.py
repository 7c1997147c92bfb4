"""Everything replicas share through Redis, over the same connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from storage.local.limiter import LocalLimiter
from storage.redis.bus import RedisBus
from storage.redis.limiter import RedisLimiter
from storage.redis.link import Link
from storage.redis.listener import Listener
from storage.redis.search import find
from storage.redis.settings import RedisSettings
from storage.redis.window import RedisWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisShared:
    bus: RedisBus
    limiter: RedisLimiter
    window: RedisWindow
    link: Link

    async def find(self, needle: str) -> int:
        """As in the port Scannable."""
        return await find(self.link, needle)


@asynccontextmanager
async def open_shared(settings: RedisSettings) -> AsyncIterator[RedisShared]:
    """Opens also where Redis does not answer: it is found as soon as it does."""
    link = Link(settings)
    listener = Listener(link)
    bus = RedisBus(link, listener)
    limiter = RedisLimiter(link, alone=LocalLimiter(now=asyncio.get_running_loop().time))
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(part) for part in (link.pump(), listener.run(), listener.ask())]
        try:
            await listener.tried()
            yield RedisShared(bus=bus, limiter=limiter, window=RedisWindow(link), link=link)
        except BaseException as error:  # noqa: BLE001 - raised below, outside the group, which would wrap it
            failure = error
        finally:
            bus.close()
        for task in running:
            task.cancel()
    await link.close()
    if failure is not None:
        raise failure
