"""A reader cut off anywhere ends with what the database has, and holds nothing wrong in between."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.web.marks import Mark, read_mark
from adapters.web.replay import Replay, Sent
from adapters.web.view import View
from bot.types import (
    ConversationKey,
    Delta,
    LiveEvent,
    StoredMessage,
    Turn,
    TurnFinished,
    TurnReplaced,
    TurnStarted,
    TurnState,
)

KEY = ConversationKey(channel="web", tenant="default", room="r")
AT = datetime(2026, 11, 23, tzinfo=UTC)


def running(turn: str, attempt: int, text: str) -> Turn:
    return Turn(
        id=turn,
        conversation=KEY,
        persona="p",
        persona_version=None,
        state=TurnState.RUNNING,
        attempt=attempt,
        epoch=1,
        text=text,
    )


def end(turn: str, text: str) -> TurnFinished:
    message = StoredMessage(id=f"m{turn}", role="assistant", text=text, turn=turn, at=AT)
    return TurnFinished(turn=turn, status=TurnState.DONE, message=message)


@dataclass(kw_only=True)
class Moment:
    """A live event, and the database after it was sent: the turn that `runs`, or was handed back and is `awaited`."""

    event: LiveEvent
    ended: tuple[TurnFinished, ...]
    runs: Turn | None
    awaited: str | None
    truths: frozenset[str]


@dataclass
class History:
    """What a writer does: turns in order, each with attempts, pieces, replacements, saves."""

    moments: list[Moment] = field(default_factory=list)
    ended: tuple[TurnFinished, ...] = ()
    truths: set[str] = field(default_factory=set)

    def add(self, event: LiveEvent, runs: Turn | None) -> None:
        awaited = runs.id if runs is not None else None
        truths = frozenset(self.truths)
        self.moments.append(Moment(event=event, ended=self.ended, runs=runs, awaited=awaited, truths=truths))

    def hand_back(self) -> None:
        """The holder leaves in good order after its last event."""
        self.moments[-1].runs = None


STEP = st.sampled_from(["write", "write", "write", "replace", "save"])
ATTEMPT = st.tuples(st.lists(STEP, max_size=8), st.sampled_from(["broken off", "handed back"]))
TURN = st.lists(ATTEMPT, min_size=1, max_size=3)


@st.composite
def histories(draw: st.DrawFn) -> History:
    history = History()
    for number, attempts in enumerate(draw(st.lists(TURN, min_size=1, max_size=3))):
        turn, text, attempt = f"t{number}", "", 1
        for again, (steps, left) in enumerate(attempts):
            seq, text = 0, ""
            runs = running(turn, attempt, "")
            history.truths |= {""}
            history.add(TurnStarted(turn=turn, attempt=attempt), runs)
            if attempt > 1:
                seq += 1
                history.add(TurnReplaced(turn=turn, attempt=attempt, seq=seq, text=""), runs)
            for step in steps:
                if step == "save":
                    runs = replace(runs, text=text)
                    continue
                seq += 1
                piece = f"{turn}.{again}.{seq} "
                text = text + piece if step == "write" else piece
                history.truths.add(text)
                kind = Delta if step == "write" else TurnReplaced
                history.add(kind(turn=turn, attempt=attempt, seq=seq, text=piece), runs)
            if left == "handed back":
                history.hand_back()
            else:
                attempt += 1
        history.ended = (*history.ended, end(turn, text))
        history.add(history.ended[-1], None)
    return history


class Reader:
    """A strict client: appends only what follows without a gap."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.ended: dict[str, str] = {}
        self.at: dict[str, tuple[int, int]] = {}
        self.mark: Mark | None = None
        self.frames: int | None = None

    def take(self, sent: list[Sent]) -> None:
        """Take the frames, or only as many as still arrive before the cut."""
        for mark, event in sent:
            if self.frames is not None:
                self.frames -= 1
                if self.frames < 0:
                    return
            self.mark = read_mark(mark.encode())
            if isinstance(event, TurnFinished):
                assert event.turn not in self.ended, "told an end twice"
                self.ended[event.turn] = event.message.text
                self.texts[event.turn] = event.message.text
                continue
            assert event.turn not in self.ended
            attempt, seq = self.at.get(event.turn, (0, 0))
            match event:
                case TurnStarted():
                    if event.attempt > attempt:
                        self.texts[event.turn], self.at[event.turn] = "", (event.attempt, 0)
                case TurnReplaced():
                    self.texts[event.turn], self.at[event.turn] = event.text, (event.attempt, event.seq)
                case Delta():
                    assert (event.attempt, event.seq) == (attempt, seq + 1)
                    self.texts[event.turn] += event.text
                    self.at[event.turn] = (attempt, event.seq)


