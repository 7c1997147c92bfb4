"""What readers of a reply in the making are told."""

from dataclasses import dataclass

from bot.types.conversations import StoredMessage
from bot.types.turns import TurnState


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted:
    turn: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """`text` appended to the reply; `seq` counts the events of one attempt from 1."""

    turn: str
    attempt: int
    seq: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReplaced:
    """Forget what you had of this turn: `text` is its text so far."""

    turn: str
    attempt: int
    seq: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished:
    turn: str
    status: TurnState
    message: StoredMessage


LiveEvent = TurnStarted | Delta | TurnReplaced | TurnFinished
