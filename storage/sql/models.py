"""The tables. Times are seconds since 1970 (UTC); text is stored to the byte.

`turns.seq` orders a conversation's turns; a message has its place by (turn_seq, rank, seq), rank 0 being the
questions and 1 the reply. `conversations.memory` changes with all that is
remembered. A turn with `prepared` ends in that state with the text it has. Partial indexes hold only what
is still open, so that work is found in constant time. Rank -1 is what was said before the bot was asked; what a
conversation remembers begins after the turn at `since`.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

Serial = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _conversation() -> "Column[str]":
    return Column("conversation", ForeignKey("conversations.key", ondelete="CASCADE"), nullable=False)


conversations = Table(
    "conversations",
    metadata,
    Column("key", String, primary_key=True),
    Column("channel", String, nullable=False),
    Column("tenant", String, nullable=False),
    Column("persona", String, nullable=False),
    Column("locale", String),
    Column("secret_hash", String),
    Column("visitor", String),
    Column("created_at", Double, nullable=False),
    Column("waiting_since", Double),
    Column("epoch", BigInteger, nullable=False),
    Column("lease_until", Double, nullable=False, server_default=text("0")),
    Column("holder", String),
    Column("memory", BigInteger, nullable=False, server_default=text("0")),
    Column("active_at", Double, nullable=False, server_default=text("0")),
    Column("overflowed_at", Double),
    Column("since", BigInteger, nullable=False, server_default=text("0")),
)
_waiting = text("waiting_since IS NOT NULL")
Index("ix_conversations_waiting", conversations.c.waiting_since, sqlite_where=_waiting, postgresql_where=_waiting)
_overflowed = text("overflowed_at IS NOT NULL")
Index(
    "ix_conversations_overflowed",
    conversations.c.overflowed_at,
    sqlite_where=_overflowed,
    postgresql_where=_overflowed,
)
Index("ix_conversations_active_at", conversations.c.active_at)
Index("ix_conversations_visitor", conversations.c.visitor)

turns = Table(
    "turns",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    _conversation(),
    Column("persona", String, nullable=False),
    Column("persona_version", String),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("text", Text, nullable=False, server_default=text("''")),
    Column("stop_requested", Boolean, nullable=False, server_default=false()),
    Column("message", String),
    Column("receipt", JSON(none_as_null=True)),
    Column("finish_reason", String),
    Column("prompt_tokens", Integer),
    Column("new_tokens", Integer),
    Column("cached_tokens", Integer),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("error", Text),
    Column("prepared", String),
    Column("shown", Text),
)
Index("ix_turns_conversation_seq", turns.c.conversation, turns.c.seq)
_unfinished = text("finished_at IS NULL")
Index(
    "ix_turns_unfinished",
    turns.c.conversation,
    turns.c.seq,
    sqlite_where=_unfinished,
    postgresql_where=_unfinished,
)

_prepared = text("prepared IS NOT NULL AND finished_at IS NULL")
Index("ix_turns_prepared", turns.c.conversation, sqlite_where=_prepared, postgresql_where=_prepared)
_asked = text("prepared IS NULL AND finished_at IS NULL")
Index("ix_turns_asked", turns.c.conversation, sqlite_where=_asked, postgresql_where=_asked)
_failed = text("error IS NOT NULL")
Index("ix_turns_failed", turns.c.finished_at, sqlite_where=_failed, postgresql_where=_failed)
# Partial, or SQLite's planner takes it for turns still unfinished, and sorts.
_finished = text("finished_at IS NOT NULL")
Index("ix_turns_finished_at", turns.c.finished_at, sqlite_where=_finished, postgresql_where=_finished)

messages = Table(
    "messages",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    _conversation(),
    Column("turn", String, nullable=False),
    Column("turn_seq", BigInteger, nullable=False),
    Column("rank", SmallInteger, nullable=False),
    Column("role", String, nullable=False),
    Column("author", String),
    Column("author_id", String),
    Column("platform_id", String),
    Column("text", Text, nullable=False),
    Column("sources", JSON(none_as_null=True)),
    Column("at", Double, nullable=False),
)
Index("ix_messages_place", messages.c.conversation, messages.c.turn_seq, messages.c.rank, messages.c.seq)

Index("ix_messages_author_id", messages.c.author_id)
_of_platform = text("platform_id IS NOT NULL")
Index("ix_messages_platform_id", messages.c.platform_id, sqlite_where=_of_platform, postgresql_where=_of_platform)

# Deferred: the key is taken before the turn exists, so that two deliveries of one event meet here first.
inbox = Table(
    "inbox",
    metadata,
    Column("channel", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("event_id", String, primary_key=True),
    Column("message_id", String),
    Column(
        "turn",
        ForeignKey("turns.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
        nullable=False,
        index=True,
    ),
    Column("at", Double, nullable=False),
    UniqueConstraint("channel", "tenant", "message_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("turn", ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("turn_seq", BigInteger, nullable=False),
    Column("conversation", String, nullable=False),
    Column("message", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("sent_at", Double),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    Column("failed_at", Double),
    Column("error", Text),
)
_unsent = text("sent_at IS NULL AND failed_at IS NULL")
Index("ix_outbox_unsent", outbox.c.conversation, outbox.c.turn_seq, sqlite_where=_unsent, postgresql_where=_unsent)

ratings = Table(
    "ratings",
    metadata,
    Column("turn", ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("rating", String, nullable=False),
    Column("comment", Text),
    Column("at", Double, nullable=False),
    Column("may_train", Boolean, nullable=False, server_default=false()),
)
Index("ix_ratings_at", ratings.c.at, ratings.c.turn)

# Kept beside the messages they cover, never instead of them; the newest counts.
summaries = Table(
    "summaries",
    metadata,
    Column("turn", ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("turn_seq", BigInteger, nullable=False),
    _conversation(),
    Column("text", Text, nullable=False),
    Column("at", Double, nullable=False),
)
Index("ix_summaries_place", summaries.c.conversation, summaries.c.turn_seq)

facts = Table(
    "facts",
    metadata,
    Column("conversation", ForeignKey("conversations.key", ondelete="CASCADE"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
    Column("turn", ForeignKey("turns.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Double, nullable=False),
)

rooms = Table(
    "rooms",
    metadata,
    Column("channel", String, primary_key=True),
    Column("tenant", String, primary_key=True),
    Column("room", String, primary_key=True),
    Column("persona", String, nullable=False),
    Column("at", Double, nullable=False),
)

vault = Table(
    "vault",
    metadata,
    Column("name", String, primary_key=True),
    Column("text", Text, nullable=False),
    Column("at", Double, nullable=False),
)

offices = Table(
    "offices",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("lease_until", Double, nullable=False),
)

# A choice that was taken back stays for the record; of the others the newest counts.
models = Table(
    "models",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("model", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("undone_at", Double),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("job", String, primary_key=True),
    Column("fire", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("lease_until", Double, nullable=False),
    Column("finished_at", Double),
    Column("error", Text),
)
_unfinished_run = text("finished_at IS NULL")
Index("ix_job_runs_unfinished", job_runs.c.lease_until, sqlite_where=_unfinished_run, postgresql_where=_unfinished_run)
Index("ix_job_runs_started_at", job_runs.c.started_at)

# Counts alone: they outlive the conversations they were counted from.
statistics = Table(
    "statistics",
    metadata,
    Column("day", String, primary_key=True),
    Column("persona", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("turns", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("stopped", Integer, nullable=False),
    Column("up", Integer, nullable=False),
    Column("down", Integer, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("new_tokens", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
)
