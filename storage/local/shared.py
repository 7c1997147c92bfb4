"""Everything one process shares with itself."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from storage.local.bus import LocalBus, open_bus
from storage.local.limiter import LocalLimiter
from storage.local.settings import LocalBusSettings
from storage.local.window import LocalWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalShared:
    bus: LocalBus
    limiter: LocalLimiter
    window: LocalWindow


@asynccontextmanager
async def open_shared(
    settings: LocalBusSettings, *, now: Callable[[], float] = time.monotonic
) -> AsyncIterator[LocalShared]:
    """`now` is a clock in seconds."""
    limiter = LocalLimiter(now=now, buckets=settings.buckets)
    window = LocalWindow(conversations=settings.memories, characters=settings.memory_characters)
    async with open_bus(settings, now=now) as bus:
        yield LocalShared(bus=bus, limiter=limiter, window=window)
