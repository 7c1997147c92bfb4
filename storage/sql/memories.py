"""What stays of a conversation beyond the messages that fit: summaries beside them, and facts."""

from collections.abc import Collection

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from bot.types import ConversationKey, Memory, StoredMessage, Summary, TurnState
from storage.sql.database import Database
from storage.sql.models import conversations, messages, summaries, turns
from storage.sql.prepared import Prepared
from storage.sql.recall import HEARD, recall
from storage.sql.rows import MESSAGE, to_message

_BEYOND = (1 << 63) - 1  # a place after every turn

_LOCK = Prepared(select(conversations.c.key).where(conversations.c.key == bindparam("conversation")).with_for_update())
_VERSION = Prepared(
    select(conversations.c.memory, conversations.c.since).where(conversations.c.key == bindparam("conversation"))
)
_OVERFLOWED = Prepared(
    select(conversations.c.key)
    .where(conversations.c.overflowed_at.is_not(None))
    .order_by(conversations.c.overflowed_at)
    .limit(bindparam("most"))
)
_covered = (
    select(func.coalesce(func.max(summaries.c.turn_seq), 0))
    .where(summaries.c.conversation == bindparam("conversation"))
    .scalar_subquery()
)
# The messages that a prompt would have, as in recall.
_UNCOVERED = Prepared(
    select(*MESSAGE)
    .join(turns, turns.c.seq == messages.c.turn_seq)
    .join(conversations, conversations.c.key == messages.c.conversation)
    .where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq > _covered,
        messages.c.turn_seq > conversations.c.since,
        messages.c.text != "",
        turns.c.finished_at.is_not(None),
        or_(
            messages.c.rank == HEARD,
            and_(
                or_(turns.c.text != "", turns.c.state == TurnState.STOPPED.value),
                turns.c.persona_version != "",
            ),
        ),
    )
    .order_by(messages.c.turn_seq, messages.c.rank, messages.c.seq)
    .limit(bindparam("most"))
)
_NEWEST = Prepared(
    select(summaries.c.turn)
    .join(conversations, conversations.c.key == summaries.c.conversation)
    .where(summaries.c.conversation == bindparam("conversation"), summaries.c.turn_seq > conversations.c.since)
    .order_by(summaries.c.turn_seq.desc())
    .limit(1)
)
_PLACE = Prepared(
    select(turns.c.seq).where(turns.c.id == bindparam("turn"), turns.c.conversation == bindparam("conversation"))
)
_NEW = Prepared(insert(summaries), columns=("turn", "turn_seq", "conversation", "text", "at"))
_REPLACED = Prepared(
    delete(summaries).where(
        and_(summaries.c.conversation == bindparam("conversation"), summaries.c.turn == bindparam("turn"))
    )
)
_KEPT = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("conversation"))
    .values(memory=conversations.c.memory + 1, overflowed_at=None)
)


class SqlMemories:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, key: ConversationKey, *, messages: int = 0) -> Memory | None:
        def work(connection: Connection) -> Memory | None:
            row = _VERSION.first(connection, {"conversation": key.encode()})
            if row is None:
                return None
            place = {"conversation": key.encode(), "turn_seq": _BEYOND, "since": row.since}
            return recall(connection, place, version=row.memory, newest=messages)

        return await self._database.read(work)

    async def overflowed(self, *, limit: int) -> tuple[ConversationKey, ...]:
        def work(connection: Connection) -> tuple[ConversationKey, ...]:
            return tuple(ConversationKey.decode(row.key) for row in _OVERFLOWED(connection, {"most": limit}))

        return await self._database.read(work)

    async def uncovered(self, key: ConversationKey, *, limit: int) -> tuple[StoredMessage, ...]:
        def work(connection: Connection) -> tuple[StoredMessage, ...]:
            return tuple(map(to_message, _UNCOVERED(connection, {"conversation": key.encode(), "most": limit})))

        return await self._database.read(work)

    async def summarise(
        self, key: ConversationKey, summary: Summary, *, of: Collection[str], after: Summary | None = None
    ) -> bool:
        def work(connection: Connection) -> bool:
            of_conversation = {"conversation": key.encode()}
            if not _LOCK(connection, of_conversation):
                return False
            place = _PLACE.first(connection, of_conversation | {"turn": summary.covers})
            newest = _NEWEST.first(connection, of_conversation)
            if place is None or (newest and newest.turn) != (after and after.covers) or not _all(connection, of):
                return False
            covers = of_conversation | {"turn": summary.covers}
            _REPLACED(connection, covers)
            _NEW(
                connection,
                covers | {"turn_seq": place.seq, "text": summary.text, "at": self._database.now(connection)},
            )
            _KEPT(connection, of_conversation)
            return True

        return await self._database.write(work)


def _all(connection: Connection, of: Collection[str]) -> bool:
    """Whether all these messages are still there."""
    held = connection.execute(select(func.count()).where(messages.c.id.in_(list(of)))).scalar_one()
    return int(held) == len(set(of))
