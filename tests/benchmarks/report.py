"""How figures are shown: one line each, and as JSON for those who keep them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    value: str


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def shown(times: Sequence[float]) -> str:
    """Median and 99th percentile of times in seconds."""
    cuts = quantiles(times, n=100)
    return f"p50 {milliseconds(cuts[49])}, p99 {milliseconds(cuts[98])}"
