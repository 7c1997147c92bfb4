"""Intake: a message and its turn, committed once however often the platform delivers it."""

import secrets
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from bot.types import Accepted, ConversationKey, Inbound, TurnState, new_id
from storage.sql.database import Database
from storage.sql.models import conversations, inbox, messages, turns
from storage.sql.prepared import Prepared

_FIRST = Prepared(
    select(inbox.c.turn)
    .where(
        inbox.c.channel == bindparam("channel"),
        inbox.c.tenant == bindparam("tenant"),
        or_(inbox.c.event_id == bindparam("event_id"), inbox.c.message_id == bindparam("message_id")),
    )
    .order_by(inbox.c.at)
    .limit(1)
)
_QUEUED = Prepared(
    select(turns.c.id, turns.c.seq)
    .where(
        turns.c.conversation == bindparam("conversation"),
        turns.c.finished_at.is_(None),
        turns.c.state == TurnState.QUEUED.value,
    )
    .order_by(turns.c.seq.desc())
    .limit(bindparam("most"))
)
_NEW_TURN = Prepared(
    insert(turns).returning(turns.c.seq), columns=("id", "conversation", "persona", "state", "created_at")
)
_NEW_MESSAGE = Prepared(
    insert(messages),
    columns=("id", "conversation", "turn", "turn_seq", "rank", "role", "author", "text", "at"),
)
_JOIN = Prepared(
    update(inbox)
    .where(
        inbox.c.channel == bindparam("of_channel"),
        inbox.c.tenant == bindparam("of_tenant"),
        inbox.c.event_id == bindparam("of_event"),
    )
    .values(turn=bindparam("joined"))
)


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
        "epoch": secrets.randbits(32),
    }


class SqlIntake:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._remember = Prepared(
            database.insert(inbox).on_conflict_do_nothing().returning(inbox.c.turn),
            columns=("channel", "tenant", "event_id", "message_id", "turn", "at"),
        )
        new = database.insert(conversations)
        self._wait = Prepared(
            new.on_conflict_do_update(
                index_elements=[conversations.c.key],
                set_={"waiting_since": func.coalesce(conversations.c.waiting_since, new.excluded.waiting_since)},
            ).returning(conversations.c.persona),
            columns=("key", "channel", "tenant", "persona", "locale", "created_at", "epoch", "waiting_since"),
        )

    async def accept(self, inbound: Inbound, *, persona: str, max_waiting: int = 5) -> Accepted:
        return await self._database.write(
            lambda connection: self._accept(connection, inbound, persona=persona, max_waiting=max_waiting)
        )

    def _accept(self, connection: Connection, inbound: Inbound, *, persona: str, max_waiting: int) -> Accepted:
        key = inbound.conversation
        conversation = key.encode()
        now = self._database.now()
        turn = new_id()
        delivery = {
            "channel": key.channel,
            "tenant": key.tenant,
            "event_id": inbound.event_id,
            "message_id": inbound.message_id,
        }
        if not self._remember(connection, delivery | {"turn": turn, "at": now}):
            return Accepted(turn=_FIRST.first(connection, delivery).turn, duplicate=True)
        new = new_conversation(key, persona=persona, locale=inbound.locale, now=now)
        persona = self._wait.first(connection, new | {"waiting_since": now}).persona
        queued = _QUEUED(connection, {"conversation": conversation, "most": max_waiting})
        merged = bool(queued) and len(queued) == max_waiting
        if merged:
            turn, seq = queued[0]
            of = {"of_channel": key.channel, "of_tenant": key.tenant, "of_event": inbound.event_id}
            _JOIN(connection, of | {"joined": turn})
        else:
            values = {
                "id": turn,
                "conversation": conversation,
                "persona": persona,
                "state": TurnState.QUEUED.value,
                "created_at": now,
            }
            seq = _NEW_TURN.first(connection, values).seq
        _NEW_MESSAGE(
            connection,
            {
                "id": new_id(),
                "conversation": conversation,
                "turn": turn,
                "turn_seq": seq,
                "rank": 0,
                "role": "user",
                "author": inbound.author.name,
                "text": inbound.text,
                "at": inbound.received_at.timestamp(),
            },
        )
        return Accepted(turn=turn, merged=merged)
