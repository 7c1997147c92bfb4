"""Which model answers."""

import asyncio
import logging

from sqlalchemy import Connection, select, update

from bot.types import ModelChoice
from storage.sql.database import Database
from storage.sql.letters import Letters
from storage.sql.models import models
from storage.sql.rows import to_choice

_NEWEST = select(models).order_by(models.c.seq.desc())
_CURRENT = _NEWEST.where(models.c.undone_at.is_(None)).limit(1)


log = logging.getLogger(__name__)


class SqlModels:
    def __init__(self, database: Database, *, letters: Letters | None = None) -> None:
        """`letters` are taken up by `current`."""
        self._database = database
        self._letters = letters

    async def use(self, model: str, *, note: str = "") -> ModelChoice:
        def work(connection: Connection) -> ModelChoice:
            chosen = {"model": model, "note": note, "at": self._database.now(connection)}
            return to_choice(connection.execute(models.insert().values(chosen).returning(models)).one())

        return await self._database.write(work)

    async def rollback(self) -> ModelChoice | None:
        def work(connection: Connection) -> ModelChoice | None:
            row = connection.execute(_CURRENT).first()
            if row is None:
                return None
            undone = update(models).where(models.c.seq == row.seq).values(undone_at=self._database.now(connection))
            return to_choice(connection.execute(undone.returning(models)).one())

        return await self._database.write(work)

    async def current(self) -> ModelChoice | None:
        def work(connection: Connection) -> ModelChoice | None:
            row = connection.execute(_CURRENT).first()
            return None if row is None else to_choice(row)

        await self._take_up()
        return await self._database.read(work)

    async def history(self, *, limit: int = 100) -> tuple[ModelChoice, ...]:
        def work(connection: Connection) -> tuple[ModelChoice, ...]:
            return tuple(map(to_choice, connection.execute(_NEWEST.limit(limit))))

        return await self._database.read(work)

    async def _take_up(self) -> None:
        """Do what other processes of this machine left word to do."""
        for path, letter in await asyncio.to_thread(self._letters.waiting) if self._letters else ():
            match letter:
                case {"use": str(model), "note": str(note)}:
                    await self.use(model, note=note)
                case {"rollback": True}:
                    await self.rollback()
                case _:
                    log.warning("no word about a model: %s", path)
            await asyncio.to_thread(path.unlink, missing_ok=True)
