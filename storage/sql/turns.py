"""Turns: begun, saved and finished under a claim; stopped and rated by anyone."""

from sqlalchemy import Connection, bindparam, func, insert, select, update

from bot.errors import UnknownTurn
from bot.types import Claim, ConversationKey, Delivery, Outcome, Rating, StoredMessage, Turn, TurnState, Work, new_id
from storage.sql.database import Database
from storage.sql.fence import fence
from storage.sql.models import conversations, messages, outbox, ratings, turns
from storage.sql.rows import MESSAGE, TURN, from_budget, from_sources, to_message, to_time, to_turn

_of_conversation = turns.c.conversation == bindparam("of_conversation")
_BEGIN = (
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
_QUESTION = (
    select(*MESSAGE)
    .where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq == bindparam("turn_seq"),
        messages.c.rank == 0,
    )
    .order_by(messages.c.seq)
)
# The turn begun is the oldest unfinished one, so all before it are finished; those without an answer are left out.
_HISTORY = (
    select(*MESSAGE)
    .join(turns, turns.c.seq == messages.c.turn_seq)
    .where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq < bindparam("turn_seq"),
        turns.c.text != "",
    )
    .order_by(messages.c.turn_seq.desc(), messages.c.rank.desc(), messages.c.seq.desc())
    .limit(bindparam("limit"))
)
_SAVE = (
    update(turns)
    .where(turns.c.id == bindparam("turn"), _of_conversation, turns.c.state == TurnState.RUNNING.value)
    .values(text=bindparam("progress"))
    .returning(turns.c.seq)
)
_FINISH = (
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
_NEW_MESSAGE = insert(messages)
_NEW_DELIVERY = insert(outbox)
_WITH_LOCALE = select(*TURN, conversations.c.locale).join(conversations, conversations.c.key == turns.c.conversation)
_ONE = _WITH_LOCALE.where(turns.c.id == bindparam("turn"))
_NEWEST_BEGUN = (
    _WITH_LOCALE.where(_of_conversation, turns.c.state != TurnState.QUEUED.value).order_by(turns.c.seq.desc()).limit(1)
)
_OLDEST_QUEUED = _WITH_LOCALE.where(_of_conversation, turns.c.finished_at.is_(None)).order_by(turns.c.seq).limit(1)
_STOP = update(turns).where(turns.c.id == bindparam("turn"), turns.c.finished_at.is_(None)).values(stop_requested=True)


class SqlTurns:
    def __init__(self, database: Database) -> None:
        self._database = database
        rating = database.insert(ratings)
        self._rate = rating.on_conflict_do_update(
            index_elements=[ratings.c.turn],
            set_={name: rating.excluded[name] for name in ("rating", "comment", "at")},
        )

    async def begin(self, claim: Claim, *, history: int) -> Work | None:
        def work(connection: Connection) -> Work | None:
            locale = fence(connection, claim).locale
            conversation = claim.conversation.encode()
            row = connection.execute(
                _BEGIN, {"of_conversation": conversation, "claimed": claim.epoch, "at": self._database.now()}
            ).one_or_none()
            if row is None:
                return None
            place = {"conversation": conversation, "turn_seq": row.seq}
            past = connection.execute(_HISTORY, place | {"limit": history}).all()
            return Work(
                turn=to_turn(row, locale=locale),
                question=tuple(map(to_message, connection.execute(_QUESTION, place))),
                history=tuple(map(to_message, reversed(past))),
            )

        return await self._database.write(work, durable=False)

    async def save(self, claim: Claim, turn: str, *, text: str) -> None:
        """As in the port; raises UnknownTurn where the claimed conversation has no such running turn."""

        def work(connection: Connection) -> None:
            fence(connection, claim)
            values = {"turn": turn, "of_conversation": claim.conversation.encode(), "progress": text}
            if connection.execute(_SAVE, values).one_or_none() is None:
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
        seq = connection.execute(
            _FINISH,
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
        ).scalar_one_or_none()
        if seq is None:
            raise UnknownTurn(turn, hint="no such turn is unfinished in the claimed conversation")
        connection.execute(
            _NEW_MESSAGE,
            {
                "id": message,
                "conversation": conversation,
                "turn": turn,
                "turn_seq": seq,
                "rank": 1,
                "role": "assistant",
                "text": outcome.text,
                "sources": from_sources(outcome.sources),
                "at": now,
            },
        )
        connection.execute(
            _NEW_DELIVERY,
            {
                "turn": turn,
                "turn_seq": seq,
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
            row = connection.execute(_NEWEST_BEGUN, asked).one_or_none()
            if row is None:
                row = connection.execute(_OLDEST_QUEUED, asked).one_or_none()
            return row and to_turn(row, locale=row.locale)

        return await self._database.read(work)

    async def request_stop(self, turn: str) -> Turn | None:
        def work(connection: Connection) -> Turn | None:
            connection.execute(_STOP, {"turn": turn})
            return _get(connection, turn)

        return await self._database.write(work)

    async def rate(self, turn: str, rating: Rating) -> bool:
        def work(connection: Connection) -> bool:
            if _get(connection, turn) is None:
                return False
            values = {"turn": turn, "rating": rating.rating, "comment": rating.comment, "at": self._database.now()}
            connection.execute(self._rate, values)
            return True

        return await self._database.write(work)


def _get(connection: Connection, turn: str) -> Turn | None:
    row = connection.execute(_ONE, {"turn": turn}).one_or_none()
    return row and to_turn(row, locale=row.locale)
