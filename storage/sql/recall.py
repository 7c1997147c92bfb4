"""What a conversation remembers, read for the next turn."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select

from bot.types import Memory, Summary, TurnState
from storage.sql.models import facts, messages, summaries, turns
from storage.sql.prepared import Prepared
from storage.sql.rows import MESSAGE, to_message

# The turn begun is the oldest unfinished one, so all before it are finished. What was said without asking anybody, and
# what nobody answered, is left out; a question stopped before its answer is not, nor what was said before the first.
HEARD = -1
_HISTORY = Prepared(
    select(*MESSAGE)
    .join(turns, turns.c.seq == messages.c.turn_seq)
    .where(
        messages.c.conversation == bindparam("conversation"),
        messages.c.turn_seq > bindparam("covered"),
        messages.c.text != "",
        or_(
            and_(messages.c.rank == HEARD, messages.c.turn_seq <= bindparam("turn_seq")),
            and_(
                messages.c.turn_seq < bindparam("turn_seq"),
                or_(turns.c.text != "", turns.c.state == TurnState.STOPPED.value),
                turns.c.persona_version != "",
            ),
        ),
    )
    .order_by(messages.c.turn_seq.desc(), messages.c.rank.desc(), messages.c.seq.desc())
    .limit(bindparam("most"))
)
_SUMMARY = Prepared(
    select(summaries.c.turn, summaries.c.turn_seq, summaries.c.text)
    .where(summaries.c.conversation == bindparam("conversation"), summaries.c.turn_seq > bindparam("since"))
    .order_by(summaries.c.turn_seq.desc())
    .limit(1)
)
_FACTS = Prepared(
    select(facts.c.name, facts.c.value)
    .join(turns, turns.c.id == facts.c.turn)
    .where(facts.c.conversation == bindparam("conversation"), turns.c.seq > bindparam("since"))
    .order_by(facts.c.name)
)


def recall(connection: Connection, place: Mapping[str, Any], *, version: int, newest: int) -> Memory:
    """What is remembered before the turn at `place` (its `conversation`, `turn_seq` and `since`)."""
    if version == 0:
        return Memory()
    summary = _SUMMARY.first(connection, place)
    past = _HISTORY(connection, {**place, "most": newest, "covered": summary.turn_seq if summary else place["since"]})
    return Memory(
        version=version,
        messages=tuple(map(to_message, reversed(past))),
        summary=Summary(covers=summary.turn, text=summary.text) if summary else None,
        facts={row.name: row.value for row in _FACTS(connection, place)},
    )
