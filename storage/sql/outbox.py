"""The outbox: finished replies until their channel has shown them."""

from sqlalchemy import Connection, and_, bindparam, func, select, update

from bot.types import Claim, Delivery
from storage.sql.database import Database
from storage.sql.fence import fence
from storage.sql.models import conversations, messages, outbox, turns
from storage.sql.prepared import Prepared
from storage.sql.rows import DELIVERY, to_delivery

_of_conversation = outbox.c.conversation == bindparam("of_conversation")
_unsent = and_(_of_conversation, outbox.c.sent_at.is_(None), outbox.c.failed_at.is_(None))
_this = and_(_unsent, outbox.c.turn == bindparam("delivered"))
_PENDING = Prepared(
    select(*DELIVERY)
    .join(messages, messages.c.id == outbox.c.message)
    .join(turns, turns.c.id == outbox.c.turn)
    .where(_unsent)
    .order_by(outbox.c.turn_seq)
)
_ATTEMPT = Prepared(update(outbox).where(_unsent).values(attempts=outbox.c.attempts + 1))
_SENT = Prepared(update(outbox).where(_this).values(sent_at=bindparam("at")))
_GIVE_UP = Prepared(update(outbox).where(_this).values(failed_at=bindparam("at"), error=bindparam("why")))
_oldest_turn = select(func.min(turns.c.created_at)).where(
    turns.c.conversation == bindparam("of_conversation"), turns.c.finished_at.is_(None)
)
_oldest_reply = select(func.min(outbox.c.created_at)).where(_unsent)
_WAIT_ON = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("of_conversation"))
    .values(waiting_since=func.coalesce(_oldest_reply.scalar_subquery(), _oldest_turn.scalar_subquery()))
    .returning(conversations.c.waiting_since)
)
_REST = Prepared(
    update(conversations).where(conversations.c.key == bindparam("of_conversation")).values(lease_until=0, holder=None)
)


class SqlOutbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def pending(self, claim: Claim) -> tuple[Delivery, ...]:
        """As in the port; raises LeaseLost, so that nobody delivers what another holder is delivering."""

        def work(connection: Connection) -> tuple[Delivery, ...]:
            fence(connection, claim)
            of = {"of_conversation": claim.conversation.encode()}
            deliveries = tuple(to_delivery(row, claim.conversation) for row in _PENDING(connection, of))
            if deliveries:
                _ATTEMPT(connection, of)
            return deliveries

        return await self._database.write(work)

    async def sent(self, claim: Claim, turn: str) -> bool:
        """As in the port; again for a delivered turn changes nothing."""

        def work(connection: Connection) -> bool:
            waits = self._settle(connection, claim, turn, _SENT)
            if not waits:
                _REST(connection, {"of_conversation": claim.conversation.encode()})
            return waits

        return await self._database.write(work, durable=False)

    async def give_up(self, claim: Claim, turn: str, *, error: str) -> None:
        await self._database.write(lambda connection: self._settle(connection, claim, turn, _GIVE_UP, why=error))

    def _settle(self, connection: Connection, claim: Claim, turn: str, statement: Prepared, **values: str) -> bool:
        """Whether the conversation still waits."""
        fence(connection, claim)
        of = {"of_conversation": claim.conversation.encode()}
        statement(connection, of | {"delivered": turn, "at": self._database.now(connection)} | values)
        return _WAIT_ON.first(connection, of).waiting_since is not None
