"""Which persona answers in a room."""

from collections.abc import Mapping

from sqlalchemy import Connection, delete, select, update

from bot.types import ConversationKey
from storage.sql.database import Database
from storage.sql.models import conversations, rooms


class SqlRooms:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def bind(self, channel: str, tenant: str, room: str, persona: str | None) -> None:
        def work(connection: Connection) -> None:
            here = (rooms.c.channel == channel, rooms.c.tenant == tenant, rooms.c.room == room)
            if persona is None:
                connection.execute(delete(rooms).where(*here))
                return
            chosen = {"persona": persona, "at": self._database.now(connection)}
            new = self._database.insert(rooms).values(channel=channel, tenant=tenant, room=room, **chosen)
            connection.execute(new.on_conflict_do_update(index_elements=[*rooms.primary_key], set_=chosen))
            key = ConversationKey(channel=channel, tenant=tenant, room=room).encode()
            connection.execute(update(conversations).where(conversations.c.key == key).values(persona=persona))

        await self._database.write(work)

    async def bound(self, channel: str, tenant: str) -> Mapping[str, str]:
        def work(connection: Connection) -> Mapping[str, str]:
            chosen = select(rooms.c.room, rooms.c.persona).where(rooms.c.channel == channel, rooms.c.tenant == tenant)
            return {row.room: row.persona for row in connection.execute(chosen.order_by(rooms.c.room))}

        return await self._database.read(work)
