"""Intervals for what was measured. All are of 95 % unless `level` says otherwise.

Rates: Wilson's score interval (E. B. Wilson, JASA 1927), which holds near 0 and 1 and for few trials.
Means and differences of means: the percentile bootstrap (Efron & Tibshirani, An Introduction to the Bootstrap, 1993).
Two models on the same questions: the paired bootstrap (P. Koehn, EMNLP 2004): questions are drawn, and both models'
answers to each come along.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Statistic = Callable[[Array], Array]
"""Rows of sums over a sample's columns [samples, columns] → one value a row."""

_SAMPLES = 2000
_AT_ONCE = 200
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with its interval; `n` is how many were measured. Without any the value is None."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0

    def plain(self) -> dict[str, Any]:
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}
        return {k: v for k, v in rounded.items() if v is not None or k == "value"}


def rate(hits: int, n: int, *, level: float = _LEVEL) -> Figure:
    """Wilson's interval for `hits` of `n`."""
    if n == 0:
        return Figure(None)
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return Figure(p, max(0.0, centre - half), min(1.0, centre + half), n)


def mean(values: Sequence[float], *, level: float = _LEVEL) -> Figure:
    """A mean with its bootstrap interval."""
    return bootstrap(np.asarray(values, dtype=float)[:, None], _mean_of_first, level=level)


def difference(first: Sequence[float], second: Sequence[float], *, level: float = _LEVEL) -> Figure:
    """The mean of `second` less the mean of `first`, pair by pair."""
    return mean([b - a for a, b in zip(first, second, strict=True)], level=level)


def bootstrap(rows: Array, statistic: Statistic, *, level: float = _LEVEL, samples: int = _SAMPLES) -> Figure:
    """A statistic of the sums of `rows` [items, columns], a column of ones appended, with its percentile interval.

    The same rows always give the same interval.
    """
    n = len(rows)
    if n == 0:
        return Figure(None)
    counted = np.column_stack([rows, np.ones(n)])
    value = float(statistic(counted.sum(axis=0, keepdims=True))[0])
    random = np.random.default_rng(n)
    drawn = []
    for start in range(0, samples, _AT_ONCE):
        weights = random.multinomial(n, np.full(n, 1 / n), size=min(_AT_ONCE, samples - start))
        drawn.append(statistic(weights.astype(float) @ counted))
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(drawn), [tail, 1 - tail])
    return Figure(value, float(low), float(high), n)


def f1_of_sums(sums: Array) -> Array:
    """F1 from sums of columns (true positives, predicted, wanted, …)."""
    both, predicted, wanted = sums[:, 0], sums[:, 1], sums[:, 2]
    return np.asarray(2 * both / np.maximum(predicted + wanted, 1e-9))


def share_of_sums(sums: Array) -> Array:
    """The first column's sum as a share of the second's: precision, recall, bits a byte."""
    return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1e-9))


def _mean_of_first(sums: Array) -> Array:
    return np.asarray(sums[:, 0] / sums[:, -1])
