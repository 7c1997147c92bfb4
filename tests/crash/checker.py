"""Finds in a history every fault that a person, or the next replica, could have noticed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.crash.history import History, Sent, Shown, StoredTurn, Write, numbers

Kind = Literal[
    "lost", "duplicated", "reordered", "unstored", "wrong text", "unknown", "stale write", "two holders", "early"
]
FINAL = ("done", "stopped", "failed")
_FENCED = ("begin", "save", "finish", "hand_back", "sent", "give_up", "renew")
_GIVES_OR_TAKES = ("claim", "renew", "release", "sent")
_CLOCKS = 0.005


@dataclass(frozen=True, slots=True)
class Fault:
    kind: Kind
    what: str


def check(history: History) -> tuple[Fault, ...]:
    """Every fault, each once. Empty where each message has exactly one reply, in order, as stored."""
    shown = defaultdict[str, list[Shown]](list)
    for message in history.shown:
        shown[message.room].append(message)
    return (
        *_lost(history),
        *_duplicated(shown.values()),
        *_reordered(history, shown.values()),
        *_wrong(history),
        *_stale(history.writes),
        *_two_holders(history),
        *(Fault("early", what) for what in history.early),
    )


def count(faults: Iterable[Fault]) -> Counter[Kind]:
    return Counter(fault.kind for fault in faults)


def _lost(history: History) -> Iterator[Fault]:
    by_turn = defaultdict[str, list[Shown]](list)
    for message in history.shown:
        by_turn[message.turn].append(message)
    spoilt = {history.events.get(sent.event) for sent in history.sent if not sent.answerable}
    for sent in history.sent:
        name = f"{sent.room} #{sent.number}"
        if sent.event not in history.acknowledged:
            yield Fault("lost", f"{name} was never acknowledged")
            continue
        turn = history.turns.get(history.events.get(sent.event, ""))
        if turn is None:
            yield Fault("unstored", f"{name} was acknowledged and is not in the database")
        elif turn.state not in FINAL:
            yield Fault("lost", f"{name}: turn {turn.id} is still {turn.state}")
        elif not by_turn[turn.id]:
            yield Fault("lost", f"{name}: the reply of turn {turn.id} was never shown (sent: {turn.sent})")
        elif turn.state == "done" and turn.id not in spoilt and not _answered(sent, by_turn[turn.id]):
            yield Fault("lost", f"{name}: the reply of turn {turn.id} does not answer it")


def _answered(sent: Sent, replies: Iterable[Shown]) -> bool:
    return any(sent.number in numbers(reply.text) for reply in replies)


def _duplicated(rooms: Iterable[Sequence[Shown]]) -> Iterator[Fault]:
    for messages in rooms:
        turns: set[str] = set()
        answered: set[int] = set()
        for message in messages:
            said = set(numbers(message.text))
            if message.turn in turns or said & answered:
                yield Fault("duplicated", f"{message.room}: {message.message} of turn {message.turn} shows {said}")
            turns.add(message.turn)
            answered |= said


def _reordered(history: History, rooms: Iterable[Sequence[Shown]]) -> Iterator[Fault]:
    """By the turns' order and, told from outside alone, by the order in which the questions were written."""
    for messages in rooms:
        newest_turn = newest_number = -1
        for message in messages:
            turn = history.turns.get(message.turn)
            first, *_ = said if (said := numbers(message.text)) else (newest_number + 1,)
            if (turn is not None and turn.seq < newest_turn) or first < newest_number:
                yield Fault("reordered", f"{message.room}: {message.message} of turn {message.turn} comes too late")
            newest_turn = max(newest_turn, turn.seq if turn else -1)
            newest_number = max(newest_number, *said, -1)


def _wrong(history: History) -> Iterator[Fault]:
    for message in history.shown:
        turn: StoredTurn | None = history.turns.get(message.turn)
        if turn is None:
            yield Fault("unknown", f"{message.room}: {message.message} belongs to no stored turn")
        elif turn.state in FINAL and message.text != turn.text:
            yield Fault("wrong text", f"{message.room}: {message.message} shows {message.text!r}, not {turn.text!r}")


def _stale(writes: Iterable[Write]) -> Iterator[Fault]:
    for write in writes:
        if write.what in _FENCED and write.claimed != write.current:
            yield Fault(
                "stale write", f"{write.room}: {write.what} by epoch {write.claimed}, while {write.current} holds"
            )


def _two_holders(history: History) -> Iterator[Fault]:
    """Claims of conversations that another claim still held."""
    held: dict[str, Write] = {}
    for write in history.writes:
        if write.what not in _GIVES_OR_TAKES or write.claimed != write.current:
            continue
        before = held.get(write.room)
        held[write.room] = write
        if write.what != "claim" or before is None or before.claimed == write.claimed:
            continue
        if history.one_process and before.process != write.process:
            continue
        if write.until - history.lease < before.until - _CLOCKS:
            yield Fault("two holders", f"{write.room}: epoch {write.claimed} began before {before.claimed} was over")
