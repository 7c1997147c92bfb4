"""The tables. Times are seconds since 1970 (UTC); text is stored to the byte.

`turns.seq` orders a conversation's turns; a message has its place by (turn_seq, rank, seq), rank 0 being the
questions and 1 the reply. Partial indexes hold only what is still open, so that work is found in constant time.
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
)
_waiting = text("waiting_since IS NOT NULL")
Index("ix_conversations_waiting", conversations.c.waiting_since, sqlite_where=_waiting, postgresql_where=_waiting)

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
    Column("text", Text, nullable=False),
    Column("sources", JSON(none_as_null=True)),
    Column("at", Double, nullable=False),
)
Index("ix_messages_place", messages.c.conversation, messages.c.turn_seq, messages.c.rank, messages.c.seq)

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
)
_unsent = text("sent_at IS NULL")
Index("ix_outbox_unsent", outbox.c.conversation, outbox.c.turn_seq, sqlite_where=_unsent, postgresql_where=_unsent)

ratings = Table(
    "ratings",
    metadata,
    Column("turn", ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("rating", String, nullable=False),
    Column("comment", Text),
    Column("at", Double, nullable=False),
)
