"""Turns: begun, saved and finished under a claim; stopped and rated by anyone."""

from sqlalchemy import Connection, bindparam, func, insert, select, update

from bot.errors import UnknownTurn
from bot.types import Claim, ConversationKey, Delivery, Outcome, Rating, StoredMessage, Turn, TurnState, Work, new_id
from storage.sql.database import Database
from storage.sql.fence import fence
from storage.sql.models import conversations, messages, outbox, ratings, turns
from storage.sql.prepared import Prepared
from storage.sql.rows import MESSAGE, TURN, from_budget, from_sources, to_message, to_time, to_turn

_of_conversation = turns.c.conversation == bindparam("of_conversation")
_BEGIN = Prepared(
    update(turns)
    .where(
        turns.c.seq
        == select(turns.c.seq)
        .where(_of_conversation, turns.c.finished_at.is_(None))
        .order_by(turns.c.seq)
        .limit(1)
        .scalar_subquery()
    )
    .values(
        state=TurnState.RUNNING.value,
        attempt=turns.c.attempt + 1,
        epoch=bindparam("claimed"),
        started_at=func.coalesce(turns.c.started_at, bindparam("at")),
    )
    .returning(turns.c.seq, *TURN)
)
_QUESTION = Prepared(
    select(*MESSAGE)
    .where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq == bindparam("turn_seq"),
        messages.c.rank == 0,
    )
    .order_by(messages.c.seq)
)
# The turn begun is the oldest unfinished one, so all before it are finished; those without an answer are left out.
_HISTORY = Prepared(
    select(*MESSAGE)
    .join(turns, turns.c.seq == messages.c.turn_seq)
    .where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq < bindparam("turn_seq"),
        turns.c.text != "",
    )
    .order_by(messages.c.turn_seq.desc(), messages.c.rank.desc(), messages.c.seq.desc())
    .limit(bindparam("most"))
)
_SAVE = Prepared(
    update(turns)
    .where(turns.c.id == bindparam("turn"), _of_conversation, turns.c.state == TurnState.RUNNING.value)
    .values(text=bindparam("progress"))
    .returning(turns.c.seq)
)
_FINISH = Prepared(
    update(turns)
    .where(turns.c.id == bindparam("turn"), _of_conversation, turns.c.finished_at.is_(None))
    .values(
        {
            column: bindparam(f"new_{column.name}", type_=column.type)
            for column in (
                turns.c.state,
                turns.c.text,
                turns.c.persona_version,
                turns.c.message,
                turns.c.receipt,
                turns.c.finish_reason,
                turns.c.prompt_tokens,
                turns.c.new_tokens,
                turns.c.cached_tokens,
                turns.c.finished_at,
            )
        }
    )
    .returning(turns.c.seq)
)
_NEW_MESSAGE = Prepared(
    insert(messages), columns=("id", "conversation", "turn", "turn_seq", "rank", "role", "text", "sources", "at")
)
_NEW_DELIVERY = Prepared(insert(outbox), columns=("turn", "turn_seq", "conversation", "message", "state", "created_at"))
_with_locale = select(*TURN, conversations.c.locale).join(conversations, conversations.c.key == turns.c.conversation)
_ONE = Prepared(_with_locale.where(turns.c.id == bindparam("turn")))
_NEWEST_BEGUN = Prepared(
    _with_locale.where(_of_conversation, turns.c.state != TurnState.QUEUED.value).order_by(turns.c.seq.desc()).limit(1)
)
_OLDEST_QUEUED = Prepared(
    _with_locale.where(_of_conversation, turns.c.finished_at.is_(None)).order_by(turns.c.seq).limit(1)
)
_STOP = Prepared(
    update(turns).where(turns.c.id == bindparam("turn"), turns.c.finished_at.is_(None)).values(stop_requested=True)
)


