"""The outbox: finished replies until their channel has shown them."""

from sqlalchemy import Connection, bindparam, func, select, update

from bot.types import Claim, Delivery
from storage.sql.database import Database
from storage.sql.fence import fence
from storage.sql.models import conversations, messages, outbox, turns
from storage.sql.prepared import Prepared
from storage.sql.rows import DELIVERY, to_delivery

_of_conversation = outbox.c.conversation == bindparam("of_conversation")
_PENDING = Prepared(
    select(*DELIVERY)
    .join(messages, messages.c.id == outbox.c.message)
    .where(_of_conversation, outbox.c.sent_at.is_(None))
    .order_by(outbox.c.turn_seq)
)
_SENT = Prepared(
    update(outbox)
    .where(outbox.c.turn == bindparam("delivered"), _of_conversation, outbox.c.sent_at.is_(None))
    .values(sent_at=bindparam("at"))
)
_oldest_turn = select(func.min(turns.c.created_at)).where(
    turns.c.conversation == bindparam("of_conversation"), turns.c.finished_at.is_(None)
)
_oldest_reply = select(func.min(outbox.c.created_at)).where(_of_conversation, outbox.c.sent_at.is_(None))
_WAIT_ON = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("of_conversation"))
    .values(waiting_since=func.coalesce(_oldest_reply.scalar_subquery(), _oldest_turn.scalar_subquery()))
)


class SqlOutbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, claim: Claim) -> tuple[Delivery, ...]:
        """As in the port; raises LeaseLost, so that nobody delivers what another holder is delivering."""

        def work(connection: Connection) -> tuple[Delivery, ...]:
            fence(connection, claim)
            rows = _PENDING(connection, {"of_conversation": claim.conversation.encode()})
            return tuple(to_delivery(row, claim.conversation) for row in rows)

        return await self._database.read(work)

    async def sent(self, claim: Claim, turn: str) -> None:
        """As in the port; again for a delivered turn changes nothing."""

        def work(connection: Connection) -> None:
            fence(connection, claim)
            of = {"of_conversation": claim.conversation.encode()}
            _SENT(connection, of | {"delivered": turn, "at": self._database.now()})
            _WAIT_ON(connection, of)

        await self._database.write(work, durable=False)
