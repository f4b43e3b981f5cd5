"""Promise: in an anonymous wave, using a code changes no invitation, and drafts are encrypted.

Codes used before are stored as used under their own digest, without the day. Existing drafts cannot be encrypted
without a key that only the family's browser has; they are deleted, and those families start again.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003_promise"
down_revision = "0002_people"
branch_labels = None
depends_on = None

FILL_IDENTITY = "update invitations set identity = (select identity from waves where waves.id = invitations.wave_id)"
SPENT_BEFORE = """insert into spent (digest, wave_id)
    select digest, wave_id from invitations where identity = 'anonymous' and used_on is not null"""
FORGET_DAYS = "update invitations set used_on = null where identity = 'anonymous'"


def upgrade() -> None:
    op.create_table(
        "spent",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_spent_wave_id_waves")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_spent_wave_id", "spent", ["wave_id"], unique=False)

    _change_invitations()

    op.create_table(
        "response_links",
        sa.Column("response_id", sa.String(length=32), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("identity", sa.String(length=12), nullable=False),
        sa.Column("invitation", sa.String(length=64), nullable=False),
        sa.Column("forget_on", sa.Date(), nullable=False),
        sa.CheckConstraint("identity = 'confidential'", name=op.f("ck_response_links_confidential")),
        sa.ForeignKeyConstraint(
            ["invitation"],
            ["invitations.digest"],
            name=op.f("fk_response_links_invitation_invitations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["response_id"],
            ["responses.id"],
            name=op.f("fk_response_links_response_id_responses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["wave_id", "identity"],
            ["waves.id", "waves.identity"],
            name=op.f("fk_response_links_wave_id_identity_waves"),
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_response_links_wave_id_waves")),
        sa.PrimaryKeyConstraint("response_id", name=op.f("pk_response_links")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_response_links_invitation", "response_links", ["invitation"], unique=False)
    op.create_index("ix_response_links_wave_id", "response_links", ["wave_id"], unique=False)

    op.drop_table("drafts")
    op.create_table(
        "drafts",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("touched_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_drafts_wave_id_waves")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_drafts")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_drafts_wave_id", "drafts", ["wave_id"], unique=False)

    _make_salts()


def _change_invitations() -> None:
    # Otherwise SQLite's rebuilt table would have a rowid, which reveals the order of arrival.
    anew = {"sqlite_with_rowid": False}
    with op.batch_alter_table("invitations", schema=None, table_kwargs=anew) as batch_op:
        batch_op.add_column(sa.Column("identity", sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column("student_id", sa.String(length=255), nullable=True))
    for statement in (FILL_IDENTITY, SPENT_BEFORE, FORGET_DAYS):
        op.execute(statement)
    with op.batch_alter_table("invitations", schema=None, table_kwargs=anew) as batch_op:
        batch_op.alter_column("identity", existing_type=sa.String(length=12), nullable=False)
        batch_op.create_check_constraint("unlinked", "identity = 'confidential' or used_on is null")
        batch_op.create_foreign_key(
            batch_op.f("fk_invitations_wave_id_identity_waves"),
            "waves",
            ["wave_id", "identity"],
            ["id", "identity"],
        )


def _make_salts() -> None:
    """Give each anonymous wave with codes that was opened before a random salt."""
    waves = sa.table("waves", sa.column("id"), sa.column("burn_salt"), sa.column("identity"), sa.column("entry"))
    coded = sa.select(waves.c.id).where(waves.c.identity == "anonymous", waves.c.entry == "code")
    for id in op.get_bind().scalars(coded).all():
        op.execute(sa.update(waves).where(waves.c.id == id).values(burn_salt=secrets.token_hex(32)))
