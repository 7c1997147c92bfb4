"""A run as everyone saw it: the people who wrote, the platform that showed replies, the database in the end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NUMBER = re.compile(r"#(\d+)\b")


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of the questions that a text speaks of: `#12` is 12."""
    return tuple(map(int, _NUMBER.findall(text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Question `number` in a room, written after the one before it was acknowledged.

    Not `answerable` is one that made the engine misbehave: any reply to its turn will do.
    """

    event: str
    room: str
    number: int
    answerable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message people see in the end. `turn` is the key or stamp it was posted with."""

    message: str
    room: str
    turn: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTurn:
    """`seq` orders the turns of a room; `sent` tells whether the database thinks that the reply was shown."""

    id: str
    room: str
    seq: int
    state: str
    text: str
    sent: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A committed write of a claim's holder: the epoch it claimed, and the one that held when it committed.

    `until` is the end of the conversation's lease after the write, by the database's clock. `process` names the one
    that wrote, `at` when, by its own clock.
    """

    room: str
    what: str
    process: str
    claimed: int
    current: int
    until: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """`shown` is in the order in which people see it, `writes` in the order of the database.

    `events` tells the turn of every stored event. `early` are requests that came before the platform wanted them.
    `lease` is how long a claim lasts, in seconds; `one_process` says that a claim of a new process is its own proof
    that the old one is dead.
    """

    sent: tuple[Sent, ...]
    acknowledged: frozenset[str]
    shown: tuple[Shown, ...]
    events: Mapping[str, str]
    turns: Mapping[str, StoredTurn]
    writes: tuple[Write, ...] = ()
    early: tuple[str, ...] = ()
    lease: float = 15.0
    one_process: bool = False
