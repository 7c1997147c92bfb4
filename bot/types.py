"""The nouns of the house: what a conversation is made of.

Plain values without behaviour beyond encoding themselves; everything here may be used by every room.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationKey:
    """Where a conversation lives: a thread, a direct message or a widget session."""

    channel: str
    tenant: str
    room: str
    thread: str | None = None

    def encode(self) -> str:
        """`channel:tenant:room[:thread]`, each part percent-encoded; the form stored and logged."""
        parts = [self.channel, self.tenant, self.room]
        if self.thread is not None:
            parts.append(self.thread)
        return ":".join(quote(part, safe="") for part in parts)

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
class Inbound:
    """One message as a channel received it.

    `event_id` names the delivery, `message_id` the message where the platform tells both; the inbox is
    unique on each. `addressed` is false for messages the bot only overhears.
    """

    event_id: str
    conversation: ConversationKey
    author: Author
    text: str
    received_at: datetime
    message_id: str | None = None
    addressed: bool = True
    locale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a prompt."""

    role: Role
    text: str


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
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    key: ConversationKey
    persona: str
    locale: str | None
    created_at: datetime
    secret_hash: str | None = None
    visitor: str | None = None


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
    `locale` is the conversation's. `message` is the reply's message id once there is one.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to work on one conversation until the lease runs out. `epoch` fences every write."""

    conversation: ConversationKey
    epoch: int
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A begun turn with what is needed to answer it: its user messages and the history before them."""

    turn: Turn
    question: tuple[StoredMessage, ...]
    history: tuple[StoredMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of an inbound message. `duplicate`: it was here before; `merged`: it joined a waiting turn."""

    turn: str
    duplicate: bool = False
    merged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that did not fit the prompt: `what` is a message id or passage path; `tokens` its size."""

    kind: Literal["history", "passage", "example"]
    what: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How the context was spent, in tokens: `prompt + reserved <= context`; `left_out` is the receipt."""

    context: int
    reserved: int
    prompt: int
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to choose tokens. Temperature 0 is greedy; `top_k` 0 and `top_p` 1 are off."""

    max_tokens: int = 256
    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 0
    repetition_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    messages: tuple[Message, ...]
    sampling: Sampling
    budget: Budget


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of a generation, with token counts; `cached_tokens` of the prompt were reused."""

    reason: Literal["stop", "length", "cancelled"]
    prompt_tokens: int
    new_tokens: int
    cached_tokens: int = 0


Generated = TextDelta | Finished


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a turn ended: what `Turns.finish` stores in one transaction."""

    state: Literal[TurnState.DONE, TurnState.STOPPED, TurnState.FAILED]
    text: str
    persona_version: str
    sources: tuple[Source, ...] = ()
    budget: Budget | None = None
    finished: Finished | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A finished reply to be made visible on its channel, exactly once per `turn`."""

    turn: str
    conversation: ConversationKey
    state: TurnState
    message: StoredMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    rating: Literal["up", "down"]
    comment: str | None = None


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


@dataclass(frozen=True, slots=True)
class LocalText:
    """Visible text in one or more languages; the first is the default. Keys are BCP 47 tags."""

    texts: Mapping[str, str]

    def pick(self, locale: str | None) -> str:
        """The text for `locale`: exact tag, then the same primary language, then the default."""
        if locale:
            wanted = locale.lower().replace("_", "-")
            for tag, text in self.texts.items():
                if tag.lower() == wanted:
                    return text
            for tag, text in self.texts.items():
                if tag.lower().split("-")[0] == wanted.split("-")[0]:
                    return text
        return next(iter(self.texts.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    label: LocalText
    prompt: LocalText


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    user: str
    assistant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeSource:
    """A folder or file of documents; `label` is the path as the persona's author wrote it."""

    path: Path
    label: str
    top_k: int = 4
    min_score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A persona ready to answer. `version` is the hash of its file; a turn keeps the one it began with."""

    name: str
    version: str
    title: LocalText
    description: str
    languages: tuple[str, ...]
    instructions: LocalText
    style: tuple[str, ...] = ()
    greeting: LocalText | None = None
    starters: tuple[Starter, ...] = ()
    examples: tuple[Example, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    knowledge: tuple[KnowledgeSource, ...] = ()
    grounded: Literal["off", "prefer", "require"] = "off"
    cite: bool = True
    when_unsure: LocalText | None = None
    history_tokens: int = 3000
    policy: str | None = None
    accent: str | None = None
    avatar: str | None = None
    disclaimer: LocalText | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A retrieved piece of a document.

    `heading` is the path of headings above it, outermost first; `path` the document's path below its source,
    prefixed with the source's label; `answer` the text to quote whole where the document is a list of
    questions and answers. `score` grows with relevance; at least `min_score` of its source.
    """

    id: str
    text: str
    path: str
    heading: tuple[str, ...] = ()
    answer: str | None = None
    score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply made without the model: a quotation from a passage, or the persona's `when_unsure`."""

    text: str
    sources: tuple[Source, ...] = ()
