"""Turns and conversations are deleted with all that rests on them, in small transactions."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select, update

from bot.types import ConversationKey, Erased, Person
from storage.sql.models import conversations, messages, outbox, summaries, turns
from storage.sql.recall import HEARD
from storage.sql.theirs import is_theirs_alone, turns_of

_ROWS = 500  # of one transaction
_TURNS = 100


def erase(connection: Connection, conversation: str, whom: Person | ConversationKey, *, now: float) -> Erased:
    """Delete what is theirs in one conversation. Whoever works on it is fenced out."""
    key = ConversationKey.decode(conversation)
    if not _lock(connection, [conversation]):
        return Erased()
    unfinished = select(turns.c.id).where(turns.c.conversation == conversation, turns.c.finished_at.is_(None))
    if isinstance(whom, ConversationKey) or is_theirs_alone(connection, conversation, whom):
        cut = tuple(connection.execute(unfinished).scalars())
        connection.execute(delete(conversations).where(conversations.c.key == conversation))
        return Erased(gone=(key,), cut=cut)
    asked = turns_of(conversation, whom)
    connection.execute(
        delete(messages).where(
            messages.c.conversation == conversation, messages.c.rank == HEARD, messages.c.author_id == whom.id
        )
    )
    cut = tuple(connection.execute(unfinished.where(turns.c.seq.in_(asked))).scalars())
    while some := connection.execute(asked.order_by(messages.c.turn_seq).limit(_ROWS)).scalars().all():
        drop(connection, conversation, some, now=now)
    if not connection.execute(select(exists().where(turns.c.conversation == conversation))).scalar():
        connection.execute(delete(conversations).where(conversations.c.key == conversation))
        return Erased(gone=(key,), cut=cut)
    connection.execute(
        update(conversations)
        .where(conversations.c.key == conversation)
        .values(epoch=conversations.c.epoch + 1, holder=None, lease_until=0)
    )
    return Erased(changed=(key,), cut=cut)


def expire_turns(
    of_persona: ColumnElement[bool], *, until: float, now: Callable[[Connection], float]
) -> Callable[[Connection], int]:
    """Deletes some of the turns finished up to `until`; how many, 0 where none is left."""
    said = select(func.count()).where(
        messages.c.turn_seq == turns.c.seq, messages.c.conversation == turns.c.conversation
    )
    oldest = (
        select(turns.c.seq, turns.c.conversation, said.scalar_subquery().label("said"))
        .where(turns.c.finished_at <= until, of_persona)
        .order_by(turns.c.finished_at)
        .limit(_TURNS)
    )

    def work(connection: Connection) -> int:
        chosen: defaultdict[str, list[int]] = defaultdict(list)
        rows = 0
        for row in connection.execute(oldest):
            rows += 2 * row.said + 4  # each message and its inbox key; turn, delivery, rating, summary
            if chosen and rows > _ROWS:
                break
            chosen[row.conversation].append(row.seq)
        for conversation in _lock(connection, sorted(chosen)):
            drop(connection, conversation, chosen[conversation], now=now(connection))
        return sum(map(len, chosen.values()))

    return work


def expire_conversations(of_persona: ColumnElement[bool], *, until: float) -> Callable[[Connection], int]:
    """Deletes some of the conversations that have no turn and were not used since `until`; how many."""
    idle = (
        select(conversations.c.key)
        .where(
            conversations.c.active_at <= until,
            of_persona,
            ~exists().where(turns.c.conversation == conversations.c.key),
        )
        .limit(_ROWS)
        .with_for_update(skip_locked=True)
    )
    return lambda connection: connection.execute(delete(conversations).where(conversations.c.key.in_(idle))).rowcount


def _lock(connection: Connection, keys: Sequence[str]) -> Sequence[str]:
    """Lock the conversations in order of their keys; those that are there."""
    rows = select(conversations.c.key).where(conversations.c.key.in_(keys)).order_by(conversations.c.key)
    return connection.execute(rows.with_for_update()).scalars().all()


def drop(connection: Connection, conversation: str, places: Sequence[int], *, now: float) -> None:
    """Delete turns of a locked conversation. A summary that covers one of them goes, and a new one is wanted."""
    here = summaries.c.conversation == conversation
    told = connection.execute(delete(summaries).where(here, summaries.c.turn_seq >= min(places))).rowcount > 0
    connection.execute(delete(messages).where(messages.c.conversation == conversation, messages.c.turn_seq.in_(places)))
    connection.execute(delete(turns).where(turns.c.seq.in_(places)))
    oldest_turn = select(func.min(turns.c.created_at)).where(
        turns.c.conversation == conversation, turns.c.finished_at.is_(None)
    )
    oldest_reply = select(func.min(outbox.c.created_at)).where(
        outbox.c.conversation == conversation, outbox.c.sent_at.is_(None), outbox.c.failed_at.is_(None)
    )
    wanted = func.coalesce(conversations.c.overflowed_at, now) if told else conversations.c.overflowed_at
    connection.execute(
        update(conversations)
        .where(conversations.c.key == conversation)
        .values(
            memory=conversations.c.memory + 1,
            overflowed_at=wanted,
            waiting_since=func.coalesce(oldest_reply.scalar_subquery(), oldest_turn.scalar_subquery()),
        )
    )
