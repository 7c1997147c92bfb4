"""What a person sees of a run: a bar with loss, speed, remaining time and memory, or plain lines; and the log."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn


class Reporter:
    """Writes `log.jsonl` into the run's folder; the bar or the lines go to standard error."""

    def __init__(self, out: Path, console: Console | None = None) -> None:
        self._log = out / "log.jsonl"
        self._console = console or Console(stderr=True, highlight=False, markup=False)

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)

    def draw(self, text: str) -> None:
        """Show what only a terminal can."""
        if self._console.is_terminal:
            self.say(text)

    @property
    def width(self) -> int:
        return self._console.width

    def rows(self) -> list[dict[str, Any]]:
        """The log so far, without a last line that a kill cut short."""
        if not self._log.exists():
            return []
        whole, _, _ = self._log.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def keep(self, rows: list[dict[str, Any]]) -> None:
        part = self._log.with_suffix(".part")
        part.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        part.replace(self._log)

    def append(self, row: Mapping[str, Any]) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def typical(self, phase: str) -> dict[str, float]:
        """The phase's median speed in tokens a second and its median MFU."""
        rows = [row for row in self.rows() if row["phase"] == phase]
        return {name: median(row[name] for row in rows) for name in ("speed", "mfu")} if rows else {}

    @contextmanager
    def phase(self, name: str) -> "Iterator[PhaseMeter]":
        if not self._console.is_terminal:
            yield PhaseMeter(self, name, bar=None)
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
        )
        with Progress(*columns, console=self._console, refresh_per_second=4, expand=True) as bar:
            yield PhaseMeter(self, name, bar=bar)


class PhaseMeter:
    """One phase's bar and its rows of the log (a `Meter` of the trainer)."""

    def __init__(self, reporter: Reporter, name: str, *, bar: Progress | None) -> None:
        self._reporter = reporter
        self._name = name
        self._bar = bar
        self._task = bar.add_task(name, total=1.0, figures="") if bar else None

    def rewind(self, step: int) -> None:
        rows = self._reporter.rows()
        self._reporter.keep([row for row in rows if row["phase"] != self._name or row["step"] <= step])
        if step:
            self._reporter.say(f"{self._name}: going on after step {step:,}")

    def advance(self, share: float) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=share)

    def log(self, figures: Mapping[str, float]) -> None:
        self._reporter.append({"phase": self._name, **figures})
        line = described(figures)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=figures["progress"], figures=line)
        else:
            self._reporter.say(f"{self._name} {figures['progress']:4.0%}  step {figures['step']:,}  {line}")


def described(figures: Mapping[str, float]) -> str:
    share, seconds = figures["progress"], figures["seconds"]
    left = seconds * (1 - share) / share if share else 0.0
    return (
        f"loss {figures['loss']:.3f}  {figures['speed']:,.0f} tok/s  {_time(left)} left  "
        f"{figures['memory'] / 2**30:.1f} GiB  MFU {figures['mfu']:.0%}"
    )


def _time(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min" if minutes else "<1 min"
