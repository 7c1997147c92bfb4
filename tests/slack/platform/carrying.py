"""What is carried to the app and what comes back, by Socket Mode or over HTTP."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from tests.slack.platform.things import Json

Kind = Literal["events_api", "interactive", "slash_commands"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """`attempt` counts from 0; `reason` is why the attempt before failed."""

    kind: Kind
    payload: Json
    attempt: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """The app's acknowledgement; `response` is what it sent along, a string being a command's plain text."""

    response: Any
    connection: str


class Carrier(Protocol):
    async def carry(self, envelope: Envelope) -> Ack | str:
        """The acknowledgement, or the reason why there is none, in Slack's words (`timeout`, `http_error`)."""
        ...
