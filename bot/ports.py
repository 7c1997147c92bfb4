"""The protocols between the core and its parts. Read this page first.

The contract of each part stands here once: order, None, errors, units. Implementations live in `storage/`,
`adapters/` and `bot/engine`; each port has one conformance suite in `tests/conformance`, run against all of them.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from bot.types import (
    Accepted,
    Answer,
    Claim,
    Conversation,
    ConversationKey,
    Delivery,
    Generated,
    Inbound,
    LiveEvent,
    Message,
    Outcome,
    Passage,
    Persona,
    Prompt,
    Rating,
    Source,
    StoredMessage,
    Turn,
    Work,
)

S = TypeVar("S")
P = TypeVar("P")

# ── storage ──────────────────────────────────────────────────────────────────────────────────────────────


class Conversations(Protocol):
    async def open(
        self,
        key: ConversationKey,
        *,
        persona: str,
        locale: str | None = None,
        secret_hash: str | None = None,
        visitor: str | None = None,
    ) -> Conversation:
        """Create the conversation, or return it unchanged where it exists."""
        ...

    async def get(self, key: ConversationKey) -> Conversation | None: ...

    async def messages(
        self, key: ConversationKey, *, before: str | None = None, limit: int = 50
    ) -> tuple[StoredMessage, ...]:
        """The newest `limit` messages (older than message `before`), oldest first, in the order of their turns."""
        ...

    async def erase(self, key: ConversationKey) -> None:
        """Delete everything of the conversation. A turn in flight is fenced out. Unknown keys are no error."""
        ...


class Intake(Protocol):
    async def accept(self, inbound: Inbound, *, persona: str, max_waiting: int = 5) -> Accepted:
        """Commit the message and its turn, creating the conversation with `persona` where it is new.

        Idempotent on (channel, tenant, event_id) and on (channel, tenant, message_id): a repetition returns the
        first turn with `duplicate`. With `max_waiting` turns queued the message joins the newest of them.
        Returns only after the commit is on disk. Raises StoreUnavailable; then nothing was stored.
        """
        ...


class Claims(Protocol):
    async def claim(self, holder: str, *, channels: Collection[str], lease: timedelta) -> Claim | None:
        """Take the conversation of these channels that waits longest and is free, and add 1 to its epoch.

        None where none waits.

        A conversation waits while it has an unfinished turn or an undelivered reply; it is free without a
        running lease.
        """
        ...

    async def renew(self, claim: Claim, *, lease: timedelta) -> None:
        """Raises LeaseLost."""
        ...

    async def release(self, claim: Claim) -> None:
        """Give the conversation back, at once claimable. No error where the claim was lost."""
        ...


class Turns(Protocol):
    """Every write with a claim is conditional on its epoch and raises LeaseLost."""

    async def begin(self, claim: Claim, *, history: int) -> Work | None:
        """Start the oldest unfinished turn: state running, attempt + 1. None where none is left.

        `history` bounds the number of earlier messages returned with it (oldest first; only of finished turns
        before this one).
        """
        ...

    async def save(self, claim: Claim, turn: str, *, text: str) -> None:
        """Save the progress of a running turn."""
        ...

    async def finish(self, claim: Claim, turn: str, outcome: Outcome) -> Delivery:
        """In one transaction: the reply, the turn's final state, its receipt, and the outbox row.

        The stored text is `outcome.text` to the byte. Returns the delivery now pending in the outbox.
        """
        ...

    async def get(self, turn: str) -> Turn | None: ...

    async def newest(self, key: ConversationKey) -> Turn | None:
        """The conversation's newest turn that has begun; else its oldest queued one; None where it has none."""
        ...

    async def request_stop(self, turn: str) -> Turn | None:
        """Mark an unfinished turn to be stopped; a finished one stays as it is. None where unknown."""
        ...

    async def rate(self, turn: str, rating: Rating) -> bool:
        """Store or replace the turn's rating. False where the turn is unknown."""
        ...


class Outbox(Protocol):
    async def pending(self, claim: Claim) -> tuple[Delivery, ...]:
        """The undelivered replies of the claimed conversation, in the order of their turns. Raises LeaseLost."""
        ...

    async def sent(self, claim: Claim, turn: str) -> None:
        """Mark one delivered. Raises LeaseLost."""
        ...


class Store(Protocol):
    """SQL is the truth. Open one with `async with`; all parts share its connections."""

    @property
    def conversations(self) -> Conversations: ...
    @property
    def intake(self) -> Intake: ...
    @property
    def claims(self) -> Claims: ...
    @property
    def turns(self) -> Turns: ...
    @property
    def outbox(self) -> Outbox: ...

    async def check(self) -> None:
        """Raises StoreUnavailable where the database does not answer or cannot be written."""
        ...


