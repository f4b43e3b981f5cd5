"""People."""

import sqlalchemy as sa
from alembic import op

revision = "0002_people"
down_revision = "0001_foundation"
branch_labels = None
depends_on = None

ONLY_GROWS = "begin raise exception ''audit_events is append-only''; end"
APPEND_ONLY = {
    "sqlite": [
        f"create trigger audit_events_no_{deed} before {deed} on audit_events "
        "begin select raise(abort, 'audit_events is append-only'); end"
        for deed in ("update", "delete")
    ],
    "postgresql": [
        f"create function audit_events_only_grows() returns trigger language plpgsql as '{ONLY_GROWS}'",
        *(
            f"create trigger audit_events_no_{deed} before {deed} on audit_events "
            "for each row execute function audit_events_only_grows()"
            for deed in ("update", "delete")
        ),
    ],
}


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("deed", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=255), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_events")),
    )
    for statement in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)
    op.create_table(
        "audit_heads",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_heads_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "guardians",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("reads", sa.String(length=35), nullable=False),
        sa.Column("speaks", sa.String(length=35), nullable=False),
        sa.Column("home", sa.String(length=255), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guardians")),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("written_at", sa.DateTime(), nullable=False),
        sa.Column("sent_at", sa.DateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.CheckConstraint("state in ('waiting', 'sent', 'failed')", name=op.f("ck_mails_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index("ix_mails_state", "mails", ["state"], unique=False)

    op.create_table(
        "organisations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("name", name=op.f("uq_organisations_name")),
    )
    op.create_table(
        "students",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("grade", sa.String(length=20), nullable=False),
        sa.Column("home_language", sa.String(length=35), nullable=False),
        sa.Column("english_learner", sa.Boolean(), nullable=True),
        sa.Column("disability", sa.Boolean(), nullable=True),
        sa.Column("name", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_students_school_id_schools")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_students")),
    )
    op.create_index("ix_students_school_id", "students", ["school_id"], unique=False)

    op.create_table(
        "guardianships",
        sa.Column("student_id", sa.String(length=255), nullable=False),
        sa.Column("guardian_id", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["guardians.id"], name=op.f("fk_guardianships_guardian_id_guardians"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_guardianships_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("student_id", "guardian_id", name=op.f("pk_guardianships")),
    )
    op.create_index("ix_guardianships_guardian_id", "guardianships", ["guardian_id"], unique=False)

    op.create_table(
        "household_guardians",
        sa.Column("household_id", sa.String(length=32), nullable=False),
        sa.Column("guardian_id", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["guardian_id"],
            ["guardians.id"],
            name=op.f("fk_household_guardians_guardian_id_guardians"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name=op.f("fk_household_guardians_household_id_households"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("household_id", "guardian_id", name=op.f("pk_household_guardians")),
    )
    op.create_index("ix_household_guardians_guardian_id", "household_guardians", ["guardian_id"], unique=False)

    op.create_table(
        "household_students",
        sa.Column("household_id", sa.String(length=32), nullable=False),
        sa.Column("student_id", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name=op.f("fk_household_students_household_id_households"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_household_students_student_id_students"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("household_id", "student_id", name=op.f("pk_household_students")),
    )
    op.create_index("ix_household_students_student_id", "household_students", ["student_id"], unique=False)

    op.create_table(
        "opt_outs",
        sa.Column("household_id", sa.String(length=32), nullable=False),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_id"], ["households.id"], name=op.f("fk_opt_outs_household_id_households"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["staff.id"], name=op.f("fk_opt_outs_recorded_by_staff")),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_opt_outs")),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1024), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=True),
        sa.Column("transports", sa.Text(), nullable=True),
        sa.Column("backup_state", sa.Boolean(), nullable=False),
        sa.Column("device_type", sa.String(length=64), nullable=False),
        sa.Column("extensions", sa.String(length=255), nullable=True),
        sa.Column("usage", sa.String(length=64), nullable=False),
        sa.Column("create_datetime", sa.DateTime(), nullable=False),
        sa.Column("lastuse_datetime", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["staff.id"], name=op.f("fk_passkeys_user_id_staff"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index("ix_passkeys_user_id", "passkeys", ["user_id"], unique=False)

    op.create_table(
        "roster_imports",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("imported_on", sa.Date(), nullable=False),
        sa.Column("imported_by", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("gone", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["imported_by"], ["staff.id"], name=op.f("fk_roster_imports_imported_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roster_imports")),
    )
    op.create_table(
        "screenings",
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("area", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.Integer(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["staff.id"], name=op.f("fk_screenings_decided_by_staff")),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_screenings")),
    )
    op.create_table(
        "staff_identities",
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_identities_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("provider", "subject", name=op.f("pk_staff_identities")),
    )
    op.create_index("ix_staff_identities_staff_id", "staff_identities", ["staff_id"], unique=False)

    op.create_table(
        "staff_sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("strong", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_staff_sessions_staff_id_staff"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_sessions")),
    )
    op.create_index("ix_staff_sessions_staff_id", "staff_sessions", ["staff_id"], unique=False)

    with op.batch_alter_table("households", schema=None) as batch_op:
        batch_op.add_column(sa.Column("speaks", sa.String(length=35), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("greeting", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("schools", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source_id", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.create_unique_constraint(batch_op.f("uq_schools_source_id"), ["source_id"])

    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.add_column(sa.Column("languages", sa.Text(), server_default=sa.text("''"), nullable=False))
        batch_op.add_column(sa.Column("organisation_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("tf_primary_method", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("tf_totp_secret", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("mf_recovery_codes", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("fs_webauthn_user_handle", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("forgotten_at", sa.DateTime(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_staff_fs_webauthn_user_handle"), ["fs_webauthn_user_handle"])
        batch_op.create_foreign_key(
            batch_op.f("fk_staff_organisation_id_organisations"), "organisations", ["organisation_id"], ["id"]
        )

    with op.batch_alter_table("waves", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("modes", sa.String(length=40), server_default="web paper interview", nullable=False)
        )
        batch_op.add_column(sa.Column("counting", sa.String(length=14), server_default="family", nullable=False))
        batch_op.add_column(sa.Column("asked", sa.String(length=20), server_default="everyone", nullable=False))
        batch_op.add_column(sa.Column("burn_salt", sa.String(length=64), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_waves_id_identity"), ["id", "identity"])
        batch_op.create_check_constraint("counting", "counting in ('family', 'family_school', 'student')")
        batch_op.create_check_constraint("asked", "asked in ('everyone', 'english_learners', 'disabilities')")
