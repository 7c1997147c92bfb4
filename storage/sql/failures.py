"""Turns set aside, and what brings them back."""

from sqlalchemy import Connection, bindparam, func, insert, select, update

from bot.types import ConversationKey, FailedTurn, TurnState, new_id
from storage.sql.database import Database
from storage.sql.models import conversations, messages, outbox, turns
from storage.sql.prepared import Prepared
from storage.sql.rows import to_time

_question = (
    select(func.coalesce(func.max(messages.c.text), ""))
    .where(messages.c.conversation == turns.c.conversation, messages.c.turn_seq == turns.c.seq, messages.c.rank == 0)
    .scalar_subquery()
    .label("question")
)
_FAILED = Prepared(
    select(turns.c.id, turns.c.conversation, turns.c.persona, turns.c.error, turns.c.finished_at.label("at"), _question)
    .where(turns.c.error.is_not(None), turns.c.finished_at.is_not(None))
    .order_by(turns.c.finished_at.desc())
    .limit(bindparam("most"))
)
_UNDELIVERED = Prepared(
    select(turns.c.id, turns.c.conversation, turns.c.persona, outbox.c.error, outbox.c.failed_at.label("at"), _question)
    .join(outbox, outbox.c.turn == turns.c.id)
    .where(outbox.c.failed_at.is_not(None))
    .order_by(outbox.c.failed_at.desc())
    .limit(bindparam("most"))
)
_RESEND = Prepared(
    update(outbox)
    .where(outbox.c.turn == bindparam("failed"), outbox.c.failed_at.is_not(None))
    .values(failed_at=None, error=None)
    .returning(outbox.c.conversation)
)
_RETAKE = Prepared(
    update(turns)
    .where(turns.c.id == bindparam("failed"), turns.c.error.is_not(None), turns.c.finished_at.is_not(None))
    .values(error=None)
    .returning(turns.c.seq, turns.c.conversation, turns.c.persona)
)
_ASK_AGAIN = Prepared(
    insert(turns).returning(turns.c.seq), columns=("id", "conversation", "persona", "state", "created_at")
)
_QUESTIONS = Prepared(
    select(messages.c.role, messages.c.author, messages.c.author_id, messages.c.text, messages.c.at)
    .where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq == bindparam("turn_seq"),
        messages.c.rank == 0,
    )
    .order_by(messages.c.seq)
)
_NEW_MESSAGE = Prepared(
    insert(messages),
    columns=("id", "conversation", "turn", "turn_seq", "rank", "role", "author", "author_id", "text", "at"),
)
_WAIT = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("conversation"))
    .values(waiting_since=func.coalesce(conversations.c.waiting_since, bindparam("at")))
)


class SqlFailures:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, *, limit: int = 100) -> tuple[FailedTurn, ...]:
        def work(connection: Connection) -> tuple[FailedTurn, ...]:
            found = [
                FailedTurn(
                    turn=row.id,
                    conversation=ConversationKey.decode(row.conversation),
                    persona=row.persona,
                    question=row.question,
                    error=row.error or "",
                    at=to_time(row.at),
                    undelivered=statement is _UNDELIVERED,
                )
                for statement in (_FAILED, _UNDELIVERED)
                for row in statement(connection, {"most": limit})
            ]
            return tuple(sorted(found, key=lambda failed: failed.at, reverse=True)[:limit])

        return await self._database.read(work)

    async def retry(self, turn: str) -> str | None:
        return await self._database.write(lambda connection: self._retry(connection, turn))

    def _retry(self, connection: Connection, turn: str) -> str | None:
        now = self._database.now(connection)
        unsent = _RESEND.first(connection, {"failed": turn})
        if unsent is not None:
            _WAIT(connection, {"conversation": unsent.conversation, "at": now})
            return turn
        failed = _RETAKE.first(connection, {"failed": turn})
        if failed is None:
            return None
        again = {
            "id": new_id(),
            "conversation": failed.conversation,
            "persona": failed.persona,
            "state": TurnState.QUEUED.value,
            "created_at": now,
        }
        _WAIT(connection, {"conversation": failed.conversation, "at": now})
        seq = _ASK_AGAIN.first(connection, again).seq
        for asked in _QUESTIONS(connection, {"conversation": failed.conversation, "turn_seq": failed.seq}):
            message = {"id": new_id(), "turn": again["id"], "turn_seq": seq, "rank": 0, **asked._asdict()}
            _NEW_MESSAGE(connection, message | {"conversation": failed.conversation})
        return str(again["id"])
