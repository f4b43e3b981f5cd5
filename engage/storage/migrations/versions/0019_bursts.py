"""Bursts."""

import sqlalchemy as sa
from alembic import op

revision = "0019_bursts"
down_revision = "0008_anonymity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "announced_events",
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("announced_by", sa.Integer(), nullable=True),
        sa.Column("announced_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["announced_by"], ["staff.id"], name=op.f("fk_announced_events_announced_by_staff")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_announced_events_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_announced_events_wave_id_waves")),
        sa.PrimaryKeyConstraint("wave_id", "school_id", "day", name=op.f("pk_announced_events")),
    )
    op.create_table(
        "burst_days",
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("marked", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_burst_days_wave_id_waves")),
        sa.PrimaryKeyConstraint("wave_id", "day", name=op.f("pk_burst_days")),
    )
    op.create_table(
        "burst_decisions",
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.CheckConstraint("counted = (reason in ('event', 'known_families'))", name=op.f("ck_burst_decisions_reason")),
        sa.CheckConstraint(
            "reason in ('event', 'known_families', 'not_families', 'unclear')", name=op.f("ck_burst_decisions_known")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name=op.f("fk_burst_decisions_decided_by_staff")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_burst_decisions_wave_id_waves")),
        sa.PrimaryKeyConstraint("wave_id", name=op.f("pk_burst_decisions")),
    )
    with op.batch_alter_table("responses", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_burst", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index(
            "ix_responses_burst",
            ["wave_id", "id"],
            unique=False,
            sqlite_where=sa.text("is_burst = true"),
            postgresql_where=sa.text("is_burst = true"),
        )
