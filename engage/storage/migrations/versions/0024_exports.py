"""Counts of large checkpoints, and files that staff asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0024_exports"
down_revision = "0023_roster_steps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=4), nullable=False),
        sa.Column("checkpoint_id", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=True),
        sa.Column("frozen", sa.String(length=64), nullable=True),
        sa.Column("asked_by", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.CheckConstraint("(state = 'ready') = (digest is not null)", name=op.f("ck_exports_digest")),
        sa.CheckConstraint("kind in ('pdf', 'csv', 'xlsx')", name=op.f("ck_exports_kind")),
        sa.CheckConstraint("state in ('waiting', 'making', 'ready', 'failed')", name=op.f("ck_exports_state")),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name=op.f("fk_exports_asked_by_staff")),
        sa.ForeignKeyConstraint(
            ["checkpoint_id"], ["checkpoints.id"], name=op.f("fk_exports_checkpoint_id_checkpoints")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_exports_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_exports_asked_by", "exports", ["asked_by"], unique=False)

    op.create_table(
        "figure_counts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("checkpoint_id", sa.String(length=60), nullable=False),
        sa.Column("purpose", sa.String(length=6), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.Column("survey", sa.Integer(), nullable=False),
        sa.Column("surveys", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.CheckConstraint("purpose = 'draft' or asked_by is not null", name=op.f("ck_figure_counts_asked_by")),
        sa.CheckConstraint("purpose in ('draft', 'freeze')", name=op.f("ck_figure_counts_purpose")),
        sa.CheckConstraint("state in ('waiting', 'counting', 'ready', 'failed')", name=op.f("ck_figure_counts_state")),
        sa.ForeignKeyConstraint(["asked_by"], ["staff.id"], name=op.f("fk_figure_counts_asked_by_staff")),
        sa.ForeignKeyConstraint(
            ["checkpoint_id"], ["checkpoints.id"], name=op.f("fk_figure_counts_checkpoint_id_checkpoints")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_counts")),
        sa.UniqueConstraint("checkpoint_id", "purpose", name=op.f("uq_figure_counts_checkpoint_id_purpose")),
        sqlite_with_rowid=False,
    )
