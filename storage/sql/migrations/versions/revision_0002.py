"""Long memory, authors, failed turns and deliveries, job runs, statistics."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("memory", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
        table.add_column(sa.Column("active_at", sa.Double(), server_default=sa.text("0"), nullable=False))
        table.add_column(sa.Column("overflowed_at", sa.Double()))
    op.execute(
        "UPDATE conversations SET memory = 1, active_at = coalesce("
        "(SELECT max(created_at) FROM turns WHERE turns.conversation = conversations.key), created_at)"
    )
    _index_where("ix_conversations_overflowed", "conversations", ["overflowed_at"], "overflowed_at IS NOT NULL")
    op.create_index("ix_conversations_active_at", "conversations", ["active_at"])
    op.create_index("ix_conversations_visitor", "conversations", ["visitor"])
    with op.batch_alter_table("turns") as table:
        table.add_column(sa.Column("error", sa.Text()))
        table.add_column(sa.Column("prepared", sa.String()))
    _index_where("ix_turns_prepared", "turns", ["conversation"], "prepared IS NOT NULL AND finished_at IS NULL")
    _index_where("ix_turns_failed", "turns", ["finished_at"], "error IS NOT NULL")
    op.create_index("ix_turns_finished_at", "turns", ["finished_at"])
    with op.batch_alter_table("messages") as table:
        table.add_column(sa.Column("author_id", sa.String()))
    op.create_index("ix_messages_author_id", "messages", ["author_id"])
    op.drop_index("ix_outbox_unsent", "outbox")
    with op.batch_alter_table("outbox") as table:
        table.add_column(sa.Column("attempts", sa.Integer(), server_default=sa.text("1"), nullable=False))
        table.add_column(sa.Column("failed_at", sa.Double()))
        table.add_column(sa.Column("error", sa.Text()))
    _index_where("ix_outbox_unsent", "outbox", ["conversation", "turn_seq"], "sent_at IS NULL AND failed_at IS NULL")
    op.create_table(
        "summaries",
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("turn_seq", sa.BigInteger(), nullable=False),
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"], name="fk_summaries_turn", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.key"], name="fk_summaries_conversation", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("turn", name="pk_summaries"),
    )
    op.create_index("ix_summaries_place", "summaries", ["conversation", "turn_seq"])
    op.create_table(
        "facts",
        sa.Column("conversation", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.key"], name="fk_facts_conversation", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["turn"], ["turns.id"], name="fk_facts_turn", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("conversation", "name", name="pk_facts"),
    )
    op.create_index("ix_facts_turn", "facts", ["turn"])
    op.create_table(
        "job_runs",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("fire", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("job", "fire", name="pk_job_runs"),
    )
    _index_where("ix_job_runs_unfinished", "job_runs", ["lease_until"], "finished_at IS NULL")
    op.create_index("ix_job_runs_started_at", "job_runs", ["started_at"])
    op.create_table(
        "statistics",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("persona", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("turns", "failed", "stopped", "up", "down")),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("new_tokens", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("day", "persona", "channel", name="pk_statistics"),
    )


def downgrade() -> None:
    for name in ("statistics", "job_runs", "facts", "summaries"):
        op.drop_table(name)
    op.drop_index("ix_outbox_unsent", "outbox")
    with op.batch_alter_table("outbox") as table:
        for column in ("attempts", "failed_at", "error"):
            table.drop_column(column)
    _index_where("ix_outbox_unsent", "outbox", ["conversation", "turn_seq"], "sent_at IS NULL")
    op.drop_index("ix_messages_author_id", "messages")
    with op.batch_alter_table("messages") as table:
        table.drop_column("author_id")
    op.drop_index("ix_turns_finished_at", "turns")
    op.drop_index("ix_turns_failed", "turns")
    op.drop_index("ix_turns_prepared", "turns")
    with op.batch_alter_table("turns") as table:
        table.drop_column("error")
        table.drop_column("prepared")
    for index in ("ix_conversations_visitor", "ix_conversations_active_at", "ix_conversations_overflowed"):
        op.drop_index(index, "conversations")
    with op.batch_alter_table("conversations") as table:
        for column in ("memory", "active_at", "overflowed_at"):
            table.drop_column(column)


def _index_where(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
