"""Retention: nightly runs, and the day on which the responses of a wave are deleted.

PostgreSQL's planner samples the values of every column (pg_statistic), and the samples would outlive their rows.
Statistics are turned off for columns with family texts, encrypted names, and serials, and existing ones are removed.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010_retention"
down_revision = "0014_unknown_language"
branch_labels = None
depends_on = None

UNSAMPLED: dict[str, dict[str, sa.types.TypeEngine[Any]]] = {
    "responses": {"answers": sa.Text()},
    "messages": {"text": sa.Text()},
    "threads": {"serial": sa.String(20)},
    "keyings": {"raw": sa.Text(), "serial": sa.String(20)},
    "keying_drafts": {"raw": sa.Text(), "sheet": sa.String(40)},
    "drafts": {"key": sa.LargeBinary(32), "sealed": sa.LargeBinary()},
    "sheets": {"serial": sa.String(20)},
    "sheet_links": {"serial": sa.String(20), "label": sa.LargeBinary()},
    "mails": {"sealed": sa.LargeBinary()},
    "households": {"greeting": sa.LargeBinary()},
    "guardians": {"contact": sa.LargeBinary()},
    "students": {"name": sa.LargeBinary()},
}


def upgrade() -> None:
    op.create_table(
        "retention_runs",
        sa.Column("night", sa.Date(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("night", name=op.f("pk_retention_runs")),
    )
    with op.batch_alter_table("waves", schema=None) as batch_op:
        batch_op.add_column(sa.Column("delete_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("deleted_on", sa.Date(), nullable=True))
    if op.get_context().dialect.name == "postgresql":
        for table, columns in UNSAMPLED.items():
            for column, kind in columns.items():
                op.execute(f"alter table {table} alter column {column} set statistics 0")
                op.alter_column(table, column, type_=kind)  # same type; PostgreSQL then drops its statistics
