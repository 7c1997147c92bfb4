"""Small texts by their names."""

from sqlalchemy import Connection, delete, select

from storage.sql.database import Database
from storage.sql.models import vault


class SqlVault:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, name: str, text: str) -> None:
        def work(connection: Connection) -> None:
            held = {"text": text, "at": self._database.now(connection)}
            new = self._database.insert(vault).values(name=name, **held)
            connection.execute(new.on_conflict_do_update(index_elements=[vault.c.name], set_=held))

        await self._database.write(work)

    async def get(self, name: str) -> str | None:
        def work(connection: Connection) -> str | None:
            return connection.execute(select(vault.c.text).where(vault.c.name == name)).scalar_one_or_none()

        return await self._database.read(work)

    async def delete(self, name: str) -> None:
        await self._database.write(lambda connection: connection.execute(delete(vault).where(vault.c.name == name)))

    async def names(self, prefix: str) -> tuple[str, ...]:
        def work(connection: Connection) -> tuple[str, ...]:
            some = select(vault.c.name).where(vault.c.name.startswith(prefix, autoescape=True)).order_by(vault.c.name)
            return tuple(connection.execute(some).scalars())

        return await self._database.read(work)
