"""The answers that people rated, with the questions and sources they rest on."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, tuple_

from bot.types import RatedTurn, Rating, StoredMessage, TurnState
from storage.sql.database import Database
from storage.sql.models import conversations, messages, ratings, turns
from storage.sql.rows import MESSAGE, to_message, to_time

_PAGE = 200  # ratings read at once

_Place = tuple[float, str]
"""The time of a rating, and its turn."""


async def rated(database: Database, *, persona: str | None, since: datetime | None) -> AsyncIterator[RatedTurn]:
    after: _Place | None = (since.timestamp() if since else 0.0, "")
    while after is not None:
        page, after = await database.read(_page(persona, after))
        for one in page:
            yield one


def _page(persona: str | None, after: _Place) -> Callable[[Connection], tuple[Sequence[RatedTurn], _Place | None]]:
    """Reads one page: what is on it, and where the next one begins; None after the last."""
    found = (
        select(ratings, turns.c.seq, turns.c.persona, turns.c.conversation, conversations.c.locale)
        .join(turns, turns.c.id == ratings.c.turn)
        .join(conversations, conversations.c.key == turns.c.conversation)
        .where(turns.c.state == TurnState.DONE.value, turns.c.prepared.is_(None))
        .where(tuple_(ratings.c.at, ratings.c.turn) > after)
        .order_by(ratings.c.at, ratings.c.turn)
        .limit(_PAGE)
    )
    if persona is not None:
        found = found.where(turns.c.persona == persona)

    def work(connection: Connection) -> tuple[Sequence[RatedTurn], _Place | None]:
        rows = connection.execute(found).all()
        keys = {row.conversation for row in rows}
        said, names = _said(connection, keys, [row.seq for row in rows]), _names(connection, keys)
        page = [_rated(row, said.get(row.turn, ()), names.get(row.conversation, ())) for row in rows]
        more = (rows[-1].at, rows[-1].turn) if len(rows) == _PAGE else None
        return [one for one in page if one is not None], more

    return work


def _said(connection: Connection, keys: set[str], seqs: Sequence[int]) -> dict[str, list[StoredMessage]]:
    """The messages of each turn, questions first."""
    order = (messages.c.turn_seq, messages.c.rank, messages.c.seq)
    there = (messages.c.conversation.in_(keys), messages.c.turn_seq.in_(seqs), messages.c.rank >= 0)
    said: dict[str, list[StoredMessage]] = {}
    for row in connection.execute(select(*MESSAGE).where(*there).order_by(*order)):
        said.setdefault(row.turn, []).append(to_message(row))
    return said


def _names(connection: Connection, keys: set[str]) -> dict[str, list[str]]:
    written = select(messages.c.conversation, messages.c.author).distinct()
    named = written.where(messages.c.conversation.in_(keys), messages.c.author.is_not(None), messages.c.author != "")
    names: dict[str, list[str]] = {}
    for row in connection.execute(named.order_by(messages.c.author)):
        names.setdefault(row.conversation, []).append(row.author)
    return names


def _rated(row: Any, said: Sequence[StoredMessage], names: Sequence[str]) -> RatedTurn | None:
    """None where the question was taken back."""
    question = tuple(message for message in said if message.role == "user")
    answer = next((message for message in said if message.role == "assistant"), None)
    if not question or answer is None:
        return None
    return RatedTurn(
        turn=row.turn,
        persona=row.persona,
        locale=row.locale,
        question=question,
        answer=answer,
        rating=Rating(rating=row.rating, comment=row.comment, may_train=row.may_train),
        rated_at=to_time(row.at),
        names=tuple(names),
    )
