"""Whose data, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

from bot.errors import BadPerson
from bot.types.conversations import ConversationKey, StoredMessage
from bot.types.turns import Rating

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who writes: the id of an author on a channel. `tenant` None means every tenant of it."""

    channel: str
    id: str
    tenant: str | None = None

    def encode(self) -> str:
        """`channel[:tenant]:id`, each part percent-encoded."""
        parts = [self.channel, self.id] if self.tenant is None else [self.channel, self.tenant, self.id]
        return ":".join(quote(part, safe="") for part in parts)

    @classmethod
    def decode(cls, text: str) -> "Person":
        """The inverse of `encode`. Raises BadPerson."""
        parts = [unquote(part) for part in text.split(":")]
        if len(parts) not in (2, 3) or not all(parts):
            raise BadPerson(text)
        return cls(channel=parts[0], tenant=parts[1] if len(parts) == 3 else None, id=parts[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure touched: conversations that are `gone` whole, others that are `changed`, and the turns that
    were not finished yet (`cut`), which somebody may be working on."""

    gone: tuple[ConversationKey, ...] = ()
    changed: tuple[ConversationKey, ...] = ()
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedTurn:
    """A question and its answer, and what somebody thought of it. `names` are of all who wrote in the conversation."""

    turn: str
    persona: str
    locale: str | None
    question: tuple[StoredMessage, ...]
    answer: StoredMessage
    rating: Rating
    rated_at: datetime
    names: tuple[str, ...] = ()
