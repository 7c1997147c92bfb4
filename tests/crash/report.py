"""What a trial came to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.crash.checker import Fault, count
from tests.crash.history import History

_AT_WORK = ("claim", "begin", "save", "renew", "finish", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`killed` tells when each killed process died. Latencies and acknowledgements are in seconds, sorted."""

    name: str
    database: str
    history: History
    faults: tuple[Fault, ...]
    killed: Mapping[str, float]
    figures: Mapping[str, int]
    missed: tuple[str, ...] = ()
    latencies: Sequence[float]
    acknowledgements: Sequence[float]
    seconds: float

    @property
    def failed_turns(self) -> int:
        """Turns that ended with a word of regret instead of an answer."""
        return sum(turn.state == "failed" for turn in self.history.turns.values())

    def takeovers(self) -> list[float]:
        """Seconds from a kill to the next claim of each conversation that the dead process held, sorted."""
        return sorted(self._takeovers())

    def _takeovers(self) -> Iterator[float]:
        last: dict[str, tuple[str, str]] = {}  # by room: who wrote last, and what
        for write in self.history.writes:
            process, what = last.get(write.room, ("", ""))
            if write.what == "claim" and what in _AT_WORK and process != write.process and process in self.killed:
                yield max(0.0, write.at - self.killed[process])
            last[write.room] = (write.process, write.what)

    def row(self) -> dict[str, Any]:
        """The figures, ready for a table or JSON."""
        found = count(self.faults)
        return {
            "case": self.name,
            "database": self.database,
            "messages": len(self.history.sent),
            "turns": len(self.history.turns),
            **self.figures,
            "lost": found["lost"] + found["unstored"],
            "duplicated": found["duplicated"],
            "reordered": found["reordered"],
            "wrong text": found["wrong text"] + found["unknown"],
            "stale writes": found["stale write"],
            "two holders": found["two holders"],
            "early": found["early"],
            "failed turns": self.failed_turns,
            "take-over p50": at(self.takeovers(), 0.5),
            "take-over max": at(self.takeovers(), 1.0),
            "answer p50": at(self.latencies, 0.5),
            "answer p99": at(self.latencies, 0.99),
            "ack p99": at(self.acknowledgements, 0.99),
            "seconds": round(self.seconds, 1),
        }


def at(values: Sequence[float], share: float) -> float | None:
    """The quantile of sorted values, in seconds to the millisecond; None of none."""
    return round(values[min(len(values) - 1, int(share * len(values)))], 3) if values else None
