"""Claims: who may work on which conversation, and until when."""

from collections.abc import Collection
from datetime import timedelta
from functools import cache

from sqlalchemy import Connection, bindparam, exists, select, update

from bot.types import Claim, ConversationKey
from storage.sql.database import Database
from storage.sql.fence import fence
from storage.sql.models import conversations, outbox, turns
from storage.sql.prepared import Prepared

_RENEW = Prepared(
    update(conversations).where(conversations.c.key == bindparam("conversation")).values(lease_until=bindparam("until"))
)
_RELEASE = Prepared(
    update(conversations)
    .where(
        conversations.c.key == bindparam("conversation"),
        conversations.c.epoch == bindparam("claimed"),
        conversations.c.holder == bindparam("by"),
    )
    .values(lease_until=bindparam("until"), holder=None)
)


_unsent = exists().where(
    outbox.c.conversation == conversations.c.key, outbox.c.sent_at.is_(None), outbox.c.failed_at.is_(None)
)
_unfinished = exists().where(turns.c.conversation == conversations.c.key, turns.c.finished_at.is_(None))
_prepared = select(turns.c.conversation).where(turns.c.finished_at.is_(None), turns.c.prepared.is_not(None))


@cache
def _claim(channels: int, *, ready: bool) -> Prepared:
    """The statement for so many channels, with parameters `channel_0` and on."""
    longest_waiting = (
        select(conversations.c.key)
        .where(
            conversations.c.waiting_since.is_not(None),
            conversations.c.lease_until <= bindparam("at"),
            conversations.c.channel.in_([bindparam(f"channel_{number}") for number in range(channels)]),
        )
        .order_by(conversations.c.waiting_since)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if ready:
        longest_waiting = longest_waiting.where(
            conversations.c.key.in_(_prepared), ~_unfinished.where(turns.c.prepared.is_(None))
        )
    return Prepared(
        update(conversations)
        .where(conversations.c.key == longest_waiting.scalar_subquery())
        .values(epoch=conversations.c.epoch + 1, holder=bindparam("by"), lease_until=bindparam("until"))
        .returning(conversations.c.key, conversations.c.epoch, _unsent.label("undelivered"))
    )


class SqlClaims:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, holder: str, *, channels: Collection[str], lease: timedelta, ready: bool = False
    ) -> Claim | None:
        if not channels:
            return None

        def work(connection: Connection) -> Claim | None:
            now = self._database.now(connection)
            wanted = {f"channel_{number}": channel for number, channel in enumerate(channels)}
            mine = {"by": holder, "at": now, "until": now + lease.total_seconds()}
            row = _claim(len(channels), ready=ready).first(connection, wanted | mine)
            if row is None:
                return None
            return Claim(
                conversation=ConversationKey.decode(row.key),
                epoch=row.epoch,
                holder=holder,
                undelivered=bool(row.undelivered),
            )

        return await self._database.write(work, durable=False)

    async def renew(self, claim: Claim, *, lease: timedelta) -> None:
        def work(connection: Connection) -> None:
            fence(connection, claim)
            until = self._database.now(connection) + lease.total_seconds()
            _RENEW(connection, {"conversation": claim.conversation.encode(), "until": until})

        await self._database.write(work, durable=False)

    async def release(self, claim: Claim, *, rest: timedelta = timedelta()) -> None:
        def work(connection: Connection) -> None:
            until = self._database.now(connection) + rest.total_seconds() if rest else 0
            mine = {"conversation": claim.conversation.encode(), "claimed": claim.epoch, "by": claim.holder}
            _RELEASE(connection, mine | {"until": until})

        await self._database.write(work, durable=False)
