"""What a conversation remembers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.types.conversations import StoredMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was said up to and including turn `covers`, in short; it stands beside those messages."""

    covers: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered before a turn: the newest messages, a summary of older ones, facts by their names.

    `messages` are of finished turns, oldest first, none that the summary covers. `version` changes whenever
    anything of it does.
    """

    version: int = 0
    messages: tuple[StoredMessage, ...] = ()
    summary: Summary | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
