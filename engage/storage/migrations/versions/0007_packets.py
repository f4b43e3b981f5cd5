"""Packets: sheets drawn in the background, the households of sheets, and the positions of boxes."""

import sqlalchemy as sa
from alembic import op

revision = "0007_packets"
down_revision = "0006_wave_strata"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "layouts",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("edition_digest", sa.String(length=64), nullable=False),
        sa.Column("geometry", sa.Text(), nullable=False),
        sa.Column("stored_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_digest"], ["editions.digest"], name=op.f("fk_layouts_edition_digest_editions")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_layouts")),
    )
    op.create_index("ix_layouts_edition_digest", "layouts", ["edition_digest"], unique=False)

    op.create_table(
        "packets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("contents", sa.String(length=10), nullable=False),
        sa.Column("outside", sa.String(length=6), nullable=False),
        sa.Column("paper", sa.String(length=10), nullable=False),
        sa.Column("style", sa.String(length=10), nullable=False),
        sa.Column("second", sa.String(length=20), nullable=True),
        sa.Column("arrangement", sa.String(length=6), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("classes", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.CheckConstraint("arrangement in ('under', 'beside')", name=op.f("ck_packets_arrangement")),
        sa.CheckConstraint("contents in ('households', 'blanks')", name=op.f("ck_packets_contents")),
        sa.CheckConstraint("outside in ('window', 'code')", name=op.f("ck_packets_outside")),
        sa.CheckConstraint(
            "state in ('waiting', 'drawing', 'ready', 'failed', 'cancelled')", name=op.f("ck_packets_state")
        ),
        sa.CheckConstraint("style in ('standard', 'large', 'compact')", name=op.f("ck_packets_style")),
        sa.ForeignKeyConstraint(["made_by"], ["staff.id"], name=op.f("fk_packets_made_by_staff")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_packets_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_packets_wave_id_waves")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packets")),
    )
    op.create_index("ix_packets_wave_id", "packets", ["wave_id"], unique=False)

    op.create_table(
        "sheet_links",
        sa.Column("serial", sa.String(length=20), nullable=False),
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("identity", sa.String(length=12), nullable=False),
        sa.Column("household_id", sa.String(length=32), nullable=True),
        sa.Column("invitation", sa.String(length=64), nullable=True),
        sa.Column("minted", sa.Boolean(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("forget_on", sa.Date(), nullable=False),
        sa.CheckConstraint("identity = 'confidential'", name=op.f("ck_sheet_links_confidential")),
        sa.ForeignKeyConstraint(
            ["household_id"],
            ["households.id"],
            name=op.f("fk_sheet_links_household_id_households"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["invitation"],
            ["invitations.digest"],
            name=op.f("fk_sheet_links_invitation_invitations"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["serial"], ["sheets.serial"], name=op.f("fk_sheet_links_serial_sheets"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["wave_id", "identity"], ["waves.id", "waves.identity"], name=op.f("fk_sheet_links_wave_id_identity_waves")
        ),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_sheet_links_wave_id_waves")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_sheet_links")),
    )
    op.create_index("ix_sheet_links_invitation", "sheet_links", ["invitation"], unique=False)
    op.create_index("ix_sheet_links_wave_id", "sheet_links", ["wave_id"], unique=False)

    with op.batch_alter_table("print_runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("packet_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("layout_digest", sa.String(length=64), nullable=True))
        batch_op.alter_column("printed_by", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index(batch_op.f("ix_print_runs_packet_id"), ["packet_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_print_runs_packet_id_packets"), "packets", ["packet_id"], ["id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_print_runs_layout_digest_layouts"), "layouts", ["layout_digest"], ["digest"]
        )

    with op.batch_alter_table("sheets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=True))

    with op.batch_alter_table("students", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("class_name", sa.String(length=100), server_default=sa.text("''"), nullable=False)
        )