class Bus(Protocol):
    """What replicas tell each other. Best effort: whatever is lost here only arrives later, through SQL."""

    async def publish(self, topic: str, text: str) -> None:
        """Send to everyone subscribed to `topic` now. Topics: `wake`, `stop` (a turn id), `personas`."""
        ...

    def subscribe(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """Receive what is published after the context was entered. A slow reader loses the oldest, never blocks."""
        ...

    async def append(self, conversation: ConversationKey, event: LiveEvent) -> None:
        """Add to the conversation's live buffer and hand on to its followers."""
        ...

    def follow(
        self, conversation: ConversationKey, *, after: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[tuple[str, LiveEvent]]]:
        """Events with their cursors: what the buffer holds after `after`, then what comes.

        Without `after` it begins with the newest turn in the buffer, from its TurnStarted (or a TurnReplaced
        that stands for the beginning). A cursor the buffer does not know raises CursorLost on entry. A follower
        that falls too far behind gets CursorLost from the iterator and may follow again.
        """
        ...

    async def forget(self, conversation: ConversationKey) -> None:
        """Drop the conversation's live buffer."""
        ...

    async def check(self) -> None:
        """Raises ConnectionError where the bus does not answer."""
        ...


# ── the model ────────────────────────────────────────────────────────────────────────────────────────────


class Engine(Protocol):
    @property
    def model(self) -> str:
        """What a person calls the model that answers."""
        ...

    @property
    def caution(self) -> tuple[str, ...]:
        """What a person should know about this model before trusting it, a sentence each; empty where nothing."""
        ...

    @property
    def grounded_only(self) -> bool:
        """Whether the model knows too little to answer where no passage was found."""
        ...

    @property
    def quotes(self) -> bool:
        """Whether the model answers worse from passages than the best passage itself, which is then quoted."""
        ...

    @property
    def context(self) -> int:
        """How many tokens a prompt and its answer may have together."""
        ...

    def generate(self, prompt: Prompt) -> AsyncGenerator[Generated, None]:
        """Text deltas, then one Finished. Closing the generator frees the compute within one step.

        Deltas join to the exact text; none ends inside a character. Raises PromptTooLong, EngineBusy,
        EngineTimeout, EngineDied; after an error another call may succeed.
        """
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """The exact number of prompt tokens `generate` would spend on these messages. Fast; never blocks long."""
        ...

    async def check(self) -> None:
        """Raises EngineError where the engine cannot answer now."""
        ...


# ── knowledge and personas ───────────────────────────────────────────────────────────────────────────────


class Guard(Protocol):
    """Lets through only what the passages, the question or the persona support, a sentence at a time."""

    def write(self, text: str) -> str:
        """Take more of the model's answer; return what may be shown now, possibly nothing yet.

        Raises UnsupportedClaim at the first sentence that nothing supports.
        """
        ...

    def finish(self) -> str:
        """The rest that may be shown; may raise like `write`. What was returned in all joins to the answer."""
        ...

    def sources(self) -> tuple[Source, ...]:
        """The passages that the shown sentences rest on, best first; empty where the persona does not cite."""
        ...


class Knowledge(Protocol):
    async def search(self, persona: Persona, question: str) -> tuple[Passage, ...]:
        """The best passages from the persona's sources, best first; empty where nothing is relevant."""
        ...

    def guard(self, persona: Persona, question: str, passages: Sequence[Passage]) -> Guard: ...

    def quote(self, persona: Persona, question: str, passages: Sequence[Passage], *, locale: str | None) -> Answer:
        """The answer without a model: the best sentences of the best passage as a quotation with its source;
        without passages, the persona's `when_unsure`."""
        ...


class Personas(Protocol):
    def get(self, name: str) -> Persona:
        """The newest valid version. Raises UnknownPersona, with near matches."""
        ...

    def all(self) -> tuple[Persona, ...]:
        """Every persona that answers, built-in ones last, each group by name."""
        ...


# ── channels ─────────────────────────────────────────────────────────────────────────────────────────────


class ReplyStream(Protocol):
    async def write(self, text: str) -> None:
        """Append to the visible reply."""
        ...

    async def replace(self, text: str) -> None:
        """Forget what was shown of this reply: `text` is all of it so far."""
        ...


class Channel(Protocol):
    @property
    def name(self) -> str: ...

    async def listen(self) -> None:
        """Receive messages and hand them to the core's inbox, until cancelled or until its last user has left;
        Parley stops then."""
        ...

    def reply(self, turn: Turn) -> AbstractAsyncContextManager[ReplyStream]:
        """Begin to show the reply of one attempt of a turn."""
        ...

    async def deliver(self, delivery: Delivery) -> None:
        """Make the finished reply visible. Called again after a crash: idempotent per `delivery.turn`."""
        ...


@runtime_checkable
class HasAddress(Protocol):
    """A channel that people open in a browser."""

    @property
    def address(self) -> str:
        """The URL to open."""
        ...


class Inbox(Protocol):
    async def accept(self, inbound: Inbound) -> Accepted | None:
        """Commit the message, wake a dispatcher, return. Only then tell the platform "received".

        None for what needs no answer: the bot's own messages and those it only overhears.
        Raises StoreUnavailable; then nothing was stored.
        """
        ...

    async def stop(self, turn: str) -> Turn | None:
        """Ask for a turn to be stopped, wherever it runs. None where unknown."""
        ...

    async def erase(self, conversation: ConversationKey) -> None:
        """Stop what runs, then delete everything of the conversation."""
        ...


class Core(Protocol):
    """What the core offers to a channel."""

    @property
    def inbox(self) -> Inbox: ...
    @property
    def store(self) -> Store: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def personas(self) -> Personas: ...
    @property
    def model(self) -> str:
        """What a person calls the model that answers."""
        ...

    @property
    def persona_schema(self) -> Mapping[str, object]:
        """The JSON Schema of persona files."""
        ...

    async def ready(self) -> Mapping[str, str | None]:
        """For each part (`database`, `bus`, `engine`): None where it answers, else what is wrong in one line."""
        ...


# ── plugins ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Plugin(Generic[S, P]):
    """A store, bus or engine behind an entry point. Nobody ever holds an unopened part."""

    settings: type[S]
    open: Callable[[S], AbstractAsyncContextManager[P]]


@dataclass(frozen=True, slots=True)
class ChannelPlugin(Generic[S]):
    """A channel behind an entry point of the group `parley.channels`."""

    settings: type[S]
    open: Callable[[S, Core], AbstractAsyncContextManager[Channel]]


AnyPlugin = Plugin[Any, Any] | ChannelPlugin[Any]
