"""What the parts of the store ask of a database, whichever it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """Runs pieces of work, each whole or not at all.

    Work is a plain function of a connection: it runs off the event loop, may run together with other work in one
    transaction, may run again where the database asked for that, and must not keep the connection.
    """

    @property
    def is_server(self) -> bool:
        """Whether it may die while this process lives; what is not durable is lost then, though others saw it."""
        ...

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        """Return after the commit; with `durable` the commit is on disk, without it survives only the process.

        What `work` raises is raised here and nothing of it is stored. Raises StoreUnavailable.
        """
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that sees every write that has returned. Raises StoreUnavailable."""
        ...

    def insert(self, table: Any) -> Any:
        """The dialect's INSERT, which knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
        ...

    async def check(self) -> None:
        """Raises StoreUnavailable where the database does not answer or cannot be written."""
        ...

    async def scrub(self) -> None:
        """Let what was deleted leave the database's files too, as far as it can; not an error where it cannot now."""
        ...

    def files(self) -> tuple[Path, ...]:
        """The files of this machine that hold the data; some may not be there."""
        ...

    def now(self, connection: Connection) -> float:
        """Seconds since 1970, by the clock that leases are measured with."""
        ...