class SqlTurns:
    def __init__(self, database: Database) -> None:
        self._database = database
        rating = database.insert(ratings)
        self._rate = Prepared(
            rating.on_conflict_do_update(
                index_elements=[ratings.c.turn],
                set_={name: rating.excluded[name] for name in ("rating", "comment", "at")},
            ),
            columns=("turn", "rating", "comment", "at"),
        )

    async def begin(self, claim: Claim, *, history: int) -> Work | None:
        def work(connection: Connection) -> Work | None:
            locale = fence(connection, claim).locale
            conversation = claim.conversation.encode()
            values = {"of_conversation": conversation, "claimed": claim.epoch, "at": self._database.now()}
            row = _BEGIN.first(connection, values)
            if row is None:
                return None
            place = {"conversation": conversation, "turn_seq": row.seq}
            past = _HISTORY(connection, place | {"most": history})
            return Work(
                turn=to_turn(row, locale=locale),
                question=tuple(map(to_message, _QUESTION(connection, place))),
                history=tuple(map(to_message, reversed(past))),
            )

        return await self._database.write(work, durable=False)

    async def save(self, claim: Claim, turn: str, *, text: str) -> None:
        """As in the port; raises UnknownTurn where the claimed conversation has no such running turn."""

        def work(connection: Connection) -> None:
            fence(connection, claim)
            values = {"turn": turn, "of_conversation": claim.conversation.encode(), "progress": text}
            if not _SAVE(connection, values):
                raise UnknownTurn(turn, hint="no such turn is running in the claimed conversation")

        await self._database.write(work, durable=False)

    async def finish(self, claim: Claim, turn: str, outcome: Outcome) -> Delivery:
        """As in the port; raises UnknownTurn where the claimed conversation has no such unfinished turn."""
        return await self._database.write(lambda connection: self._finish(connection, claim, turn, outcome))

    def _finish(self, connection: Connection, claim: Claim, turn: str, outcome: Outcome) -> Delivery:
        fence(connection, claim)
        now = self._database.now()
        conversation = claim.conversation.encode()
        message = new_id()
        finished = outcome.finished
        row = _FINISH.first(
            connection,
            {
                "turn": turn,
                "of_conversation": conversation,
                "new_state": outcome.state.value,
                "new_text": outcome.text,
                "new_persona_version": outcome.persona_version,
                "new_message": message,
                "new_receipt": from_budget(outcome.budget),
                "new_finish_reason": finished and finished.reason,
                "new_prompt_tokens": finished and finished.prompt_tokens,
                "new_new_tokens": finished and finished.new_tokens,
                "new_cached_tokens": finished and finished.cached_tokens,
                "new_finished_at": now,
            },
        )
        if row is None:
            raise UnknownTurn(turn, hint="no such turn is unfinished in the claimed conversation")
        _NEW_MESSAGE(
            connection,
            {
                "id": message,
                "conversation": conversation,
                "turn": turn,
                "turn_seq": row.seq,
                "rank": 1,
                "role": "assistant",
                "text": outcome.text,
                "sources": from_sources(outcome.sources),
                "at": now,
            },
        )
        _NEW_DELIVERY(
            connection,
            {
                "turn": turn,
                "turn_seq": row.seq,
                "conversation": conversation,
                "message": message,
                "state": outcome.state.value,
                "created_at": now,
            },
        )
        reply = StoredMessage(
            id=message, role="assistant", text=outcome.text, turn=turn, at=to_time(now), sources=outcome.sources
        )
        return Delivery(turn=turn, conversation=claim.conversation, state=outcome.state, message=reply)

    async def get(self, turn: str) -> Turn | None:
        return await self._database.read(lambda connection: _get(connection, turn))

    async def newest(self, key: ConversationKey) -> Turn | None:
        def work(connection: Connection) -> Turn | None:
            asked = {"of_conversation": key.encode()}
            row = _NEWEST_BEGUN.first(connection, asked) or _OLDEST_QUEUED.first(connection, asked)
            return None if row is None else to_turn(row, locale=row.locale)

        return await self._database.read(work)

    async def request_stop(self, turn: str) -> Turn | None:
        def work(connection: Connection) -> Turn | None:
            _STOP(connection, {"turn": turn})
            return _get(connection, turn)

        return await self._database.write(work)

    async def rate(self, turn: str, rating: Rating) -> bool:
        def work(connection: Connection) -> bool:
            if _get(connection, turn) is None:
                return False
            values = {"turn": turn, "rating": rating.rating, "comment": rating.comment, "at": self._database.now()}
            self._rate(connection, values)
            return True

        return await self._database.write(work)


def _get(connection: Connection, turn: str) -> Turn | None:
    row = _ONE.first(connection, {"turn": turn})
    return None if row is None else to_turn(row, locale=row.locale)
