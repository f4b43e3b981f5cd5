"""Opt-outs: children are recorded too, so that the opt-out of a family survives every roster import.

The digests of children need the site's secret, which a migration does not have. The next roster import records the
children of households that are already on the list, before it changes anything.
"""

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
