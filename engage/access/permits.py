"""Who may do what: every permission is a sentence, and this is the one place that decides."""

from collections.abc import Iterable

PUBLIC = "public"

PERMISSIONS = {
    "manage yourself": "change your own password and page language",
    "key paper responses": "key what came back on paper and correct it",
    "print paper surveys": "print numbered sheets and see the print runs",
    "read family questions": "read the questions families of your schools ask",
    "answer family questions": "answer them",
    "see summaries": "see suppressed figures of checkpoints",
    "manage checkpoints": "create, freeze and publish checkpoints",
    "export figures": "download the packet and the tables",
    "write commitments": "write what families said and what the district will do",
    "see waves": "see the waves, their links and how many answered",
    "open waves": "open waves and make access codes",
    "see translations": "see which words still wait for a translation or a reader",
    "manage staff": "add staff and decide what they may do",
}

ROLES: dict[str, frozenset[str]] = {
    "administrator": frozenset(
        {
            "manage yourself",
            "manage staff",
            "see waves",
            "open waves",
            "print paper surveys",
            "see translations",
            "see summaries",
        }
    ),
    "liaison": frozenset(
        {
            "manage yourself",
            "key paper responses",
            "print paper surveys",
            "read family questions",
            "answer family questions",
            "see waves",
        }
    ),
    "leader": frozenset(
        {
            "manage yourself",
            "see summaries",
            "manage checkpoints",
            "export figures",
            "write commitments",
            "see waves",
            "open waves",
            "print paper surveys",
            "read family questions",
        }
    ),
    "translator": frozenset({"manage yourself", "see translations", "print paper surveys"}),
}

DISTRICT_WIDE = frozenset({"administrator", "leader", "translator"})


def may(roles: Iterable[str], permission: str) -> bool:
    """Whether someone with these roles has the permission. Raises KeyError for one that is not stated."""
    PERMISSIONS[permission]
    return any(permission in ROLES.get(role, frozenset()) for role in roles)


def scope(roles: Iterable[str], schools: Iterable[str]) -> frozenset[str] | None:
    """The school ids someone may see; None means every school of the district."""
    return None if DISTRICT_WIDE & set(roles) else frozenset(schools)
