"""Surveys that somebody prepares before opening them."""

import sqlalchemy as sa
from alembic import op

revision = "0026_wave_drafts"
down_revision = "0025_roster_sync"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wave_drafts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_wave_drafts_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave_drafts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_wave_drafts_staff_id", "wave_drafts", ["staff_id"], unique=False)
