"""Messages that their authors change or take back, found by the platform's id."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from bot.types import ConversationKey, Retracted, TurnState
from storage.sql.erasing import drop
from storage.sql.models import conversations, messages, turns
from storage.sql.prepared import Prepared
from storage.sql.recall import HEARD

_FIND = Prepared(
    select(
        messages.c.seq,
        messages.c.conversation,
        messages.c.turn,
        messages.c.turn_seq,
        messages.c.rank,
    )
    .join(conversations, conversations.c.key == messages.c.conversation)
    .where(
        messages.c.platform_id == bindparam("platform_id"),
        conversations.c.channel == bindparam("channel"),
        conversations.c.tenant == bindparam("tenant"),
    )
    .limit(1)
)
_LOCK = Prepared(select(conversations.c.key).where(conversations.c.key == bindparam("conversation")).with_for_update())
_TURN = Prepared(
    select(turns.c.state, turns.c.prepared, turns.c.finished_at).where(turns.c.seq == bindparam("turn_seq"))
)
_TEXT = Prepared(update(messages).where(messages.c.seq == bindparam("message")).values(text=bindparam("new_text")))
_DELETE = Prepared(delete(messages).where(messages.c.seq == bindparam("message")))
_OTHERS = Prepared(
    select(func.count().label("number")).where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq == bindparam("turn_seq"),
        messages.c.rank == 0,
        messages.c.seq != bindparam("message"),
    )
)
_REMEMBER = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("conversation"))
    .values(memory=conversations.c.memory + 1)
)
_FENCE_OUT = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("conversation"))
    .values(epoch=conversations.c.epoch + 1, holder=None, lease_until=0)
)


def edit(connection: Connection, message: Mapping[str, str], *, text: str) -> bool:
    """Change a question that nobody answers yet; whether it was."""
    found = _locked(connection, message)
    if found is None or found.rank == HEARD:
        return False
    turn = _TURN.first(connection, {"turn_seq": found.turn_seq})
    if turn is None or turn.state != TurnState.QUEUED.value or turn.prepared is not None:
        return False
    _TEXT(connection, {"message": found.seq, "new_text": text})
    return True


def retract(connection: Connection, message: Mapping[str, str], *, now: float) -> Retracted | None:
    found = _locked(connection, message)
    if found is None:
        return None
    here = {"conversation": found.conversation}
    key = ConversationKey.decode(found.conversation)
    place = here | {"turn_seq": found.turn_seq, "message": found.seq}
    turn = _TURN.first(connection, {"turn_seq": found.turn_seq})
    waits_with_others = turn.state == TurnState.QUEUED.value and _OTHERS.first(connection, place).number
    if found.rank == HEARD or waits_with_others:
        _DELETE(connection, {"message": found.seq})
        _REMEMBER(connection, here)
        return Retracted(conversation=key)
    unfinished = turn.finished_at is None
    drop(connection, found.conversation, [found.turn_seq], now=now)
    if unfinished:
        _FENCE_OUT(connection, here)
    return Retracted(conversation=key, gone=True, cut=found.turn if unfinished else None)


def _locked(connection: Connection, message: Mapping[str, str]) -> Any:
    """The message with its conversation locked; None where there is no such message."""
    found = _FIND.first(connection, message)
    if found is None or not _LOCK(connection, {"conversation": found.conversation}):
        return None
    return _FIND.first(connection, message)
