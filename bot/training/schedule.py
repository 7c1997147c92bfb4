"""Warm-up, stable, decay: a learning rate that ends with the budget, be it tokens or minutes."""

import time
from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Budget:
    """What one phase may spend: tokens, and minutes where given; `spent_seconds` of earlier runs count."""

    tokens: int
    minutes: float | None = None
    spent_seconds: float = 0.0
    done_tokens: int = 0
    _started: float | None = None

    def start(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds spent in training so far, over all runs."""
        now = 0.0 if self._started is None else time.monotonic() - self._started
        return self.spent_seconds + now

    @property
    def progress(self) -> float:
        """From 0 to 1: the greater of the two shares spent."""
        by_tokens = self.done_tokens / self.tokens
        by_time = self.seconds / (self.minutes * 60) if self.minutes else 0.0
        return min(1.0, max(by_tokens, by_time))


def wsd(progress: float, step: int, *, warmup: int, decay: float) -> float:
    """The factor on the peak rate: up over `warmup` steps, level, then down to 0 over the last share `decay`."""
    rising = min(1.0, (step + 1) / warmup)
    falling = min(1.0, (1.0 - progress) / decay)
    return rising * max(0.0, falling)
