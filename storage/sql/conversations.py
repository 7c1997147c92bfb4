"""Conversations and their messages."""

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from bot.types import Conversation, ConversationKey, StoredMessage
from storage.sql.database import Database
from storage.sql.intake import new_conversation
from storage.sql.models import conversations, messages
from storage.sql.rows import CONVERSATION, MESSAGE, to_conversation, to_message

_ONE = select(*CONVERSATION).where(conversations.c.key == bindparam("conversation"))
_PLACE = (messages.c.turn_seq, messages.c.rank, messages.c.seq)
_NEWEST = (
    select(*MESSAGE)
    .where(messages.c.conversation == bindparam("conversation"))
    .order_by(*(column.desc() for column in _PLACE))
    .limit(bindparam("limit"))
)
_OLDER = _NEWEST.where(tuple_(*_PLACE) < tuple_(bindparam("turn_seq"), bindparam("rank"), bindparam("seq")))
_WHERE = select(*_PLACE).where(
    messages.c.conversation == bindparam("conversation"), messages.c.id == bindparam("before")
)
_ERASE = delete(conversations).where(conversations.c.key == bindparam("conversation"))


class SqlConversations:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._create = database.insert(conversations).on_conflict_do_nothing()

    async def open(
        self,
        key: ConversationKey,
        *,
        persona: str,
        locale: str | None = None,
        secret_hash: str | None = None,
        visitor: str | None = None,
    ) -> Conversation:
        values = new_conversation(key, persona=persona, locale=locale, now=self._database.now())
        values |= {"secret_hash": secret_hash, "visitor": visitor}

        def work(connection: Connection) -> Conversation:
            connection.execute(self._create, values)
            return to_conversation(connection.execute(_ONE, {"conversation": key.encode()}).one())

        return await self._database.write(work)

    async def get(self, key: ConversationKey) -> Conversation | None:
        def work(connection: Connection) -> Conversation | None:
            row = connection.execute(_ONE, {"conversation": key.encode()}).one_or_none()
            return row and to_conversation(row)

        return await self._database.read(work)

    async def messages(
        self, key: ConversationKey, *, before: str | None = None, limit: int = 50
    ) -> tuple[StoredMessage, ...]:
        """As in the port; a `before` that the conversation does not hold gives no messages."""

        def work(connection: Connection) -> tuple[StoredMessage, ...]:
            asked = {"conversation": key.encode(), "limit": limit}
            if before is None:
                rows = connection.execute(_NEWEST, asked).all()
            else:
                place = connection.execute(_WHERE, {"conversation": key.encode(), "before": before}).one_or_none()
                if place is None:
                    return ()
                rows = connection.execute(_OLDER, asked | place._asdict()).all()
            return tuple(map(to_message, reversed(rows)))

        return await self._database.read(work)

    async def erase(self, key: ConversationKey) -> None:
        await self._database.write(lambda connection: connection.execute(_ERASE, {"conversation": key.encode()}))
