"""Turns: begun, saved and finished under a claim; stopped and rated by anyone."""

from typing import Any

from sqlalchemy import Connection, Double, bindparam, delete, func, insert, or_, select, update

from bot.errors import LeaseLost, UnknownTurn
from bot.types import (
    Claim,
    ConversationKey,
    Delivery,
    Memory,
    Outcome,
    Rating,
    StoredMessage,
    Turn,
    TurnState,
    Work,
    new_id,
)
from storage.sql.database import Database
from storage.sql.fence import fence
from storage.sql.models import conversations, facts, inbox, messages, outbox, ratings, turns
from storage.sql.prepared import Prepared
from storage.sql.recall import recall
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
    .returning(turns.c.seq, turns.c.prepared, *TURN)
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
_SAVE = Prepared(
    update(turns)
    .where(turns.c.id == bindparam("turn"), _of_conversation, turns.c.state == TurnState.RUNNING.value)
    .values(text=bindparam("progress"))
    .returning(turns.c.stop_requested)
)
_HAND_BACK = Prepared(
    update(turns)
    .where(turns.c.id == bindparam("turn"), _of_conversation, turns.c.state == TurnState.RUNNING.value)
    .values(state=TurnState.QUEUED.value, attempt=turns.c.attempt - 1)
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
                turns.c.error,
            )
        }
    )
    .returning(turns.c.seq, turns.c.attempt, turns.c.shown)
)
_PLACE = Prepared(
    update(turns)
    .where(
        turns.c.id == bindparam("turn"),
        turns.c.epoch == bindparam("claimed"),
        turns.c.attempt == bindparam("current"),
        turns.c.conversation
        == select(conversations.c.key)
        .where(conversations.c.key == bindparam("of_conversation"), conversations.c.epoch == bindparam("claimed"))
        .scalar_subquery(),
    )
    .values(shown=bindparam("at_place"))
    .returning(turns.c.seq)
)
_NEW_MESSAGE = Prepared(
    insert(messages), columns=("id", "conversation", "turn", "turn_seq", "rank", "role", "text", "sources", "at")
)
_NEW_DELIVERY = Prepared(insert(outbox), columns=("turn", "turn_seq", "conversation", "message", "state", "created_at"))
_REMEMBER = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("of_conversation"))
    .values(
        memory=conversations.c.memory + 1,
        active_at=bindparam("at"),
        overflowed_at=func.coalesce(conversations.c.overflowed_at, bindparam("overflowed", type_=Double)),
    )
    .returning(conversations.c.memory)
)
_FORGET_FACT = Prepared(
    delete(facts).where(facts.c.conversation == bindparam("of_conversation"), facts.c.name == bindparam("fact"))
)
_with_locale = select(*TURN, conversations.c.locale).join(conversations, conversations.c.key == turns.c.conversation)
_ONE = Prepared(_with_locale.where(turns.c.id == bindparam("turn")))
_ASKED = Prepared(
    select(inbox.c.event_id).where(inbox.c.turn == bindparam("turn")).order_by(inbox.c.at, inbox.c.event_id)
)
_KEEP = Prepared(select(turns.c.id).where(turns.c.id == bindparam("turn")).with_for_update(key_share=True))
_NEWEST_BEGUN = Prepared(
    _with_locale.where(_of_conversation, turns.c.state != TurnState.QUEUED.value).order_by(turns.c.seq.desc()).limit(1)
)
_OLDEST_QUEUED = Prepared(
    _with_locale.where(_of_conversation, turns.c.finished_at.is_(None)).order_by(turns.c.seq).limit(1)
)
_UNFINISHED = Prepared(
    select(turns.c.id)
    .join(conversations, conversations.c.key == turns.c.conversation)
    .where(
        conversations.c.waiting_since.is_not(None),
        turns.c.finished_at.is_(None),
        or_(
            conversations.c.key == bindparam("room"),
            conversations.c.key.like(bindparam("in_room"), escape="/"),
        ),
    )
    .order_by(turns.c.seq)
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
                set_={name: rating.excluded[name] for name in ("rating", "comment", "at", "may_train")},
            ),
            columns=("turn", "rating", "comment", "at", "may_train"),
        )
        fact = database.insert(facts)
        self._fact = Prepared(
            fact.on_conflict_do_update(
                index_elements=[facts.c.conversation, facts.c.name],
                set_={name: fact.excluded[name] for name in ("value", "turn", "at")},
            ),
            columns=("conversation", "name", "value", "turn", "at"),
        )

    async def begin(self, claim: Claim, *, history: int, kept: Memory | None = None) -> Work | None:
        def work(connection: Connection) -> Work | None:
            held = fence(connection, claim)
            conversation = claim.conversation.encode()
            values = {"of_conversation": conversation, "claimed": claim.epoch, "at": self._database.now(connection)}
            row = _BEGIN.first(connection, values)
            if row is None:
                return None
            place = {"conversation": conversation, "turn_seq": row.seq, "since": held.since}
            memory = kept if kept is not None and kept.version == held.memory else None
            return Work(
                turn=to_turn(row, locale=held.locale),
                question=tuple(map(to_message, _QUESTION(connection, place))),
                memory=memory or recall(connection, place, version=held.memory, newest=history),
                reply=_reply(row),
            )

        # What is shown of an attempt must not outlive its beginning: the next holder would show it once more.
        return await self._database.write(work, durable=self._database.is_server)

    async def place(self, turn: Turn, shown: str) -> None:
        key = turn.conversation.encode()
        values = {
            "turn": turn.id,
            "of_conversation": key,
            "claimed": turn.epoch,
            "current": turn.attempt,
            "at_place": shown,
        }
        if not await self._database.write(lambda connection: _PLACE(connection, values), durable=False):
            raise LeaseLost(key, turn.epoch)

    async def save(self, claim: Claim, turn: str, *, text: str) -> bool:
        """As in the port; raises UnknownTurn where the claimed conversation has no such running turn."""

        def work(connection: Connection) -> bool:
            fence(connection, claim)
            values = {"turn": turn, "of_conversation": claim.conversation.encode(), "progress": text}
            saved = _SAVE.first(connection, values)
            if saved is None:
                raise UnknownTurn(turn, hint="no such turn is running in the claimed conversation")
            return bool(saved.stop_requested)

        return await self._database.write(work, durable=False)

    async def hand_back(self, claim: Claim, turn: str) -> None:
        def work(connection: Connection) -> None:
            fence(connection, claim)
            _HAND_BACK(connection, {"turn": turn, "of_conversation": claim.conversation.encode()})

        await self._database.write(work, durable=False)

    async def finish(self, claim: Claim, turn: str, outcome: Outcome) -> Delivery:
        """As in the port; raises UnknownTurn where the claimed conversation has no such unfinished turn."""
        return await self._database.write(lambda connection: self._finish(connection, claim, turn, outcome))

    def _finish(self, connection: Connection, claim: Claim, turn: str, outcome: Outcome) -> Delivery:
        fence(connection, claim)
        now = self._database.now(connection)
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
                "new_error": outcome.error,
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
        return Delivery(
            turn=turn,
            conversation=claim.conversation,
            state=outcome.state,
            message=reply,
            tries=row.attempt,
            shown=row.shown,
            memory=self._remember(connection, conversation, turn, outcome, now),
        )

    def _remember(self, connection: Connection, conversation: str, turn: str, outcome: Outcome, now: float) -> int:
        """Keep the facts; the memory's new version."""
        for name, value in outcome.facts.items():
            if value:
                self._fact(
                    connection, {"conversation": conversation, "name": name, "value": value, "turn": turn, "at": now}
                )
            else:
                _FORGET_FACT(connection, {"of_conversation": conversation, "fact": name})
        changed = {"of_conversation": conversation, "at": now, "overflowed": now if outcome.overflowed else None}
        return int(_REMEMBER.first(connection, changed).memory)

    async def get(self, turn: str) -> Turn | None:
        return await self._database.read(lambda connection: _get(connection, turn))

    async def unfinished(self, channel: str, tenant: str, room: str) -> tuple[str, ...]:
        key = ConversationKey(channel=channel, tenant=tenant, room=room).encode()
        threads = key.replace("%", "/%").replace("_", "/_") + ":%"  # a key holds no slash
        asked = {"room": key, "in_room": threads}
        return await self._database.read(lambda connection: tuple(row.id for row in _UNFINISHED(connection, asked)))

    async def newest(self, key: ConversationKey) -> Turn | None:
        def work(connection: Connection) -> Turn | None:
            asked = {"of_conversation": key.encode()}
            row = _NEWEST_BEGUN.first(connection, asked) or _OLDEST_QUEUED.first(connection, asked)
            return None if row is None else to_turn(row, locale=row.locale)

        return await self._database.read(work)

    async def asked(self, turn: str) -> tuple[str, ...]:
        def work(connection: Connection) -> tuple[str, ...]:
            return tuple(row.event_id for row in _ASKED(connection, {"turn": turn}))

        return await self._database.read(work)

    async def request_stop(self, turn: str) -> Turn | None:
        def work(connection: Connection) -> Turn | None:
            _STOP(connection, {"turn": turn})
            return _get(connection, turn)

        return await self._database.write(work)

    async def rate(self, turn: str, rating: Rating) -> bool:
        def work(connection: Connection) -> bool:
            if _KEEP.first(connection, {"turn": turn}) is None:
                return False
            values = {
                "turn": turn,
                "rating": rating.rating,
                "comment": rating.comment,
                "at": self._database.now(connection),
                "may_train": rating.may_train,
            }
            self._rate(connection, values)
            return True

        return await self._database.write(work)


def _reply(row: Any) -> Outcome | None:
    if row.prepared is None:
        return None
    turned_away = row.prepared == TurnState.FAILED.value
    return Outcome(state=TurnState.FAILED if turned_away else TurnState.DONE, text=row.text, persona_version="")


def _get(connection: Connection, turn: str) -> Turn | None:
    row = _ONE.first(connection, {"turn": turn})
    return None if row is None else to_turn(row, locale=row.locale)
