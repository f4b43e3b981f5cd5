"""Grades in their order, as OneRoster spells them (CEDS 000100: IT, PR, PK, TK, KG, 01 to 13, PS, UG, Other)."""

ORDER = ("IT", "PR", "PK", "TK", "KG", *(f"{each:02}" for each in range(1, 14)), "PS")
LAST = len(ORDER)  # of a grade that is not known: older than all others
_RANKS = {grade: rank for rank, grade in enumerate(ORDER)}
_SPELLINGS = {"K": "KG", "KDG": "KG", "KINDERGARTEN": "KG", "PREK": "PK", "PRE-K": "PK", "PREKINDERGARTEN": "PK"}
LONGEST = 20  # characters, as the column holds


def grade(text: str) -> str:
    """The grade as OneRoster spells it; the first where several are named; as it is where it is not known."""
    first = text.split(",")[0].strip().upper()
    if first.isascii() and first.isdecimal() and len(first) < 3 and int(first) > 0:
        return f"{int(first):02}"
    return _SPELLINGS.get(first, first)


def rank(grade: str) -> int:
    """0 for the youngest."""
    return _RANKS.get(grade, LAST)
