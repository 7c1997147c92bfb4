"""The life of a turn: from a message that came in to a reply that is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from bot.types.conversations import ConversationKey, Source, StoredMessage
from bot.types.generation import Budget, Finished
from bot.types.memory import Memory

Overlap = Literal["queue", "merge", "interrupt"]


class TurnState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (TurnState.DONE, TurnState.STOPPED, TurnState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One user message (or several, merged while waiting) and the reply to it.

    `attempt` is 0 while queued and counts from 1; `text` is the saved progress, then the final reply.
    `locale` is the conversation's. `message` is the reply's message id once there is one. `shown` is where the channel
    shows the reply, in its own words (`Turns.place`).
    """

    id: str
    conversation: ConversationKey
    persona: str
    persona_version: str | None
    state: TurnState
    attempt: int
    epoch: int
    locale: str | None = None
    text: str = ""
    stop_requested: bool = False
    message: str | None = None
    shown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on one conversation until the lease runs out. `epoch` fences every write.

    `undelivered`: there are replies that were stored and not shown, as far as is known.
    """

    conversation: ConversationKey
    epoch: int
    holder: str
    undelivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a turn ended: what `Turns.finish` stores in one transaction.

    `error` says what went wrong where it failed. `facts` are remembered by name; an empty value forgets one.
    `overflowed`: earlier messages did not fit, so that a summary of them is wanted.
    """

    state: Literal[TurnState.DONE, TurnState.STOPPED, TurnState.FAILED]
    text: str
    persona_version: str
    sources: tuple[Source, ...] = ()
    budget: Budget | None = None
    finished: Finished | None = None
    error: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    overflowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A begun turn with what is needed to answer it: its user messages and what is remembered from before.

    `reply` is the answer where there is one already; then nobody is asked.
    """

    turn: Turn
    question: tuple[StoredMessage, ...]
    memory: Memory = field(default_factory=Memory)
    reply: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may wait before a message is turned away.

    `waiting` turns of one conversation are queued, further messages join the newest, up to `joined` in one turn;
    `backlog` conversations wait for an answer in all; those that only wait to be told to come back do not count.
    """

    waiting: int = 5
    joined: int = 20
    backlog: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a command does to its conversation, at its place in the order of messages.

    `forget` deletes everything said before: turns, messages, summaries, facts; the conversation itself stays.
    `anew` keeps it, and remembers nothing of it. `persona` answers from then on.
    """

    forget: bool = False
    anew: bool = False
    persona: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of an inbound message.

    `duplicate`: it was here before. `merged`: it joined a waiting turn. `shed`: there was no room, and its turn is
    already answered with a word about that. `interrupts`: the running turn that shall make way for it.
    """

    turn: str
    duplicate: bool = False
    merged: bool = False
    shed: bool = False
    interrupts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retracted:
    """A message that was taken back. `cut` is the unfinished turn that went with it, `gone` whether any turn did."""

    conversation: ConversationKey
    gone: bool = False
    cut: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A finished reply to be made visible on its channel, exactly once per `turn`.

    `attempt` counts from 1, and so do the `tries` to answer: above 1 something may have been seen or not. `shown` is
    the turn's. `memory` is the version of the conversation's memory as this reply entered it; 0 in a later attempt.
    """

    turn: str
    conversation: ConversationKey
    state: TurnState
    message: StoredMessage
    attempt: int = 1
    tries: int = 1
    shown: str | None = None
    memory: int = field(default=0, compare=False)

    @property
    def may_be_seen(self) -> bool:
        """Whether something of it may be visible that nobody noted."""
        return self.attempt > 1 or self.tries > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTurn:
    """A turn set aside: it failed, or its reply could not be shown (`undelivered`)."""

    turn: str
    conversation: ConversationKey
    persona: str
    question: str
    error: str
    at: datetime
    undelivered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """`may_train`: whoever gave it had been told that what is rated as good may train the model."""

    rating: Literal["up", "down"]
    comment: str | None = None
    may_train: bool = False
