"""Live events and the database become one stream that a reader can follow without a gap or a repetition.

Pure: no clock, no bus, no database. A reader is *in step* where it holds exactly what the live events so far add up
to; then events are passed on. It is *out of step* after it was given a text from the database: that text lies
somewhere among the live events, so these are added up silently until they reach it. Events that cannot be placed ask
for the database first.

In a conversation turns run one after the other, and every live event is sent after the database was told; therefore
the database is never behind in turns, attempts and ends, only in the text of the turn that runs.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from adapters.web.marks import Mark
from adapters.web.view import Since, View
from bot.types import Delta, LiveEvent, TurnFinished, TurnReplaced, TurnStarted

REMEMBERED = 200

Sent = tuple[Mark, LiveEvent]


@dataclass(slots=True, kw_only=True)
class _Current:
    """The unfinished turn that the reader knows of.

    `held` is the reader's text where it is known and needed, `rebuilt` the sum of the live events where these were
    seen from the attempt's beginning. Both are None while in step.
    """

    turn: str
    attempt: int
    in_step: bool
    seq: int | None = None
    held: str | None = None
    rebuilt: str | None = None


class Replay:
    """What one reader was told. `mark` is where it left off."""

    def __init__(self, mark: Mark | None = None) -> None:
        self._told: OrderedDict[str, None] = OrderedDict()
        self._current: _Current | None = None
        if mark is not None and mark.attempt is None:
            self._tell(mark.turn)
        elif mark is not None and mark.attempt is not None:
            self._current = _Current(turn=mark.turn, attempt=mark.attempt, in_step=True, seq=mark.seq)

    @property
    def told(self) -> Collection[str]:
        """The turns whose end the reader has."""
        return self._told

    @property
    def since(self) -> Since | None:
        """From where on the database shall be read for this reader."""
        if self._current is not None:
            return Since(turn=self._current.turn, inclusive=True)
        if self._told:
            return Since(turn=next(reversed(self._told)), inclusive=False)
        return None

    @property
    def unfinished(self) -> bool:
        """Whether the reader waits for the end of a turn."""
        return self._current is not None

    @property
    def in_step(self) -> bool:
        return self._current is None or self._current.in_step

    def lose(self) -> None:
        """Live events may be missing from here on: the reader needs the text from the database."""
        if self._current is not None:
            self._leave_step(self._current)

    def catch_up(self, view: View) -> list[Sent]:
        """What the database has beyond what the reader was told."""
        out = [self._finish(event, None) for event in view.finished if event.turn not in self._told]
        running = view.running
        if self._current is not None and self._current.turn != view.awaited:
            self._tell(self._current.turn)  # it was erased
            self._current = None
        if running is None or running.id in self._told:
            return out
        current = self._current
        if current is None or current.attempt < running.attempt:
            current = self._current = _Current(turn=running.id, attempt=running.attempt, in_step=False)
        if current.attempt > running.attempt or current.in_step or current.held == running.text:
            return out
        mark = Mark(cursor=None, turn=running.id, attempt=running.attempt)
        if current.held is None:
            out.append((mark, TurnStarted(turn=running.id, attempt=running.attempt)))
        out.append((mark, TurnReplaced(turn=running.id, attempt=running.attempt, seq=0, text=running.text)))
        current.held = running.text
        return out

    def live(self, cursor: str, event: LiveEvent, *, settled: bool = False) -> list[Sent] | None:
        """What to send for a live event. None: `catch_up` first, then offer the event again as `settled`."""
        if event.turn in self._told:
            return []
        current = self._current
        if current is not None and current.turn != event.turn:
            if not settled:
                return None
            self._tell(event.turn)  # it is older than the turn that runs
            return []
        if isinstance(event, TurnFinished):
            return [self._finish(event, cursor)]
        seq = 0 if isinstance(event, TurnStarted) else event.seq
        mark = Mark(cursor=cursor, turn=event.turn, attempt=event.attempt, seq=seq)
        if current is None or current.attempt < event.attempt:
            return self._begin(mark, event, settled=settled)
        if current.attempt > event.attempt:
            return []  # from a holder that lost the conversation
        if current.in_step:
            return self._follow(current, mark, event, settled=settled)
        return self._rebuild(current, mark, event)

    def _begin(self, mark: Mark, event: TurnStarted | Delta | TurnReplaced, *, settled: bool) -> list[Sent] | None:
        """The first event of an attempt that the reader does not know yet."""
        if isinstance(event, Delta) and event.seq > 1:
            if not settled:
                return None
            self._current = _Current(turn=event.turn, attempt=event.attempt, in_step=False)
            return []
        self._current = _Current(turn=event.turn, attempt=event.attempt, in_step=True, seq=mark.seq)
        if isinstance(event, TurnStarted):
            return [(mark, event)]
        before = Mark(cursor=None, turn=event.turn, attempt=event.attempt)  # a cut after the start misses the event
        return [(before, TurnStarted(turn=event.turn, attempt=event.attempt)), (mark, event)]

    def _follow(
        self, current: _Current, mark: Mark, event: TurnStarted | Delta | TurnReplaced, *, settled: bool
    ) -> list[Sent] | None:
        if isinstance(event, TurnStarted):
            if not current.seq:
                return []
            current.seq = 0  # the attempt was handed back: another replica begins it from nothing
            return [(mark, TurnReplaced(turn=event.turn, attempt=event.attempt, seq=0, text=""))]
        if current.seq is not None and event.seq <= current.seq:
            return []
        if isinstance(event, Delta) and current.seq is not None and event.seq > current.seq + 1:
            self._leave_step(current)
            return [] if settled else None
        current.seq = event.seq
        return [(mark, event)]

    def _rebuild(self, current: _Current, mark: Mark, event: TurnStarted | Delta | TurnReplaced) -> list[Sent]:
        """Add the event up, and bring the reader in step once the sum has reached its text.

        That takes a TurnReplaced even where the texts are equal: the reader learns which `seq` it stands at.
        """
        self._add_up(current, event)
        held, rebuilt = current.held, current.rebuilt
        if rebuilt is None or held is None or (held != rebuilt and held.startswith(rebuilt)):
            return []
        current.in_step = True
        current.held = current.rebuilt = None
        if isinstance(event, TurnStarted):
            return []
        return [(mark, TurnReplaced(turn=event.turn, attempt=event.attempt, seq=event.seq, text=rebuilt))]

    @staticmethod
    def _add_up(current: _Current, event: TurnStarted | Delta | TurnReplaced) -> None:
        match event:
            case TurnStarted():
                current.rebuilt, current.seq = "", 0
            case TurnReplaced(text=text, seq=seq):
                current.rebuilt, current.seq = text, seq
            case Delta(text=text, seq=seq):
                if current.rebuilt is not None and current.seq is not None and seq == current.seq + 1:
                    current.rebuilt += text
                elif seq == 1:
                    current.rebuilt = text
                else:
                    current.rebuilt = None
                current.seq = seq

    @staticmethod
    def _leave_step(current: _Current) -> None:
        current.in_step = False
        current.seq = current.held = current.rebuilt = None

    def _finish(self, event: TurnFinished, cursor: str | None) -> Sent:
        self._tell(event.turn)
        if self._current is not None and self._current.turn == event.turn:
            self._current = None
        return Mark(cursor=cursor, turn=event.turn, attempt=None), event

    def _tell(self, turn: str) -> None:
        self._told[turn] = None
        self._told.move_to_end(turn)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
