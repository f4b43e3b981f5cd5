"""Wave strata: the named languages of an anonymous wave with codes are stored, as of the time of the migration."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0006_wave_strata"
down_revision = "0005_opt_outs"
branch_labels = None
depends_on = None

LEAST = 10  # invitations; the value in storage/language_groups.py at that time
INVITED = """select i.wave_id, i.school_id, i.language, count(*) from invitations i join waves w on w.id = i.wave_id
    where w.identity = 'anonymous' and w.entry = 'code' group by i.wave_id, i.school_id, i.language"""


def upgrade() -> None:
    strata = op.create_table(
        "wave_strata",
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("named", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_wave_strata_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_wave_strata_wave_id_waves")),
        sa.PrimaryKeyConstraint("wave_id", "school_id", name=op.f("pk_wave_strata")),
        sqlite_with_rowid=False,
    )
    groups: dict[tuple[str, str], dict[str, int]] = {}
    for wave, school, language, number in op.get_bind().execute(sa.text(INVITED)):
        groups.setdefault((wave, school), {})[language] = number
    rows = [
        {"wave_id": wave, "school_id": school, "named": _named_languages(sizes)}
        for (wave, school), sizes in groups.items()
    ]
    if rows:
        op.bulk_insert(strata, rows)


def _named_languages(sizes: Mapping[str, int]) -> str:
    """Copy of the rule in storage/language_groups.py at that time."""
    named, rest = set(sizes), 0
    for tag, number in sorted(sizes.items(), key=lambda each: (each[1], each[0])):
        if number >= LEAST and (rest == 0 or rest >= LEAST):
            break
        named.discard(tag)
        rest += number
    return " ".join(sorted(named))
