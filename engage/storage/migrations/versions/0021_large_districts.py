"""Indexes for large districts, and since when a thread waits for an answer."""

import sqlalchemy as sa
from alembic import op

revision = "0021_large_districts"
down_revision = "0020_draft_room"
branch_labels = None
depends_on = None

# The date of the first family message after the last answer.
WAITING = """
update threads set waiting_since = (
  select min(message.written_on) from messages as message
  where message.thread_id = threads.id and message.author = 'family' and message.position > coalesce(
    (select max(answer.position) from messages as answer
      where answer.thread_id = threads.id and answer.author = 'staff'), 0))
"""


def upgrade() -> None:
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitations_wave_id"))
        batch_op.create_index("ix_invitations_group", ["wave_id", "school_id", "language"], unique=False)
        batch_op.create_index("ix_invitations_household", ["household_id", "wave_id"], unique=False)
        batch_op.create_index(
            "ix_invitations_student",
            ["student_id", "wave_id"],
            unique=False,
            sqlite_where=sa.text("student_id is not null"),
            postgresql_where=sa.text("student_id is not null"),
        )

    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.add_column(sa.Column("waiting_since", sa.Date(), nullable=True))
        batch_op.create_index(
            "ix_threads_waiting",
            ["waiting_since", "school_id", "language"],
            unique=False,
            sqlite_where=sa.text("waiting_since is not null"),
            postgresql_where=sa.text("waiting_since is not null"),
        )
    op.execute(sa.text(WAITING))
