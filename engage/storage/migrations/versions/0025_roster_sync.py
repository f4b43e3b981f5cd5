"""Automatic updates of the roster, their source in each import, and the number of teachers of each school."""

import sqlalchemy as sa
from alembic import op

revision = "0025_roster_sync"
down_revision = "0024_exports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("schools", schema=None) as batch_op:
        batch_op.add_column(sa.Column("teachers", sa.Integer(), nullable=True))
    with op.batch_alter_table("roster_imports", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", sa.String(6), server_default=sa.text("''"), nullable=False))
        batch_op.create_check_constraint(batch_op.f("ck_roster_imports_source"), "source in ('', 'folder', 'server')")
    op.create_table(
        "roster_updates",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=6), nullable=False),
        sa.Column("is_full", sa.Boolean(), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=80), nullable=False),
        sa.Column("folder", sa.String(length=32), nullable=True),
        sa.Column("import_id", sa.String(length=32), nullable=True),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("students_gone", sa.Integer(), nullable=False),
        sa.CheckConstraint("source in ('folder', 'server')", name=op.f("ck_roster_updates_source")),
        sa.CheckConstraint(
            "state in ('reading', 'waiting', 'storing', 'stored', 'unchanged', 'discarded', 'refused', 'failed')",
            name=op.f("ck_roster_updates_state"),
        ),
        sa.CheckConstraint(
            "(state in ('waiting', 'storing')) = (folder is not null)", name=op.f("ck_roster_updates_folder")
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["roster_imports.id"], name=op.f("fk_roster_updates_import_id_roster_imports")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_updates")),
    )
