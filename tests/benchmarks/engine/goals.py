"""The goals of the engine, and whether a run meets them."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.benchmarks.report import Row

AT_LEAST, AT_MOST = "≥", "≤"


@dataclass(frozen=True, slots=True)
class Goal:
    """`measured` is None where this run cannot tell, for the reason given."""

    what: str
    how: str
    wanted: float
    measured: float | None
    why_not: str = "not measured in this run"
    unit: str = ""

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.wanted if self.how == AT_LEAST else self.measured <= self.wanted

    def row(self) -> Row:
        if self.measured is None:
            return Row(f"goal: {self.what}", f"{self.how} {self.wanted:g}{self.unit}: {self.why_not}")
        verdict = "met" if self.met else "not met"
        return Row(
            f"goal: {self.what}", f"{self.how} {self.wanted:g}{self.unit}: {self.measured:.3g}{self.unit}, {verdict}"
        )


def over(above: float | None, below: float | None) -> float | None:
    return above / below if above and below else None


def rows(goals: Iterable[Goal]) -> list[Row]:
    return [goal.row() for goal in goals]