class Stream:
    """One connection over a history: reads event by event, may lose the bus's buffer, reads the database late."""

    def __init__(self, history: History, reader: Reader, *, at: int, buffer_from: int) -> None:
        """`at` events were sent before the connection; the bus holds those from `buffer_from` on."""
        self.history, self.reader = history, reader
        mark = reader.mark
        self.replay = Replay(mark)
        known = mark is not None and mark.cursor is not None and int(mark.cursor) + 1 >= buffer_from
        if known and mark is not None and mark.cursor is not None:
            self.position = int(mark.cursor) + 1
        else:
            self.position = self._newest_start(at, buffer_from)
            self.replay.lose()
            self.read(at)

    def _newest_start(self, at: int, buffer_from: int) -> int:
        start = at
        turn = self.history.moments[at - 1].event.turn if at > buffer_from else None
        while start > buffer_from and self.history.moments[start - 1].event.turn == turn:
            start -= 1
            if isinstance(self.history.moments[start].event, TurnStarted):
                break
        return start

    def read(self, at: int) -> None:
        """The database as it is when `at` events were sent."""
        if at == 0:
            return
        moment, since = self.history.moments[at - 1], self.replay.since
        ended = list(moment.ended)
        if since is None:
            ended = ended[-1:] if moment.runs is None else []
        else:
            number = int(since.turn[1:]) + (0 if since.inclusive else 1)
            ended = ended[number:]
        told = self.replay.told
        fresh = tuple(event for event in ended if event.turn not in told)
        view = View(finished=fresh, running=moment.runs, awaited=moment.awaited)
        self.reader.take(self.replay.catch_up(view))

    def step(self, at: int) -> None:
        """Pass on the next live event when `at` events were sent."""
        event = self.history.moments[self.position].event
        cursor = str(self.position)
        self.position += 1
        sent = self.replay.live(cursor, event)
        if sent is None:
            self.read(at)
            sent = self.replay.live(cursor, event, settled=True)
        assert sent is not None
        self.reader.take(sent)

    def lose(self, number: int) -> None:
        """Lose live events, up to one that begins a turn anew: what was handed back has no number of its own."""
        for _ in range(number):
            if not isinstance(self.history.moments[self.position].event, TurnStarted):
                self.position += 1


ACTION = st.tuples(st.sampled_from(["step", "step", "send", "cut", "tear", "flush", "skip", "read"]), st.integers(0, 5))


@settings(max_examples=300, deadline=None)
@given(history=histories(), actions=st.lists(ACTION, max_size=60))
def test_every_cut_loss_and_late_read_ends_with_the_text_of_the_database(
    history: History, actions: list[tuple[str, int]]
) -> None:
    total = len(history.moments)
    reader = Reader()
    sent = buffer_from = 0
    stream = Stream(history, reader, at=0, buffer_from=0)
    for action, number in actions + [("step", 0)] * total:
        if stream.position == total:
            break
        sent = max(sent, stream.position)
        match action:
            case "send":
                sent = min(total, sent + number)
            case "step":
                sent = max(sent, stream.position + 1)
                stream.step(sent)
            case "read":
                stream.read(sent)
            case "tear":  # the connection breaks between two frames
                sent = max(sent, stream.position + 1)
                reader.frames = number
                stream.step(sent)
                reader.frames = None
                stream = Stream(history, reader, at=sent, buffer_from=buffer_from)
            case "cut":
                stream = Stream(history, reader, at=sent, buffer_from=buffer_from)
            case "flush":
                buffer_from = sent
                stream = Stream(history, reader, at=sent, buffer_from=buffer_from)
            case _:  # the bus lost some events without a word
                stream.lose(min(sent - stream.position, number))
        assert set(reader.texts.values()) <= history.truths
    stream.read(total)
    began = [event.turn for event in history.ended if event.turn in reader.texts]
    assert {turn: reader.texts[turn] for turn in began} == {
        event.turn: event.message.text for event in history.ended if event.turn in began
    }
    assert reader.texts[history.ended[-1].turn] == history.ended[-1].message.text
    assert set(began) == set(reader.ended)


@settings(max_examples=100, deadline=None)
@given(history=histories(), cut=st.integers(min_value=0))
def test_a_reader_that_comes_back_with_its_cursor_gets_exactly_the_rest(history: History, cut: int) -> None:
    whole, halves = Reader(), Reader()
    total = len(history.moments)
    stream = Stream(history, whole, at=0, buffer_from=0)
    first: list[Sent] = []
    for number in range(total):
        out = stream.replay.live(str(number), history.moments[number].event)
        assert out is not None
        first += out
    kept = first[: cut % (len(first) + 1)]
    halves.take(kept)
    again = Replay(halves.mark)
    after = int(halves.mark.cursor) + 1 if halves.mark and halves.mark.cursor else 0
    rest = [
        sent for number in range(after, total) for sent in again.live(str(number), history.moments[number].event) or []
    ]
    assert [event for _, event in kept + rest] == [event for _, event in first]


def test_a_saved_text_is_not_shown_twice_when_live_events_reach_it() -> None:
    replay, reader = Replay(), Reader()
    replay.lose()
    reader.take(replay.catch_up(View(running=running("t0", 1, "one two"), awaited="t0")))
    shown = [reader.texts["t0"]]
    pieces: list[LiveEvent] = [TurnStarted(turn="t0", attempt=1)]
    pieces += [
        Delta(turn="t0", attempt=1, seq=n, text=text) for n, text in enumerate(["one", " two", " three"], start=1)
    ]
    for number, event in enumerate(pieces):
        reader.take(replay.live(str(number), event) or [])
        shown.append(reader.texts["t0"])
    assert shown == ["one two", "one two", "one two", "one two", "one two three"]


def test_what_a_fenced_out_holder_still_writes_is_not_shown() -> None:
    replay, reader = Replay(), Reader()
    events: tuple[LiveEvent, ...] = (
        TurnStarted(turn="t0", attempt=1),
        Delta(turn="t0", attempt=1, seq=1, text="stale"),
        TurnStarted(turn="t0", attempt=2),
        TurnReplaced(turn="t0", attempt=2, seq=1, text=""),
        Delta(turn="t0", attempt=1, seq=2, text=" more"),
        Delta(turn="t0", attempt=2, seq=2, text="fresh"),
        end("t0", "fresh"),
        Delta(turn="t0", attempt=1, seq=3, text=" even more"),
        end("t0", "fresh"),
    )
    for number, event in enumerate(events):
        reader.take(replay.live(str(number), event) or [])
    assert reader.texts == {"t0": "fresh"}


@given(st.text(max_size=40))
def test_any_text_is_a_mark_or_none(text: str) -> None:
    mark = read_mark(text)
    assert mark is None or read_mark(mark.encode()) == mark
