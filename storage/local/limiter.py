"""Token buckets of one process."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta

from bot.types import Rate

_NEVER = timedelta(days=1).total_seconds()


def pace(rate: Rate) -> float:
    """Seconds until a bucket has one token more; a day where it never has."""
    return min(60 / rate.per_minute, _NEVER) if rate.per_minute > 0 else _NEVER


class LocalLimiter:
    """`now` is a clock in seconds. A bucket is the time at which it is full again; one that is full is not kept, nor
    more than `buckets`: the least recently used goes first."""

    def __init__(self, *, now: Callable[[], float], buckets: int = 100_000) -> None:
        self._now = now
        self._most = buckets
        self._full: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full)

    async def take(self, buckets: Mapping[str, Rate]) -> timedelta:
        now = self._now()
        full = {name: max(self._full.get(name, now), now) + pace(rate) for name, rate in buckets.items()}
        wait = max((full[name] - now - pace(rate) * rate.burst for name, rate in buckets.items()), default=0.0)
        if wait > 1e-6:
            return timedelta(seconds=wait)
        for name, time in full.items():
            self._full[name] = time
            self._full.move_to_end(name)
        self._drop(now)
        return timedelta(0)

    def _drop(self, now: float) -> None:
        """What is too much, and some of what is full again among the least recently used."""
        while len(self._full) > self._most:
            self._full.popitem(last=False)
        for name in [name for name, _ in zip(self._full, range(4), strict=False)]:
            if self._full[name] <= now:
                del self._full[name]
