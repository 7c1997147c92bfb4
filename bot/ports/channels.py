"""Where people write, and what the core offers to such a place."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol, runtime_checkable

from bot.ports.answers import Personas
from bot.ports.engine import Engine
from bot.ports.shared import Bus
from bot.ports.store import Store
from bot.types import Accepted, ConversationKey, Delivery, Inbound, Person, Turn

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


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
        """Make the finished reply visible. Called again after a crash: idempotent per `delivery.turn`.

        From the second `delivery.attempt` on, and wherever an earlier attempt of the turn began to show something, the
        platform may have seen it without an answer coming back: look before showing it again. Raises ChannelBusy,
        which says when to try again, ChannelGone where it can never be shown; after any other error it is tried again
        soon. The order of turns is kept.
        """
        ...


@runtime_checkable
class HasRoutes(Protocol):
    """A channel that is called over HTTP. A channel that serves HTTP mounts it there."""

    @property
    def routes(self) -> Mapping[str, Asgi]:
        """ASGI applications by the beginning of their paths, for example `/slack`. They guard themselves."""
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

        None for what needs no answer: the bot's own messages and those it only overhears. Over a limit, or where
        too much waits, the message is stored with its answer: a word about that (`Accepted.shed`).
        Raises StoreUnavailable; then nothing was stored.
        """
        ...

    async def stop(self, turn: str) -> Turn | None:
        """Ask for a turn to be stopped, wherever it runs. None where unknown."""
        ...

    async def rate(self, turn: str, rating: Literal["up", "down"], *, comment: str | None = None) -> bool:
        """Keep what a person thinks of a reply, in place of what they said before, and whether they had been told that
        it may train the model. False where the turn is unknown."""
        ...

    async def edit(self, inbound: Inbound) -> Accepted | None:
        """The author changed the message `message_id` to this. Before its answer began, the question is changed;
        later it is asked again where the persona answers edits. None where nothing more comes of it."""
        ...

    async def retract(self, channel: str, tenant: str, message_id: str) -> None:
        """The author deleted a message: it is forgotten with its answer, whose writing stops."""
        ...

    async def erase(self, whom: ConversationKey | Person) -> None:
        """Stop what runs, then delete everything of the conversation or the person."""
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
    def channels(self) -> Mapping[str, Channel]:
        """The channels that are served, as far as they are open yet."""
        ...

    @property
    def engine(self) -> Engine: ...
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


@runtime_checkable
class CountsTokens(Protocol):
    """A core that tells what its answers cost."""

    @property
    def tokens(self) -> Mapping[str, int]:
        """Of all finished answers since the start: `prompt` tokens, `cached` among them, and `new` ones."""
        ...
