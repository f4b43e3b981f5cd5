"""Grades in their order, in OneRoster's spelling (CEDS 000100: IT, PR, PK, TK, KG, 01 to 13, PS, UG, Other), and the
spellings of student information systems."""

import re
from functools import lru_cache

ORDER = ("IT", "PR", "PK", "TK", "KG", *(f"{each:02}" for each in range(1, 14)), "PS")
LAST = len(ORDER)  # rank of a grade without a place in the order; it never decides who is youngest
UNORDERED = ("UG", "OTHER")  # ungraded, and "Other" of CEDS: valid, but without a place in the order
_RANKS = {grade: rank for rank, grade in enumerate(ORDER)}
_ORDINALS = (
    *("FIRST", "SECOND", "THIRD", "FOURTH", "FIFTH", "SIXTH"),
    *("SEVENTH", "EIGHTH", "NINTH", "TENTH", "ELEVENTH", "TWELFTH"),
)
# Letters and digits only. -1, -2, and 0 are from PowerSchool; PK3 and PK4 are for ages three and four; KF and KH are
# full and half day
_SPELLINGS = {
    **dict.fromkeys(("INF", "INFANT", "TODDLER", "INFANTTODDLER", "-3"), "IT"),
    **dict.fromkeys(("PRESCHOOL", "PS3", "PS4", "PPK", "EC", "ECE", "EARLYCHILDHOOD", "-2"), "PR"),
    **dict.fromkeys(("PK3", "3PK", "P3", "3P", "K3", "PREK3", "3YO"), "PR"),
    **dict.fromkeys(("PK4", "4PK", "P4", "4P", "K4", "4K", "PREK4", "4YO", "-1"), "PK"),
    **dict.fromkeys(("PREK", "PREKINDERGARTEN", "PREKG", "PKF", "PKH", "PKA", "PKP", "VPK", "UPK", "P", "PRK"), "PK"),
    **dict.fromkeys(("TRANSITIONALKINDERGARTEN", "TRANSITIONALK", "KT", "TRK"), "TK"),
    **dict.fromkeys(("0", "00", "K", "KF", "KH", "KDG", "KIN", "KIND", "KINDER", "KINDERGARTEN", "5K", "K5"), "KG"),
    **dict.fromkeys(("KA", "KP", "KAM", "KPM", "KGA", "KGP", "KGF", "KGH", "KFD", "KHD", "GK"), "KG"),
    **{name: f"{number:02}" for number, name in enumerate(_ORDINALS, 1)},
    **dict.fromkeys(("FRESHMAN", "FR"), "09"),
    **dict.fromkeys(("SOPHOMORE", "SO"), "10"),
    **dict.fromkeys(("JUNIOR", "JR"), "11"),
    **dict.fromkeys(("SENIOR", "SR"), "12"),
    **dict.fromkeys(("POSTSECONDARY", "POSTGRADUATE"), "PS"),
    **dict.fromkeys(("UNGRADED", "UN"), "UG"),
}
_NUMBER = re.compile(r"0*([1-9]|1[0-3])(ST|ND|RD|TH)?")


@lru_cache(maxsize=1024)
def parse_grade(text: str) -> str | None:
    """Return the grade in OneRoster's spelling, the first of several; "" if the text is empty, None if it is
    unknown."""
    plain = re.sub(r"[\s._/]+|(?<=\w)-", "", text.split(",")[0].upper())
    if not plain or plain in _RANKS or plain in UNORDERED:
        return plain
    plain = re.sub(r"^(?:GRADE|GRD?|G(?=\d))(?=\w)|(?<=\w)(?:GRADE|GR)$", "", plain)
    if number := _NUMBER.fullmatch(plain):
        return f"{int(number[1]):02}"
    return plain if plain in _RANKS else _SPELLINGS.get(plain)


def grade_rank(grade: str) -> int:
    """Return the rank of a grade: 0 for the youngest, LAST if it has no place in the order."""
    return _RANKS.get(grade, LAST)
