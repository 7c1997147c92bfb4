"""How busy this replica is, for those who are told to come back later, and what its answers cost."""

import math
from datetime import timedelta

from bot.types import Finished

_WEIGHT = 0.1


class Load:
    """A running mean of how long turns take, `at_once` of which run at the same time.

    `tokens` counts those of finished answers: `prompt`, `cached` among them, and `new`.
    """

    def __init__(self, *, at_once: int) -> None:
        self._at_once = at_once
        self._seconds = 1.0
        self.tokens = {"prompt": 0, "cached": 0, "new": 0}

    def note(self, took: timedelta) -> None:
        self._seconds += _WEIGHT * (took.total_seconds() - self._seconds)

    def count(self, finished: Finished) -> None:
        self.tokens["prompt"] += finished.prompt_tokens
        self.tokens["cached"] += finished.cached_tokens
        self.tokens["new"] += finished.new_tokens

    def wait(self, turns: int) -> int:
        """In about how many seconds `turns` are answered; at least one."""
        return max(1, math.ceil(turns * self._seconds / self._at_once))
