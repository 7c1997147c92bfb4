"""Which ratings were given by people who had been told of training; which model answers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("ratings") as table:
        table.add_column(sa.Column("may_train", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_ratings_at", "ratings", ["at", "turn"])
    op.create_table(
        "models",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("undone_at", sa.Double()),
        sa.PrimaryKeyConstraint("seq", name="pk_models"),
    )


def downgrade() -> None:
    op.drop_table("models")
    op.drop_index("ix_ratings_at", "ratings")
    with op.batch_alter_table("ratings") as table:
        table.drop_column("may_train")
