"""The loss of each phase against its tokens, as a picture and in the terminal."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def picture(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name, mine in _by_phase(rows).items():
        axes.plot([row["tokens"] / 1e6 for row in mine], [row["loss"] for row in mine], label=name)
    axes.set(xlabel="tokens of the phase, millions", ylabel="loss of the learnt tokens, nats")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=100)


def text(rows: Sequence[Mapping[str, Any]], *, width: int, height: int = 8) -> str:
    """Columns of eighths, one chart a phase; each column is the mean loss of its share of the phase."""
    return "\n".join(_chart(name, mine, width=width, height=height) for name, mine in _by_phase(rows).items())


def _chart(name: str, rows: Sequence[Mapping[str, Any]], *, width: int, height: int) -> str:
    losses = [float(row["loss"]) for row in rows]
    count = min(len(losses), max(1, width - 10))
    edges = [len(losses) * n // count for n in range(count + 1)]
    means = [sum(losses[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    scale = (height * 8 - 1) / (high - low) if high > low else 0.0
    heights = [1 + round((mean - low) * scale) for mean in means]
    lines = [f"{name}: loss {losses[0]:.3f} → {losses[-1]:.3f} over {rows[-1]['tokens'] / 1e6:,.2f} M tokens"]
    for level in reversed(range(height)):
        edge = high if level == height - 1 else low if level == 0 else None
        cells = "".join(_EIGHTHS[min(8, max(0, h - level * 8))] for h in heights)
        lines.append(f"{'' if edge is None else f'{edge:.3f}':>8} {cells}".rstrip())
    return "\n".join(lines)


def _by_phase(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["phase"], []).append(row)
    return found
