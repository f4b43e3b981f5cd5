"""Permissions of roles. Each is a sentence, and this module alone decides who has it."""

from collections.abc import Iterable

PUBLIC = "public"

PERMISSIONS = {
    "manage yourself": "change your own password and page language",
    "key paper responses": "key what came back on paper and correct it",
    "print paper surveys": "print numbered sheets, see the packets and download one's own blank ones",
    "print for households": "print a set for each household, see how many each class gets and download others' blanks",
    "print names and codes": "print sets that carry a household's name or its access code",
    "read family questions": "read the questions families of your schools ask",
    "answer family questions": "answer them",
    "write debriefs": "write down after an event what families said",
    "read debriefs": "read what liaisons of your schools wrote after events",
    "see summaries": "see suppressed figures of checkpoints",
    "manage checkpoints": "create, freeze and publish checkpoints",
    "export figures": "download the packet and the tables",
    "write commitments": "write what families said and what the district will do",
    "see waves": "see the waves, their links and how many answered",
    "open waves": "open waves and decide who is asked",
    "make access codes": "make access codes and download their list, once",
    "screen questions": "decide whether a question touches an area that the law protects",
    "see who answered": "look up which household gave an answer in a confidential wave; each look is written down",
    "see support needs": "look up what help a household's child needs, as the family says; each look is written down",
    "see the roster": "see how many students and households each school has",
    "import rosters": "bring in students, guardians and their languages from the student information system",
    "manage opt-outs": "write down which families do not want to be asked",
    "see translations": "see which words still wait for a translation or a reader",
    "manage staff": "add staff and decide what they may do",
    "edit privacy notice": "change what families are told about their answers",
    "allow student surveys": "allow surveys that students answer themselves",
    "manage organisations": "add partner organisations",
    "see the audit log": "see what staff did that is written down",
    "read waiting letters": "read letters that wait because no mail server is set up",
}

STRONG = frozenset(
    {
        "key paper responses",
        "read family questions",
        "answer family questions",
        "read debriefs",
        "see summaries",
        "manage checkpoints",
        "write commitments",
        "export figures",
        "open waves",
        "manage opt-outs",
        "make access codes",
        "print names and codes",
        "see who answered",
        "see support needs",
        "import rosters",
        "manage staff",
        "manage organisations",
        "edit privacy notice",
        "allow student surveys",
        "see the audit log",
        "read waiting letters",
    }
)
"""Permissions that need a stronger sign-in than a password: a second factor, a passkey, or the district's single
sign-on."""

ROLES: dict[str, frozenset[str]] = {
    "administrator": frozenset(
        {
            "manage yourself",
            "manage staff",
            "manage organisations",
            "edit privacy notice",
            "allow student surveys",
            "see the audit log",
            "read waiting letters",
            "see the roster",
            "import rosters",
            "manage opt-outs",
            "see waves",
            "open waves",
            "make access codes",
            "screen questions",
            "print paper surveys",
            "print for households",
            "print names and codes",
            "see translations",
            "see summaries",
        }
    ),
    "liaison": frozenset(
        {
            "manage yourself",
            "key paper responses",
            "print paper surveys",
            "print for households",
            "print names and codes",
            "read family questions",
            "answer family questions",
            "write debriefs",
            "read debriefs",
            "see waves",
            "manage opt-outs",
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
            "make access codes",
            "screen questions",
            "see who answered",
            "see the roster",
            "manage opt-outs",
            "print paper surveys",
            "print for households",
            "print names and codes",
            "read family questions",
            "read debriefs",
        }
    ),
    "support_coordinator": frozenset(
        {
            "manage yourself",
            "see waves",
            "see who answered",
            "see support needs",
            "read family questions",
            "answer family questions",
        }
    ),
    "translator": frozenset({"manage yourself", "see translations", "print paper surveys"}),
}

DISTRICT_WIDE = frozenset({"administrator", "leader", "support_coordinator", "translator"})


def sort_roles(roles: Iterable[str]) -> list[str]:
    """Return roles in the order of ROLES, without duplicates and unknown names."""
    chosen = set(roles)
    return [role for role in ROLES if role in chosen]


def is_limited_to_schools(roles: Iterable[str]) -> bool:
    """Whether someone with these roles is limited to certain schools: a liaison without a district-wide role."""
    chosen = set(roles)
    return bool(chosen & ROLES.keys()) and not DISTRICT_WIDE & chosen


def has_permission(roles: Iterable[str], permission: str) -> bool:
    """Whether someone with these roles has the permission. Raises KeyError for an unknown one."""
    PERMISSIONS[permission]
    return any(permission in ROLES.get(role, frozenset()) for role in roles)


def visible_schools(roles: Iterable[str], schools: Iterable[str]) -> frozenset[str] | None:
    """Return the ids of the schools that someone may see. None means every school of the district."""
    return None if DISTRICT_WIDE & set(roles) else frozenset(schools)
