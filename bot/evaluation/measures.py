"""What a group of figures hands on: what the report shows, and the answers behind it, for comparing two models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from bot.evaluation.statistics import Figure, Statistic, bootstrap, f1_of_sums, share_of_sums

Kind = Literal["mean", "f1", "share"]
Tell = Callable[[int], None]
"""Hears how many more answers are done."""

STATISTICS: Mapping[Kind, Statistic] = {
    "mean": lambda sums: np.asarray(sums[:, 0] / sums[:, -1]),
    "f1": f1_of_sums,
    "share": share_of_sums,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing that is better or worse. `rows` has an entry an item, the same items for every model.

    mean: [value]; f1: [true positive, predicted, wanted]; share: [part, whole].
    """

    name: str
    title: str
    kind: Kind = "mean"
    higher_is_better: bool = True
    rows: Sequence[Sequence[float]]

    def figure(self, *, level: float = 0.95) -> Figure:
        if not self.rows:
            return Figure(None)
        return bootstrap(np.asarray(self.rows, dtype=float), STATISTICS[self.kind], level=level)

    def plain(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "kind": self.kind,
            "higher_is_better": self.higher_is_better,
            "rows": [[round(value, 4) for value in row] for row in self.rows],
        }


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer for a person to read. `note` says how it was judged."""

    about: str
    question: str
    said: str
    note: str
    right: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A group's outcome. `figures` is plain JSON; every Figure in it is already `plain()`."""

    figures: Mapping[str, Any]
    measures: Sequence[Measure] = ()
    samples: Sequence[Sample] = field(default_factory=tuple)
