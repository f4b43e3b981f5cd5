"""Opt-outs: children are marked too, so that a family that does not want to be asked stays so through every roster.

The marks are made with the site's secret, which is not at hand here: the next roster marks the children of households
that are on the list already, before it changes anything."""

import sqlalchemy as sa
from alembic import op

revision = "0005_opt_outs"
down_revision = "0003_promise"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opted_out_students",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_opted_out_students")),
    )
