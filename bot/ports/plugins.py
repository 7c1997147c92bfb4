"""Parts behind entry points."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from bot.ports.channels import Channel, Core
from bot.ports.engine import Engine, EngineServer, FleetServer, OpenEngine
from bot.ports.store import Store

S = TypeVar("S")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Plugin(Generic[S, P]):
    """A store, bus or engine behind an entry point. Nobody ever holds an unopened part."""

    settings: type[S]
    open: Callable[[S], AbstractAsyncContextManager[P]]


class Migrations(Protocol):
    """The revisions of a store's tables, for those who change them by hand. All raise StoreUnavailable."""

    async def current(self) -> str | None:
        """The revision the database is at; None where it is empty."""
        ...

    async def upgrade(self, revision: str) -> None:
        """`head` is the newest."""
        ...

    async def lost(self, revision: str) -> tuple[str, ...]:
        """What going back to `revision` would delete, a phrase for each revision undone; empty where nothing."""
        ...

    async def downgrade(self, revision: str) -> None:
        """`base` deletes every table."""
        ...


@dataclass(frozen=True, slots=True)
class StorePlugin(Plugin[S, Store]):
    """A store whose tables have revisions.

    `beside` opens it where `open` raises StoreInUse: it reads alone, and hands choices of a model to the Parley that
    has it open. Everything else that writes raises StoreInUse.
    """

    migrations: Callable[[S], Migrations]
    beside: Callable[[S], AbstractAsyncContextManager[Store]]


@dataclass(frozen=True, slots=True)
class ChannelPlugin(Generic[S]):
    """A channel behind an entry point of the group `parley.channels`.

    `papers` are texts for whoever sets it up, by name, made from the settings: an app's manifest, an invitation.
    They raise ConfigError where a setting that they need is missing.
    """

    settings: type[S]
    open: Callable[[S, Core], AbstractAsyncContextManager[Channel]]
    papers: Mapping[str, Callable[[S], str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerPlugin(Generic[S]):
    """A protocol to offer an engine over, behind an entry point of the group `parley.servers`."""

    settings: type[S]
    open: Callable[[S, Engine], AbstractAsyncContextManager[EngineServer]]


@dataclass(frozen=True, slots=True)
class FleetPlugin(Generic[S]):
    """Offers engines that it opens itself, each in a process of its own, perhaps on another machine; of the group
    `parley.servers` too. Settings and opener travel there, so both can be pickled.

    `deployment` is the same in the form that the fleet's own tools take.
    """

    settings: type[S]
    open: Callable[[S, OpenEngine], AbstractAsyncContextManager[FleetServer]]
    deployment: Callable[[S, OpenEngine], Any]


AnyPlugin = Plugin[Any, Any] | ChannelPlugin[Any] | ServerPlugin[Any] | FleetPlugin[Any]
