"""Claims: who may work on which conversation, and until when."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection, bindparam, select, update

from bot.types import Claim, ConversationKey
from storage.sql.database import Database
from storage.sql.fence import fence
from storage.sql.models import conversations

_LONGEST_WAITING = (
    select(conversations.c.key)
    .where(
        conversations.c.waiting_since.is_not(None),
        conversations.c.lease_until <= bindparam("at"),
        conversations.c.channel.in_(bindparam("channels", expanding=True)),
    )
    .order_by(conversations.c.waiting_since)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(conversations)
    .where(conversations.c.key == _LONGEST_WAITING.scalar_subquery())
    .values(epoch=conversations.c.epoch + 1, holder=bindparam("by"), lease_until=bindparam("until"))
    .returning(conversations.c.key, conversations.c.epoch)
)
_RENEW = (
    update(conversations).where(conversations.c.key == bindparam("conversation")).values(lease_until=bindparam("until"))
)
_RELEASE = (
    update(conversations)
    .where(
        conversations.c.key == bindparam("conversation"),
        conversations.c.epoch == bindparam("claimed"),
        conversations.c.holder == bindparam("by"),
    )
    .values(lease_until=0, holder=None)
)


class SqlClaims:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, holder: str, *, channels: Collection[str], lease: timedelta) -> Claim | None:
        def work(connection: Connection) -> Claim | None:
            now = self._database.now()
            wanted = {"by": holder, "channels": list(channels), "at": now, "until": now + lease.total_seconds()}
            row = connection.execute(_CLAIM, wanted).one_or_none()
            if row is None:
                return None
            return Claim(conversation=ConversationKey.decode(row.key), epoch=row.epoch, holder=holder)

        return await self._database.write(work, durable=False)

    async def renew(self, claim: Claim, *, lease: timedelta) -> None:
        def work(connection: Connection) -> None:
            fence(connection, claim)
            until = self._database.now() + lease.total_seconds()
            connection.execute(_RENEW, {"conversation": claim.conversation.encode(), "until": until})

        await self._database.write(work, durable=False)

    async def release(self, claim: Claim) -> None:
        mine = {"conversation": claim.conversation.encode(), "claimed": claim.epoch, "by": claim.holder}
        await self._database.write(lambda connection: connection.execute(_RELEASE, mine), durable=False)
