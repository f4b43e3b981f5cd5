"""Unknown language: households without a known language were stored as if they read English."""

from alembic import op

revision = "0014_unknown_language"
down_revision = "0018_withdrawn_invitations"
branch_labels = None
depends_on = None

UNKNOWN = """update households set language = 'und' where language = 'en'
    and exists (select 1 from household_students hs where hs.household_id = households.id)
    and not exists (select 1 from household_guardians hg join guardians g on g.id = hg.guardian_id
        where hg.household_id = households.id and g.reads <> '')
    and not exists (select 1 from household_students hs join students s on s.id = hs.student_id
        where hs.household_id = households.id and s.home_language <> '')"""


def upgrade() -> None:
    op.execute(UNKNOWN)
