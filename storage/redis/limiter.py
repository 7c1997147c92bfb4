"""Token buckets that all replicas share."""

from collections.abc import Mapping
from datetime import timedelta

from bot.ports import Limiter
from bot.types import Rate
from storage.local.limiter import pace
from storage.redis import scripts
from storage.redis.link import Link


class RedisLimiter:
    """`alone` limits while Redis does not answer."""

    def __init__(self, link: Link, *, alone: Limiter) -> None:
        self._link = link
        self._alone = alone

    async def take(self, buckets: Mapping[str, Rate]) -> timedelta:
        keys = [self._link.key("rate", name) for name in buckets]
        numbers = [number for rate in buckets.values() for number in (round(pace(rate) * 1e6), rate.burst)]
        try:
            wait = await self._link.run(scripts.TAKE, keys, *numbers)
        except ConnectionError:
            return await self._alone.take(buckets)
        return timedelta(microseconds=int(wait))
