"""Draft room."""

import sqlalchemy as sa
from alembic import op

revision = "0020_draft_room"
down_revision = "0019_bursts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_empty", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.execute(
        sa.text("update drafts set is_empty = false")
    )  # whether a page was sent is encrypted, so none of these is removed first
