"""Surveys of educators, students, and liaisons, and the switch that allows surveys of students."""

import sqlalchemy as sa
from alembic import op

revision = "0027_populations"
down_revision = "0026_wave_drafts"
branch_labels = None
depends_on = None

UNCHANGED = {
    "identity": "identity in ('anonymous', 'confidential')",
    "entry": "entry in ('open', 'code')",
    "days": "closes >= opens",
    "asked": "asked in ('everyone', 'english_learners', 'disabilities')",
}
NEW = {
    "counting": "counting in ('family', 'family_school', 'student', 'educator', 'event')",
    "population": "population in ('family', 'educator', 'student', 'liaison')",
    "piles": "population not in ('educator', 'student') or (identity = 'anonymous' and entry = 'code')",
    "notice_on": "notice_on is null or population = 'student'",
}


def upgrade() -> None:
    with op.batch_alter_table("waves", schema=None) as batch_op:
        batch_op.add_column(sa.Column("population", sa.String(length=8), server_default="family", nullable=False))
        batch_op.add_column(sa.Column("federal_funds", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("notice_on", sa.Date(), nullable=True))
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_waves_counting"), type_="check")
        else:  # SQLite rebuilds the table without its CHECK constraints
            for name, condition in UNCHANGED.items():
                batch_op.create_check_constraint(name, condition)
        for name, condition in NEW.items():
            batch_op.create_check_constraint(name, condition)
    op.create_table(
        "feature_switches",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["staff.id"], name=op.f("fk_feature_switches_changed_by_staff")),
        sa.CheckConstraint("name in ('student_surveys')", name=op.f("ck_feature_switches_name")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feature_switches")),
        sqlite_with_rowid=False,
    )
