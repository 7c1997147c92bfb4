"""Who talks where, and what was said."""

import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, unquote

from bot.errors import BadKey

Role = Literal["system", "user", "assistant"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """A fresh 20-character id that sorts by its millisecond of birth (Crockford base 32).

    Short enough for Discord's 25-character nonce.
    """
    number = (int(time.time() * 1000) << 50) | secrets.randbits(50)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(95, -5, -5))


@lru_cache(maxsize=4096)  # a turn asks for the same key some ten times
def _encoded(*parts: str | None) -> str:
    return ":".join(quote(part, safe="") for part in parts if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationKey:
    """Where a conversation lives: a thread, a direct message or a widget session."""

    channel: str
    tenant: str
    room: str
    thread: str | None = None

    def encode(self) -> str:
        """`channel:tenant:room[:thread]`, each part percent-encoded; the form stored and logged."""
        return _encoded(self.channel, self.tenant, self.room, self.thread)

    @classmethod
    def decode(cls, text: str) -> "ConversationKey":
        """The inverse of `encode`. Raises BadKey."""
        parts = [unquote(part) for part in text.split(":")]
        if len(parts) not in (3, 4) or not all(parts[:3]):
            raise BadKey(text)
        thread = parts[3] if len(parts) == 4 else None
        return cls(channel=parts[0], tenant=parts[1], room=parts[2], thread=thread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    id: str
    name: str
    is_self: bool = False
    is_bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What somebody said in a place before Parley was asked there."""

    author: Author
    text: str
    at: datetime
    message_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One message as a channel received it.

    `event_id` names the delivery, `message_id` the message where the platform tells both; the inbox is
    unique on each. `addressed` is false for messages the bot only overhears. `earlier` is what was said there before,
    oldest first; it is remembered where the conversation is new. `may_choose`: the author may choose who answers.
    """

    event_id: str
    conversation: ConversationKey
    author: Author
    text: str
    received_at: datetime
    message_id: str | None = None
    addressed: bool = True
    locale: str | None = None
    earlier: tuple[Heard, ...] = ()
    may_choose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A citation shown beside an answer: document title or heading path, and the quoted passage."""

    title: str
    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """One message of a conversation's memory. `turn` is the turn it belongs to."""

    id: str
    role: Role
    text: str
    turn: str
    at: datetime
    author: str | None = None
    author_id: str | None = None
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    key: ConversationKey
    persona: str
    locale: str | None
    created_at: datetime
    secret_hash: str | None = None
    visitor: str | None = None
