"""Ids that sort by time, as Discord makes them."""

import time
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000


class Snowflakes:
    """Each `next()` is greater than the one before."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        made = (int(time.time() * 1000) - EPOCH_MS) << 22
        self._last = max(made, self._last + 1)
        return str(self._last)


def time_of(snowflake: str) -> datetime:
    return datetime.fromtimestamp(((int(snowflake) >> 22) + EPOCH_MS) / 1000, UTC)
