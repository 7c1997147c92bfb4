"""What a second process may do while a Parley has the SQLite file open: read, and leave word about the model.

Two processes that write could damage the file's log; one that cannot write does not.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine, make_url
from sqlalchemy.dialects.sqlite import insert

from bot.errors import StoreInUse, StoreUnavailable
from bot.types import ModelChoice
from storage.sql.choices import SqlModels
from storage.sql.letters import Letter, Letters
from storage.sql.migrations import require
from storage.sql.settings import SqlSettings
from storage.sql.store import SqlStore
from storage.sql.writer import Worker

T = TypeVar("T")

_PATIENCE = 15.0  # seconds until a letter should have been taken up
_PAUSE = 0.1


class ReadOnlyDatabase:
    """The Database protocol for reading alone."""

    is_server = False

    def __init__(self, file: Path, reader: Worker) -> None:
        self._file = file
        self._reader = reader

    async def write(self, work: Callable[[Connection], T], *, durable: bool = True) -> T:
        raise StoreInUse(f"the database {str(self._file)!r} is in use by another Parley; stop it first")

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._reader.run(work, durable=False)

    def insert(self, table: Any) -> Any:
        return insert(table)

    async def check(self) -> None:
        await self.write(lambda _: None)

    async def scrub(self) -> None:
        return None

    def files(self) -> tuple[Path, ...]:
        return (self._file, self._file.with_name(self._file.name + "-wal"))

    def now(self, connection: Connection) -> float:
        return time.time()


class LeftModels(SqlModels):
    """The Models port by letters to the Parley that has the database."""

    def __init__(self, database: ReadOnlyDatabase, letters: Letters) -> None:
        super().__init__(database)
        self._left = letters

    async def use(self, model: str, *, note: str = "") -> ModelChoice:
        await self._deliver({"use": model, "note": note})
        chosen = await self.current()
        if chosen is None:
            raise StoreUnavailable(f"{model} was chosen and taken back at once")
        return chosen

    async def rollback(self) -> ModelChoice | None:
        before = await self.current()
        await self._deliver({"rollback": True})
        return next((one for one in await self.history() if before is not None and one.id == before.id), None)

    async def _deliver(self, letter: Letter) -> None:
        """Return once it was taken up."""
        try:
            path = self._left.leave(letter)
        except OSError as error:
            raise StoreUnavailable(f"no word can be left beside the database: {error.strerror}") from error
        try:
            async with asyncio.timeout(_PATIENCE):
                while path.exists():  # noqa: ASYNC110 - it goes in another process
                    await asyncio.sleep(_PAUSE)
        except TimeoutError:
            raise StoreUnavailable(
                "the Parley that has the database does not take it up: it stops, still loads a model, or was started "
                "with --model"
            ) from None
        finally:
            path.unlink(missing_ok=True)


@asynccontextmanager
async def open_beside(settings: SqlSettings) -> AsyncIterator[SqlStore]:
    """Read the SQLite file that another Parley has open. Raises StoreUnavailable."""
    file = Path(str(make_url(settings.url).database))

    def explain(error: sqlite3.Error) -> StoreUnavailable:
        return StoreUnavailable(f"the database {str(file)!r} cannot be read: {error}")

    async with Worker(lambda: _connect(file), begin="BEGIN", explain=explain) as reader:
        database = ReadOnlyDatabase(file, reader)
        await database.read(require)
        store = SqlStore(database)
        store.models = LeftModels(database, Letters(file))
        yield store


def _connect(file: Path) -> Connection:
    def connect() -> sqlite3.Connection:
        address = f"file:{quote(str(file.absolute()))}?mode=ro"
        return sqlite3.connect(address, uri=True, isolation_level=None, timeout=10, check_same_thread=False)

    return create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool, hide_parameters=True).connect()
