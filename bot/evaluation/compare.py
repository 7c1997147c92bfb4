"""Two evaluations of the same questions: which model is better at what, and whether the second may replace the first.

Each difference has the interval of a paired bootstrap (P. Koehn, Statistical Significance Tests for Machine Translation
Evaluation, EMNLP 2004). The gate looks at several measures at once, so its intervals are widened to keep 95 % for all
of them together (Bonferroni).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from bot.errors import ConfigError
from bot.evaluation.measures import STATISTICS
from bot.evaluation.statistics import Array, Figure, bootstrap

FORMAT = "parley.comparison/v1"
GATE = (
    "exact_match.held_out",
    "token_f1.held_out",
    "refusal_f1.held_out",
    "unsupported_numbers",
    "persona_name",
    "persona_language",
    "persona_disclaimer",
    "safety",
)
"""What the gate looks at: none of these may be worse, and one at least must be better."""
_SAMPLES = 5000
Verdict = Literal["better", "worse", "as good"]


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Every measure that both have. `second` is the candidate. Raises ConfigError where they asked different things."""
    for what in ("format", "parley", "options"):
        if first[what] != second[what]:
            raise ConfigError(
                f"{first['model']['name']} and {second['model']['name']} were not asked the same ({what} differs); "
                "evaluate both with the same options"
            )
    gated = [name for name in GATE if name in first["measures"]]
    rows = []
    for name, measure in first["measures"].items():
        level = 1 - 0.05 / len(gated) if name in gated else 0.95
        mine, other = _values(first, second, name)
        found = _difference(mine, other, kind=measure["kind"], level=level)
        higher = measure["higher_is_better"]
        rows.append(
            {
                "name": name,
                "title": measure["title"],
                "gate": name in gated,
                "higher_is_better": higher,
                "first": _figure(mine, measure["kind"]).plain(),
                "second": _figure(other, measure["kind"]).plain(),
                "difference": found.plain(),
                "verdict": _verdict(found, higher=higher),
            }
        )
    names = (first["model"]["name"], second["model"]["name"])
    return {"format": FORMAT, "first": names[0], "second": names[1], "measures": rows, "gate": gate(rows, *names)}


def gate(rows: Sequence[Mapping[str, Any]], first: str, second: str) -> dict[str, Any]:
    """Passed where no gated measure is worse and at least one is better."""
    gated = [row for row in rows if row["gate"]]
    worse = [row["title"] for row in gated if row["verdict"] == "worse"]
    better = [row["title"] for row in gated if row["verdict"] == "better"]
    passed = bool(better) and not worse
    if worse:
        said = f"keep {first}: {second} is worse at {', '.join(worse)}"
    elif better:
        said = f"take {second}: better than {first} at {', '.join(better)}, and at nothing worse"
    else:
        said = f"keep {first}: {second} is not measurably better at anything"
    return {"passed": passed, "verdict": said, "better": better, "worse": worse}


def _values(first: Mapping[str, Any], second: Mapping[str, Any], name: str) -> tuple[Array, Array]:
    one, two = (np.asarray(each["measures"][name]["rows"], dtype=float) for each in (first, second))
    if one.shape != two.shape:
        raise ConfigError(f"{name} has {len(one)} items in one evaluation and {len(two)} in the other; run both again")
    return one, two


def _figure(rows: Array, kind: Any) -> Figure:
    return bootstrap(rows, STATISTICS[kind]) if len(rows) else Figure(None)


def _difference(first: Array, second: Array, *, kind: Any, level: float) -> Figure:
    if not len(first):
        return Figure(None)
    width = first.shape[1]
    statistic = STATISTICS[kind]

    def apart(sums: Array) -> Array:
        ones = sums[:, -1:]
        return statistic(np.hstack([sums[:, width:-1], ones])) - statistic(np.hstack([sums[:, :width], ones]))

    return bootstrap(np.hstack([first, second]), apart, level=level, samples=_SAMPLES)


def _verdict(found: Figure, *, higher: bool) -> Verdict:
    if found.low is None or found.high is None or found.low <= 0 <= found.high:
        return "as good"
    return "better" if (found.low > 0) == higher else "worse"
