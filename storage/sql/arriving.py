"""A message that is here for the first time, within its transaction: it gets a turn, joins one, or is settled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from bot.types import Accepted, Bounds, Change, Heard, Inbound, Overlap, TurnState, new_id
from storage.sql.models import conversations, inbox, messages, turns
from storage.sql.prepared import Prepared
from storage.sql.recall import HEARD

_queued = (
    select(turns.c.id, turns.c.seq)
    .where(
        turns.c.conversation == bindparam("conversation"),
        turns.c.finished_at.is_(None),
        turns.c.state == TurnState.QUEUED.value,
    )
    .order_by(turns.c.seq.desc())
    .limit(bindparam("most"))
)
_QUEUED = Prepared(_queued.where(turns.c.prepared.is_(None)))
_TURNED_AWAY = Prepared(_queued.where(turns.c.prepared == TurnState.FAILED.value))
_QUESTIONS = Prepared(
    select(func.count().label("number")).where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq == bindparam("turn_seq"),
        messages.c.rank == 0,
    )
)
_OTHERS_WAIT = Prepared(  # for an answer, so many
    select(turns.c.conversation)
    .where(turns.c.prepared.is_(None), turns.c.finished_at.is_(None), turns.c.conversation != bindparam("conversation"))
    .group_by(turns.c.conversation)
    .order_by(turns.c.conversation)
    .limit(1)
    .offset(bindparam("others"))
)
_INTERRUPT = Prepared(
    update(turns)
    .where(
        turns.c.conversation == bindparam("of_conversation"),
        turns.c.finished_at.is_(None),
        turns.c.state == TurnState.RUNNING.value,
    )
    .values(stop_requested=True)
    .returning(turns.c.id)
)
_NEW_TURN = Prepared(
    insert(turns).returning(turns.c.seq),
    columns=("id", "conversation", "persona", "state", "created_at", "text", "prepared"),
)
_NEW_MESSAGE = Prepared(
    insert(messages),
    columns=(
        *("id", "conversation", "turn", "turn_seq", "rank", "role"),
        *("author", "author_id", "platform_id", "text", "at"),
    ),
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
_FORGET = tuple(
    Prepared(delete(table).where(table.c.conversation == bindparam("conversation"))) for table in (messages, turns)
)
_EMPTY = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("conversation"))
    .values(
        epoch=conversations.c.epoch + 1,
        memory=conversations.c.memory + 1,
        holder=None,
        lease_until=0,
        overflowed_at=None,
        waiting_since=bindparam("at"),
    )
)
_newest_turn = select(func.coalesce(func.max(turns.c.seq), 0)).where(turns.c.conversation == bindparam("conversation"))
_ANEW = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("conversation"))
    .values(memory=conversations.c.memory + 1, overflowed_at=None, since=_newest_turn.scalar_subquery())
)
_REMEMBER = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("conversation"))
    .values(memory=conversations.c.memory + 1)
)
_ANSWERED_BY = Prepared(
    update(conversations)
    .where(conversations.c.key == bindparam("conversation"))
    .values(persona=bindparam("persona_of_it"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """`persona` is the conversation's, which is `new` or was there before."""

    connection: Connection
    inbound: Inbound
    persona: str
    turn: str
    now: float
    new: bool

    @property
    def conversation(self) -> str:
        return self.inbound.conversation.encode()

    def queue(self, overlap: Callable[[str], Overlap], bounds: Bounds, busy: str) -> Accepted:
        how = overlap(self.persona)
        queued = self._queued(_QUEUED, most=bounds.waiting)
        if queued and (how != "queue" or len(queued) == bounds.waiting):
            newest = queued[0]
            place = {"conversation": self.conversation, "turn_seq": newest.seq}
            if _QUESTIONS.first(self.connection, place).number >= bounds.joined:
                return self.settle(busy, TurnState.FAILED)
            self._join(newest)
            return Accepted(turn=newest.id, merged=True, interrupts=self._interrupt(how))
        others = {"conversation": self.conversation, "others": bounds.backlog - 1}
        if not queued and _OTHERS_WAIT(self.connection, others):
            return self.settle(busy, TurnState.FAILED)
        self._begin(text="", prepared=None)
        return Accepted(turn=self.turn, interrupts=self._interrupt(how))

    def settle(self, reply: str, state: TurnState) -> Accepted:
        shed = state is TurnState.FAILED
        if shed and (waiting := self._queued(_TURNED_AWAY, most=1)):
            self._join(waiting[0])
            return Accepted(turn=waiting[0].id, merged=True, shed=True)
        self._begin(text=reply, prepared=state.value)
        return Accepted(turn=self.turn, shed=shed)

    def change(self, change: Change) -> None:
        here = {"conversation": self.conversation}
        if change.forget:
            for delete_all in _FORGET:
                delete_all(self.connection, here)
            _EMPTY(self.connection, here | {"at": self.now})
        if change.anew:
            _ANEW(self.connection, here)
        if change.persona is not None:
            _ANSWERED_BY(self.connection, here | {"persona_of_it": change.persona})

    def _queued(self, statement: Prepared, *, most: int) -> Any:
        return statement(self.connection, {"conversation": self.conversation, "most": most})

    def _interrupt(self, how: Overlap) -> str | None:
        if how != "interrupt":
            return None
        running = _INTERRUPT.first(self.connection, {"of_conversation": self.conversation})
        return None if running is None else str(running.id)

    def _begin(self, *, text: str, prepared: str | None) -> None:
        turn = {
            "id": self.turn,
            "conversation": self.conversation,
            "persona": self.persona,
            "state": TurnState.QUEUED.value,
            "created_at": self.now,
            "text": text,
            "prepared": prepared,
        }
        seq = _NEW_TURN.first(self.connection, turn).seq
        if self.new and self.inbound.earlier:
            for heard in self.inbound.earlier:
                self._keep(heard, turn=self.turn, seq=seq, rank=HEARD)
            _REMEMBER(self.connection, {"conversation": self.conversation})
        self._keep(self._question, turn=self.turn, seq=seq, rank=0)

    def _join(self, turn: Any) -> None:
        of = {
            "of_channel": self.inbound.conversation.channel,
            "of_tenant": self.inbound.conversation.tenant,
            "of_event": self.inbound.event_id,
        }
        _JOIN(self.connection, of | {"joined": turn.id})
        self._keep(self._question, turn=turn.id, seq=turn.seq, rank=0)

    @property
    def _question(self) -> Heard:
        asked = self.inbound
        return Heard(author=asked.author, text=asked.text, at=asked.received_at, message_id=asked.message_id)

    def _keep(self, said: Heard, *, turn: str, seq: int, rank: int) -> None:
        _NEW_MESSAGE(
            self.connection,
            {
                "id": new_id(),
                "conversation": self.conversation,
                "turn": turn,
                "turn_seq": seq,
                "rank": rank,
                "role": "user",
                "author": said.author.name,
                "author_id": said.author.id,
                "platform_id": said.message_id,
                "text": said.text,
                "at": said.at.timestamp(),
            },
        )
