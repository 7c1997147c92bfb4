"""What a person sees of a run: a bar with loss, speed and remaining time, a log and a plot."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure


class Progress:
    """Writes `log.jsonl` and `loss.png` into the run's folder; the bar goes to stderr."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._log = out / "log.jsonl"

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def phase(self, name: str) -> Callable[[dict[str, float]], None]:
        def tell(figures: dict[str, float]) -> None:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"phase": name, **figures}) + "\n")
            share, seconds = figures["progress"], figures["seconds"]
            left = seconds * (1 - share) / share if share else 0.0
            speed = figures["tokens"] / seconds if seconds else 0.0
            bar = "█" * round(share * 20) + "░" * (20 - round(share * 20))
            loss = figures["loss"]
            line = f"{name} {bar} {share:4.0%}  loss {loss:.3f}  {speed:,.0f} tok/s  {left / 60:.0f} min left"
            self.say(line if not sys.stderr.isatty() else f"\x1b[1A\x1b[2K{line}")

        return tell

    def plot(self) -> None:
        """The loss of each phase against tokens."""
        if not self._log.exists():
            return
        rows = [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]
        figure = Figure(figsize=(8, 4), layout="constrained")
        axes = figure.subplots()
        for name in dict.fromkeys(row["phase"] for row in rows):
            mine = [row for row in rows if row["phase"] == name]
            axes.plot([row["tokens"] / 1e6 for row in mine], [row["loss"] for row in mine], label=name)
        axes.set(xlabel="tokens of the phase, millions", ylabel="loss of the learnt tokens, nats")
        axes.grid(alpha=0.3)
        axes.legend()
        figure.savefig(self._out / "loss.png", dpi=100)
