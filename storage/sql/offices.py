"""What only one replica does at a time: a row with a lease for each."""

from datetime import timedelta

from sqlalchemy import Connection, delete, or_

from storage.sql.database import Database
from storage.sql.models import offices


class SqlOffices:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def hold(self, name: str, *, holder: str, lease: timedelta) -> bool:
        def work(connection: Connection) -> bool:
            now = self._database.now(connection)
            held = {"holder": holder, "lease_until": now + lease.total_seconds()}
            new = self._database.insert(offices).values(name=name, **held)
            mine = new.on_conflict_do_update(
                index_elements=[offices.c.name],
                set_=held,
                where=or_(offices.c.holder == holder, offices.c.lease_until <= now),
            )
            return connection.execute(mine.returning(offices.c.name)).first() is not None

        return await self._database.write(work, durable=False)

    async def leave(self, name: str, *, holder: str) -> None:
        gone = delete(offices).where(offices.c.name == name, offices.c.holder == holder)
        await self._database.write(lambda connection: connection.execute(gone), durable=False)
