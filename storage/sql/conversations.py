"""Conversations and their messages."""

import secrets
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from bot.types import Conversation, ConversationKey, StoredMessage
from storage.sql.database import Database
from storage.sql.models import conversations, messages
from storage.sql.prepared import Prepared
from storage.sql.rows import CONVERSATION, MESSAGE, to_conversation, to_message

_of_conversation = messages.c.conversation == bindparam("conversation")
_PLACE = (messages.c.turn_seq, messages.c.rank, messages.c.seq)
_newest = (
    select(*MESSAGE).where(_of_conversation).order_by(*(column.desc() for column in _PLACE)).limit(bindparam("most"))
)
_NEWEST = Prepared(_newest)
_OLDER = Prepared(_newest.where(tuple_(*_PLACE) < tuple_(bindparam("turn_seq"), bindparam("rank"), bindparam("seq"))))
_PLACE_OF = Prepared(select(*_PLACE).where(_of_conversation, messages.c.id == bindparam("message")))
_ONE = Prepared(select(*CONVERSATION).where(conversations.c.key == bindparam("conversation")))
_ERASE = Prepared(delete(conversations).where(conversations.c.key == bindparam("conversation")))


def new_conversation(key: ConversationKey, *, persona: str, locale: str | None, now: float) -> dict[str, Any]:
    """The row of a new conversation. Its epoch starts at random, so that no claim on an erased conversation of
    the same key ever fits again."""
    return {
        "key": key.encode(),
        "channel": key.channel,
        "tenant": key.tenant,
        "persona": persona,
        "locale": locale,
        "created_at": now,
        "active_at": now,
        "epoch": secrets.randbits(32),
    }


class SqlConversations:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._create = Prepared(
            database.insert(conversations).on_conflict_do_nothing(),
            columns=(
                "key",
                "channel",
                "tenant",
                "persona",
                "locale",
                "secret_hash",
                "visitor",
                "created_at",
                "active_at",
                "epoch",
            ),
        )

    async def open(
        self,
        key: ConversationKey,
        *,
        persona: str,
        locale: str | None = None,
        secret_hash: str | None = None,
        visitor: str | None = None,
    ) -> Conversation:
        def work(connection: Connection) -> Conversation:
            values = new_conversation(key, persona=persona, locale=locale, now=self._database.now(connection))
            self._create(connection, values | {"secret_hash": secret_hash, "visitor": visitor})
            return to_conversation(_ONE.first(connection, {"conversation": key.encode()}))

        return await self._database.write(work)

    async def get(self, key: ConversationKey) -> Conversation | None:
        def work(connection: Connection) -> Conversation | None:
            row = _ONE.first(connection, {"conversation": key.encode()})
            return None if row is None else to_conversation(row)

        return await self._database.read(work)

    async def messages(
        self, key: ConversationKey, *, before: str | None = None, limit: int = 50
    ) -> tuple[StoredMessage, ...]:
        """As in the port; a `before` that the conversation does not hold gives no messages."""

        def work(connection: Connection) -> tuple[StoredMessage, ...]:
            asked = {"conversation": key.encode(), "most": limit}
            if before is None:
                rows = _NEWEST(connection, asked)
            else:
                place = _PLACE_OF.first(connection, {"conversation": key.encode(), "message": before})
                rows = () if place is None else _OLDER(connection, asked | place._asdict())
            return tuple(map(to_message, reversed(rows)))

        return await self._database.read(work)

    async def erase(self, key: ConversationKey) -> None:
        await self._database.write(lambda connection: _ERASE(connection, {"conversation": key.encode()}))
