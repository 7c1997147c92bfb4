"""Who is read and who decodes: each step reads at most one chunk of one prompt, then decodes every running row."""

from collections import deque
from collections.abc import Sequence as List
from dataclasses import dataclass, field
from typing import Protocol

from bot.engine.sequence import Choice, Reason, Sequence
from bot.types import TokenChance

NOT_A_NUMBER = "the model computed no number (NaN) for the next token; try again or use another model or dtype"


class Runner(Protocol):
    """Forwards over rows. Rows are dense: 0 … n-1 run, row n may be half read."""

    @property
    def slots(self) -> int:
        """Rows there are."""
        ...

    @property
    def chunk(self) -> int:
        """Most prompt tokens of one `prefill`."""
        ...

    def reuse(self, sequence: Sequence, *, row: int) -> int:
        """Put into `row` what is known of the beginning of the prompt: how many tokens, never all of them."""
        ...

    def keep(self, sequence: Sequence, *, row: int) -> None:
        """Remember the row's first `sequence.length` positions for prompts that begin alike."""
        ...

    def prefill(self, sequence: Sequence, *, row: int, size: int) -> Choice | None:
        """Read the next `size` prompt tokens into `row`; after the last, the first choice.

        None in its place where the logits are not numbers.
        """
        ...

    def decode(self, sequences: List[Sequence]) -> list[Choice | None]:
        """The next choice of rows 0 … len-1; None for a row whose logits are not numbers."""
        ...

    def move(self, source: int, target: int, *, length: int) -> None:
        """Let row `target` be what row `source` is: its first `length` positions."""
        ...

    def wipe(self, row: int) -> None:
        """The row may hold what is no number, which reaches the next one there even from behind its mask."""
        ...

    def clear(self, row: int) -> None:
        """The row is unused from now on."""
        ...


@dataclass(slots=True)
class Report:
    """What came out of one step, as `Stepped` tells it."""

    texts: list[tuple[int, str, tuple[TokenChance, ...]]] = field(default_factory=list)
    done: list[tuple[int, Reason, int, int]] = field(default_factory=list)
    failed: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.texts or self.done or self.failed or self.refused)


class Scheduler:
    """First come, first served. Needs no lock: the worker's loop alone calls it."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._waiting: deque[Sequence] = deque()
        self._running: list[Sequence] = []
        self._reading: Sequence | None = None
        self._report = Report()

    @property
    def idle(self) -> bool:
        return not (self._waiting or self._running or self._reading)

    @property
    def running(self) -> int:
        """Rows in use."""
        return len(self._running) + (self._reading is not None)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def add(self, sequence: Sequence) -> None:
        self._waiting.append(sequence)

    def refuse(self, request: int, message: str) -> None:
        """Report a request that could not even be added."""
        self._report.refused.append((request, message))

    def cancel(self, request: int) -> None:
        """Drop the request, wherever it is, before the next step; reported as cancelled. Unknown ones are no error."""
        for sequence in self._waiting:
            if sequence.id == request:
                self._waiting.remove(sequence)
                break
        else:
            found = self._reading if self._reading and self._reading.id == request else None
            found = found or next((s for s in self._running if s.id == request), None)
            if found is None:
                return
            if found is not self._reading:
                self._keep(found)
            self._remove(found)
            sequence = found
        self._done(sequence, "cancelled")

    def told(self) -> Report:
        """What there is to report since the last time: a place freed by `cancel` is told before the next step."""
        report, self._report = self._report, Report()
        return report

    def step(self) -> Report:
        if self._reading is None and self._waiting and len(self._running) < self._runner.slots:
            self._reading = self._waiting.popleft()
            self._reading.filled = self._reading.cached = self._runner.reuse(self._reading, row=len(self._running))
        if self._reading is not None:
            self._read(self._reading)
        if self._running:
            self._decode()
        return self.told()

    def _read(self, sequence: Sequence) -> None:
        size = min(self._runner.chunk, len(sequence.prompt) - sequence.filled)
        try:
            choice = self._runner.prefill(sequence, row=len(self._running), size=size)
        except Exception as error:  # noqa: BLE001 - whatever a model raises on one prompt stays with that prompt
            self._fail(sequence, _line(error))
            return
        sequence.filled += size
        if sequence.filled == len(sequence.prompt):
            self._reading = None
            self._running.append(sequence)
            if choice is not None:
                self._keep(sequence)  # already now: whoever is read next may begin alike
            if self._ends(sequence, choice):
                self._remove(sequence)

    def _decode(self) -> None:
        rows = tuple(self._running)
        try:
            choices = self._runner.decode(rows)
        except Exception as error:  # noqa: BLE001 - one failed forward ends its rows, never the worker
            for sequence in rows:
                self._fail(sequence, _line(error))
            return
        # every row takes its token before any row moves: a move copies as much as the row then holds
        over = [row for row, choice in zip(rows, choices, strict=True) if self._ends(row, choice)]
        for sequence in over:
            self._remove(sequence)

    def _ends(self, sequence: Sequence, choice: Choice | None) -> bool:
        """Take the row's next token and report it. True where the row is over."""
        if choice is None:
            fault = sequence.constraint.fault if sequence.constraint else None
            self._report.failed.append((sequence.id, fault or NOT_A_NUMBER))
            self._runner.wipe(self._running.index(sequence))
            return True
        text, reason = sequence.accept(choice)
        if text:
            self._report.texts.append((sequence.id, text, sequence.shown()))
        if reason is not None:
            self._keep(sequence)
            self._done(sequence, reason)
        return reason is not None

    def _done(self, sequence: Sequence, reason: Reason) -> None:
        self._report.done.append((sequence.id, reason, len(sequence.produced), sequence.cached))

    def _fail(self, sequence: Sequence, message: str) -> None:
        self._remove(sequence)
        self._report.failed.append((sequence.id, message))

    def _keep(self, sequence: Sequence) -> None:
        self._runner.keep(sequence, row=self._running.index(sequence))

    def _remove(self, sequence: Sequence) -> None:
        """Close the gap: the last running row moves into it, the row being read moves down behind the running ones."""
        vacated = len(self._running)
        if sequence is self._reading:
            self._reading = None
            self._runner.wipe(vacated)
        else:
            row, last = self._running.index(sequence), len(self._running) - 1
            if row != last:
                self._runner.move(last, row, length=self._running[last].length)
                self._running[row] = self._running[last]
            self._running.pop()
            if self._reading is not None:
                self._runner.move(last + 1, last, length=self._reading.filled)
            else:
                vacated = last
        self._runner.clear(vacated)


def _line(error: Exception) -> str:
    return f"the model failed: {' '.join(str(error).split())[:200] or type(error).__name__}"
