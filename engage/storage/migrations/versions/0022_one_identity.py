"""At most one account of each sign-in provider for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0022_one_identity"
down_revision = "0021_large_districts"
branch_labels = None
depends_on = None


# Nobody can tell which of several accounts is the person's: all are unlinked, and the next sign-in links one.
SEVERAL = """
delete from staff_identities where exists (
    select 1 from staff_identities other
    where other.provider = staff_identities.provider
    and other.staff_id = staff_identities.staff_id
    and other.subject <> staff_identities.subject
)
"""


def upgrade() -> None:
    op.execute(sa.text(SEVERAL))
    with op.batch_alter_table("staff_identities", schema=None) as batch_op:
        batch_op.create_unique_constraint(batch_op.f("uq_staff_identities_provider_staff_id"), ["provider", "staff_id"])
