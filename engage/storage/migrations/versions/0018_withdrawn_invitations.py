"""Withdrawn invitations."""

import sqlalchemy as sa
from alembic import op

revision = "0018_withdrawn_invitations"
down_revision = "0007_packets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "withdrawn_invitations",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("household_id", sa.String(length=32), nullable=False),
        sa.Column("identity", sa.String(length=12), nullable=False),
        sa.Column("student_id", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name=op.f("fk_withdrawn_invitations_household_id_households"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_withdrawn_invitations_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_withdrawn_invitations_wave_id_waves")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_withdrawn_invitations")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_withdrawn_invitations_household_id", "withdrawn_invitations", ["household_id"], unique=False)
    op.create_index("ix_withdrawn_invitations_wave_id", "withdrawn_invitations", ["wave_id"], unique=False)
