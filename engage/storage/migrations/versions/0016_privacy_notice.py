"""The district's own privacy statements, and the privacy notice that each wave was opened with."""

import sqlalchemy as sa
from alembic import op

revision = "0016_privacy_notice"
down_revision = "0010_retention"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "privacy_statements",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["staff.id"], name=op.f("fk_privacy_statements_changed_by_staff")),
        sa.PrimaryKeyConstraint("name", "language", name=op.f("pk_privacy_statements")),
    )
    op.add_column("waves", sa.Column("privacy_notice", sa.Text(), nullable=True))
