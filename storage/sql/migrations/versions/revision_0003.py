"""Where replies are shown, messages by the platform's ids, personas of rooms, sealed texts, offices."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("since", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    with op.batch_alter_table("turns") as table:
        table.add_column(sa.Column("shown", sa.Text()))
    asked = sa.text("prepared IS NULL AND finished_at IS NULL")
    op.create_index("ix_turns_asked", "turns", ["conversation"], sqlite_where=asked, postgresql_where=asked)
    finished = sa.text("finished_at IS NOT NULL")
    op.drop_index("ix_turns_finished_at", "turns")
    op.create_index("ix_turns_finished_at", "turns", ["finished_at"], sqlite_where=finished, postgresql_where=finished)
    with op.batch_alter_table("messages") as table:
        table.add_column(sa.Column("platform_id", sa.String()))
    known = sa.text("platform_id IS NOT NULL")
    op.create_index("ix_messages_platform_id", "messages", ["platform_id"], sqlite_where=known, postgresql_where=known)
    op.create_table(
        "rooms",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("channel", "tenant", "room")),
        sa.Column("persona", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "tenant", "room", name="pk_rooms"),
    )
    op.create_table(
        "vault",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_vault"),
    )
    op.create_table(
        "offices",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("lease_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_offices"),
    )


def downgrade() -> None:
    for name in ("offices", "vault", "rooms"):
        op.drop_table(name)
    op.drop_index("ix_messages_platform_id", "messages")
    op.drop_index("ix_turns_finished_at", "turns")
    op.create_index("ix_turns_finished_at", "turns", ["finished_at"])
    op.drop_index("ix_turns_asked", "turns")
    for name, column in (("messages", "platform_id"), ("turns", "shown"), ("conversations", "since")):
        with op.batch_alter_table(name) as table:
            table.drop_column(column)
