"""All that is stored about a person or a conversation, as records."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from bot.types import ConversationKey, Person, Record
from storage.sql.database import Database
from storage.sql.models import conversations, facts, messages, ratings, summaries, turns
from storage.sql.recall import HEARD
from storage.sql.rows import to_time
from storage.sql.theirs import conversations_of, is_theirs_alone, turns_of

_PAGE = 200  # turns read at once

# What a person is told; places, leases and hashes are not about anybody.
_COLUMNS: Mapping[Table, tuple[str, ...]] = {
    conversations: ("key", "channel", "tenant", "persona", "locale", "visitor", "created_at", "active_at"),
    turns: (
        *("id", "conversation", "persona", "persona_version", "state", "text", "error", "finish_reason"),
        *("prompt_tokens", "new_tokens", "cached_tokens", "created_at", "started_at", "finished_at"),
    ),
    messages: ("id", "conversation", "turn", "role", "author", "author_id", "text", "sources", "at"),
    ratings: ("turn", "rating", "comment", "at", "may_train"),
    summaries: ("turn", "conversation", "text", "at"),
    facts: ("conversation", "name", "value", "turn", "at"),
}
_KINDS = {
    conversations: "conversation",
    turns: "turn",
    messages: "message",
    ratings: "rating",
    summaries: "summary",
    facts: "fact",
}


async def export(database: Database, whom: Person | ConversationKey) -> AsyncIterator[Record]:
    for conversation in await database.read(lambda connection: conversations_of(connection, whom)):
        page: Sequence[Record] = ()
        after = -1
        while True:
            page, after = await database.read(_page(conversation, whom, after))
            for record in page:
                yield record
            if after < 0:
                break


def _page(conversation: str, whom: Person | ConversationKey, after: int) -> Any:
    """Reads one page: its records, and where the next one begins; -1 after the last."""

    def work(connection: Connection) -> tuple[list[Record], int]:
        alone = is_theirs_alone(connection, conversation, whom)
        asked: ColumnElement[bool] = turns.c.conversation == conversation
        if not alone and isinstance(whom, Person):
            asked &= turns.c.seq.in_(turns_of(conversation, whom))
        places = select(turns.c.seq, turns.c.id).where(asked, turns.c.seq > after).order_by(turns.c.seq).limit(_PAGE)
        rows = connection.execute(places).all()
        seqs, ids = [row.seq for row in rows], [row.id for row in rows]
        said: ColumnElement[bool] = messages.c.turn_seq.in_(seqs)
        if not alone and isinstance(whom, Person):
            said &= ((messages.c.author_id == whom.id) & (messages.c.rank == 0)) | (messages.c.rank == 1)
        found: list[Record] = []
        if after < 0:
            found += _records(connection, conversations, conversations.c.key == conversation)
        found += _records(connection, turns, turns.c.seq.in_(seqs), turns.c.seq)
        in_conversation = messages.c.conversation == conversation
        if after < 0 and not alone and isinstance(whom, Person):
            heard = (messages.c.rank == HEARD) & (messages.c.author_id == whom.id)
            found += _records(connection, messages, in_conversation & heard, messages.c.seq)
        order = (messages.c.turn_seq, messages.c.rank, messages.c.seq)
        found += _records(connection, messages, in_conversation & said, *order)
        found += _records(connection, ratings, ratings.c.turn.in_(ids), ratings.c.at)
        if alone:
            found += _records(connection, summaries, summaries.c.turn.in_(ids), summaries.c.turn_seq)
        found += _records(connection, facts, facts.c.turn.in_(ids), facts.c.at, facts.c.name)
        return found, seqs[-1] if len(seqs) == _PAGE else -1

    return work


def _records(connection: Connection, table: Table, which: Any, *order: Any) -> list[Record]:
    columns = [table.c[name] for name in _COLUMNS[table]]
    rows = connection.execute(select(*columns).where(which).order_by(*order)).mappings()
    return [{"record": _KINDS[table], **{name: _plain(name, row[name]) for name in row}} for row in rows]


def _plain(name: str, value: Any) -> Any:
    is_time = value is not None and (name == "at" or name.endswith("_at"))
    return to_time(value).isoformat() if is_time else value
