"""Storing a roster import in short transactions: its state, how far it is, and where its staging database is."""

import sqlalchemy as sa
from alembic import op

revision = "0023_roster_steps"
down_revision = "0022_one_identity"
branch_labels = None
depends_on = None

STORING = sa.text("state = 'storing'")


def upgrade() -> None:
    with op.batch_alter_table("roster_imports", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(10), server_default=sa.text("'stored'"), nullable=False))
        batch_op.add_column(sa.Column("step", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch_op.add_column(sa.Column("folder", sa.String(32), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_roster_imports_state"), "state in ('storing', 'stored', 'replaced')"
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_roster_imports_folder"), "(state = 'storing') = (folder is not null)"
        )
        batch_op.create_index(
            "ix_roster_imports_storing", ["state"], unique=True, sqlite_where=STORING, postgresql_where=STORING
        )
