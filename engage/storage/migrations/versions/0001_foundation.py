"""Foundation."""

import sqlalchemy as sa
from alembic import op

revision = "0001_foundation"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("meets_on", sa.Date(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("frozen_on", sa.Date(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.CheckConstraint("(figures is null) = (digest is null)", name=op.f("ck_checkpoints_digest")),
        sa.CheckConstraint("(frozen_on is null) = (figures is null)", name=op.f("ck_checkpoints_frozen")),
        sa.CheckConstraint("published_on is null or frozen_on is not null", name=op.f("ck_checkpoints_published")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "editions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("stored_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_editions")),
    )
    op.create_index("ix_editions_slug", "editions", ["slug"], unique=False)

    op.create_table(
        "heartbeats",
        sa.Column("at", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("at", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "roles",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("description", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("name", name=op.f("uq_roles_name")),
    )
    op.create_table(
        "schools",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schools")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("create_datetime", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("email", name=op.f("uq_staff_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_staff_fs_uniquifier")),
    )
    op.create_table(
        "commitments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checkpoint_id", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.CheckConstraint("status in ('planned', 'under_way', 'done', 'dropped')", name=op.f("ck_commitments_status")),
        sa.ForeignKeyConstraint(
            ["checkpoint_id"], ["checkpoints.id"], name=op.f("fk_commitments_checkpoint_id_checkpoints")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitments")),
    )
    op.create_index("ix_commitments_checkpoint_id", "commitments", ["checkpoint_id"], unique=False)

    op.create_table(
        "households",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_households_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
    )
    op.create_index("ix_households_school_id", "households", ["school_id"], unique=False)

    op.create_table(
        "staff_roles",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_staff_roles_role_id_roles")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_roles_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "role_id", name=op.f("pk_staff_roles")),
    )
    op.create_table(
        "staff_schools",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_staff_schools_school_id_schools")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_schools_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", "school_id", name=op.f("pk_staff_schools")),
    )
    op.create_table(
        "waves",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("edition_digest", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("closes", sa.Date(), nullable=False),
        sa.Column("results_on", sa.Date(), nullable=True),
        sa.Column("identity", sa.String(length=12), nullable=False),
        sa.Column("entry", sa.String(length=4), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.CheckConstraint("entry in ('open', 'code')", name=op.f("ck_waves_entry")),
        sa.CheckConstraint("identity in ('anonymous', 'confidential')", name=op.f("ck_waves_identity")),
        sa.CheckConstraint("closes >= opens", name=op.f("ck_waves_days")),
        sa.ForeignKeyConstraint(["edition_digest"], ["editions.digest"], name=op.f("fk_waves_edition_digest_editions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waves")),
    )
    op.create_table(
        "checkpoint_waves",
        sa.Column("checkpoint_id", sa.String(length=60), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkpoint_id"], ["checkpoints.id"], name=op.f("fk_checkpoint_waves_checkpoint_id_checkpoints")
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_checkpoint_waves_wave_id_waves")),
        sa.PrimaryKeyConstraint("checkpoint_id", "wave_id", name=op.f("pk_checkpoint_waves")),
    )
    op.create_table(
        "commitment_words",
        sa.Column("commitment_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("theme", sa.String(length=200), nullable=False),
        sa.Column("you_said", sa.Text(), nullable=False),
        sa.Column("we_will", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["commitment_id"], ["commitments.id"], name=op.f("fk_commitment_words_commitment_id_commitments")
        ),
        sa.PrimaryKeyConstraint("commitment_id", "language", name=op.f("pk_commitment_words")),
    )
    op.create_table(
        "drafts",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("invitation", sa.String(length=64), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("touched_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_drafts_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_drafts_wave_id_waves")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_drafts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_drafts_wave_id", "drafts", ["wave_id"], unique=False)

    op.create_table(
        "invitations",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("household_id", sa.String(length=32), nullable=True),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_invitations_household_id_households")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_invitations_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_invitations_wave_id_waves")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_invitations")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_invitations_wave_id", "invitations", ["wave_id"], unique=False)

    op.create_table(
        "keying_drafts",
        sa.Column("keyed_by", sa.Integer(), nullable=False),
        sa.Column("sheet", sa.String(length=40), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("blocks", sa.Integer(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("touched_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["keyed_by"], ["staff.id"], name=op.f("fk_keying_drafts_keyed_by_staff")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_keying_drafts_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_keying_drafts_wave_id_waves")),
        sa.PrimaryKeyConstraint("keyed_by", "sheet", name=op.f("pk_keying_drafts")),
    )
    op.create_table(
        "print_runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("paper", sa.String(length=10), nullable=False),
        sa.Column("large_print", sa.Boolean(), nullable=False),
        sa.Column("printed_by", sa.Integer(), nullable=False),
        sa.Column("printed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["printed_by"], ["staff.id"], name=op.f("fk_print_runs_printed_by_staff")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_print_runs_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_print_runs_wave_id_waves")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_runs")),
    )
    op.create_index("ix_print_runs_wave_id", "print_runs", ["wave_id"], unique=False)

    op.create_table(
        "responses",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("provenance", sa.String(length=64), nullable=True),
        sa.CheckConstraint("(mode = 'web') = (provenance is null)", name=op.f("ck_responses_provenance")),
        sa.CheckConstraint("mode in ('web', 'paper', 'interview')", name=op.f("ck_responses_mode")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_responses_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_responses_wave_id_waves")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_responses")),
        sa.UniqueConstraint("submission", name=op.f("uq_responses_submission")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_responses_wave", "responses", ["wave_id", "id"], unique=False)

    op.create_table(
        "wave_columns",
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_wave_columns_wave_id_waves")),
        sa.PrimaryKeyConstraint("wave_id", name=op.f("pk_wave_columns")),
    )
    op.create_table(
        "wave_schools",
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_wave_schools_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_wave_schools_wave_id_waves")),
        sa.PrimaryKeyConstraint("wave_id", "school_id", name=op.f("pk_wave_schools")),
    )
    op.create_index("ix_wave_schools_school_id", "wave_schools", ["school_id"], unique=False)

    op.create_table(
        "sheets",
        sa.Column("serial", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.CheckConstraint("state in ('printed', 'keyed', 'spoiled')", name=op.f("ck_sheets_state")),
        sa.ForeignKeyConstraint(["run_id"], ["print_runs.id"], name=op.f("fk_sheets_run_id_print_runs")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_sheets")),
    )
    op.create_index("ix_sheets_run_id", "sheets", ["run_id"], unique=False)

    op.create_table(
        "unfolded",
        sa.Column("response_id", sa.String(length=32), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["response_id"], ["responses.id"], name=op.f("fk_unfolded_response_id_responses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_unfolded_wave_id_waves")),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_unfolded")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_unfolded_wave", "unfolded", ["wave_id", "response_id"], unique=False)

    op.create_table(
        "keyings",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("serial", sa.String(length=20), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("keyed_by", sa.Integer(), nullable=False),
        sa.Column("keyed_at", sa.DateTime(), nullable=False),
        sa.Column("corrected_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["keyed_by"], ["staff.id"], name=op.f("fk_keyings_keyed_by_staff")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_keyings_school_id_schools")),
        sa.ForeignKeyConstraint(["serial"], ["sheets.serial"], name=op.f("fk_keyings_serial_sheets")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_keyings_wave_id_waves")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyings")),
        sa.UniqueConstraint("serial", name=op.f("uq_keyings_serial")),
    )
    op.create_index("ix_keyings_wave_id", "keyings", ["wave_id"], unique=False)

    op.create_table(
        "threads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("reply_hash", sa.String(length=64), nullable=True),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("serial", sa.String(length=20), nullable=True),
        sa.CheckConstraint("kind in ('question', 'help')", name=op.f("ck_threads_kind")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_threads_school_id_schools")),
        sa.ForeignKeyConstraint(["serial"], ["sheets.serial"], name=op.f("fk_threads_serial_sheets")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_threads_wave_id_waves")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
        sa.UniqueConstraint("reply_hash", name=op.f("uq_threads_reply_hash")),
    )
    op.create_index("ix_threads_school_id", "threads", ["school_id"], unique=False)

    op.create_table(
        "messages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("thread_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=10), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("written_on", sa.Date(), nullable=False),
        sa.CheckConstraint("author in ('family', 'staff')", name=op.f("ck_messages_author")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_messages_staff_id_staff")),
        sa.ForeignKeyConstraint(["thread_id"], ["threads.id"], name=op.f("fk_messages_thread_id_threads")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_thread_id", "messages", ["thread_id"], unique=False)
