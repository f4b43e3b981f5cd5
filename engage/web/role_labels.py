"""Labels of staff roles on pages."""

from engage.domain.security.permissions import ROLES
from engage.storage.models.staff import Staff
from engage.web.page_language import gettext


def role_labels() -> dict[str, str]:
    """The label of each role, by its name."""
    return {
        # translators: a role: school staff who work with families
        "liaison": gettext("Community liaison"),
        # translators: a role: decides for the school district
        "leader": gettext("District leader"),
        # translators: a role: arranges help with learning for children, such as a social worker or counselor
        "support_coordinator": gettext("Support coordinator"),
        # translators: a role: translates surveys and pages
        "translator": gettext("Translator"),
        # translators: a role: looks after the system
        "administrator": gettext("Administrator"),
    }


def account_summary(staff: Staff) -> str:
    """A person's roles, and the school of a person with one school only: "Community liaison · Lincoln"."""
    labels = role_labels()
    roles = {role.name for role in staff.roles}
    parts = [labels[name] for name in ROLES if name in roles]
    if len(staff.schools) == 1:
        parts.append(staff.schools[0].name)
    return " · ".join(parts)
