"""Conversations, turns, messages, inbox, outbox and ratings."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_json = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("persona", sa.String(), nullable=False),
        sa.Column("locale", sa.String()),
        sa.Column("secret_hash", sa.String()),
        sa.Column("visitor", sa.String()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("waiting_since", sa.Double()),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("holder", sa.String()),
        sa.PrimaryKeyConstraint("key", name="pk_conversations"),
    )
    _index_where("ix_conversations_waiting", "conversations", ["waiting_since"], "waiting_since IS NOT NULL")
    op.create_table(
        "turns",
        sa.Column("seq", _serial, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("persona", sa.String(), nullable=False),
        sa.Column("persona_version", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("text", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("stop_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("message", sa.String()),
        sa.Column("receipt", _json),
        sa.Column("finish_reason", sa.String()),
        sa.Column("prompt_tokens", sa.Integer()),
        sa.Column("new_tokens", sa.Integer()),
        sa.Column("cached_tokens", sa.Integer()),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double()),
        sa.Column("finished_at", sa.Double()),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.key"], name="fk_turns_conversation", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_turns"),
        sa.UniqueConstraint("id", name="uq_turns_id"),
    )
    op.create_index("ix_turns_conversation_seq", "turns", ["conversation", "seq"])
    _index_where("ix_turns_unfinished", "turns", ["conversation", "seq"], "finished_at IS NULL")
    op.create_table(
        "messages",
        sa.Column("seq", _serial, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("turn_seq", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("author", sa.String()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sources", _json),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.key"], name="fk_messages_conversation", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seq", name="pk_messages"),
        sa.UniqueConstraint("id", name="uq_messages_id"),
    )
    op.create_index("ix_messages_place", "messages", ["conversation", "turn_seq", "rank", "seq"])
    op.create_table(
        "inbox",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String()),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["turn"], ["turns.id"], name="fk_inbox_turn", ondelete="CASCADE", deferrable=True, initially="DEFERRED"
        ),
        sa.PrimaryKeyConstraint("channel", "tenant", "event_id", name="pk_inbox"),
        sa.UniqueConstraint("channel", "tenant", "message_id", name="uq_inbox_channel_tenant_message_id"),
    )
    op.create_index("ix_inbox_turn", "inbox", ["turn"])
    op.create_table(
        "outbox",
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("turn_seq", sa.BigInteger(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double()),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"], name="fk_outbox_turn", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn", name="pk_outbox"),
    )
    _index_where("ix_outbox_unsent", "outbox", ["conversation", "turn_seq"], "sent_at IS NULL")
    op.create_table(
        "ratings",
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("rating", sa.String(), nullable=False),
        sa.Column("comment", sa.Text()),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"], name="fk_ratings_turn", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("turn", name="pk_ratings"),
    )


def downgrade() -> None:
    for table in ("ratings", "outbox", "inbox", "messages", "turns", "conversations"):
        op.drop_table(table)


def _index_where(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
