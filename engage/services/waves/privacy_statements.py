"""The statements of the privacy notice, as they are shipped, and which of them a wave uses.

Each statement has a text in every language (translations of the `family` domain). Educators and students read some
statements of their own, because what they could fear differs from what families could fear.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engage.services.waves.populations import EDUCATOR, FAMILY, STUDENT

TEXT_DOMAIN = "family"

PARTS = ("who_asks", "who_sees", "used_against", "how_long", "on_phone")
POPULATIONS = (FAMILY, EDUCATOR, STUDENT)
"""Who reads a notice. Liaisons read none: they write down what others said."""


def gettext(sentence: str) -> str:
    """Marks a sentence for extraction; it is translated when it is used."""
    return sentence


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of the notice: its part, the shipped text, the placeholders it must have and may have, whether only
    the district, and no software, can make it true, and who reads it."""

    part: str
    shipped: str
    needs: frozenset[str] = frozenset()
    allows: frozenset[str] = frozenset()
    of_district: bool = False
    populations: tuple[str, ...] = (FAMILY,)


HEADINGS = {
    # translators: on the first page of a survey, a line that opens to show the answer
    "who_asks": gettext("Who is asking?"),
    # translators: on the first page of a survey, a line that opens to show the answer
    "who_sees": gettext("Who sees my answers?"),
    # translators: on the first page of a survey, a line that opens to show the answer
    "used_against": gettext("Can my answers be used against me?"),
    # translators: on the first page of a survey, a line that opens to show the answer; 'them' are the answers
    "how_long": gettext("How long do you keep them?"),
    # translators: on the first page of a survey, a line that opens to show the answer
    "on_phone": gettext("What stays on this phone or computer?"),
}

# translators: on the first page of a survey of students from grade 3, a line that opens to show the answer
TROUBLE = gettext("Can I get in trouble for an answer?")

# translators: privacy: below 'Who is asking?'; district is the name of a school district
CALL_DISTRICT = gettext("%(district)s. Questions? Call %(phone)s.")

# translators: privacy: below 'Who is asking?', where the district has no telephone number for families
WITHOUT_PHONE = gettext("%(district)s. Questions? Ask at your school's office.")

STATEMENTS = {
    "who_asks": Statement(
        "who_asks",
        CALL_DISTRICT,
        allows=frozenset({"district", "phone"}),
        of_district=True,
    ),
    "who_sees_open": Statement(
        "who_sees",
        # translators: privacy: below 'Who sees my answers?'; the answers are anonymous, only sums are shown
        gettext("The school sees what many families said together, never yours alone."),
    ),
    "who_sees_code": Statement(
        "who_sees",
        # translators: privacy: below 'Who sees my answers?'; the answers are anonymous, and each family has a code
        # from a letter. 'It' is the code
        gettext(
            "The school sees what many families said together, never yours alone. "
            "Your code lets your family answer once. We do not store it with your answers."
        ),
    ),
    "who_sees_confidential": Statement(
        "who_sees",
        # translators: privacy: below 'Who sees my answers?'; the answers are confidential, not anonymous
        gettext(
            "Only the few people who help families with these needs see your answers. "
            "Everyone else sees only what many families said together."
        ),
    ),
    "used_against": Statement(
        "used_against",
        # translators: privacy: below 'Can my answers be used against me?'; important to those who fear for their stay
        # in the country
        gettext(
            "We do not ask about immigration. We do not give answers to immigration officers unless a court orders it. "
            "Nobody is punished for an answer."
        ),
        of_district=True,
    ),
    "who_asks_educator": Statement(
        "who_asks",
        CALL_DISTRICT,
        allows=frozenset({"district", "phone"}),
        of_district=True,
        populations=(EDUCATOR,),
    ),
    "who_sees_educator": Statement(
        "who_sees",
        # translators: privacy: below 'Who sees my answers?', for teachers and other educators, each of whom took a slip
        # of paper with a code from a pile. Their names are stored nowhere, so nobody sees who typed the words
        gettext(
            "Your school and district see only what 10 or more educators said together, and the words you type, "
            "without your name. Your code is not stored with your answers, and no list says who took which slip."
        ),
        populations=(EDUCATOR,),
    ),
    "used_against_educator": Statement(
        "used_against",
        # translators: privacy: below 'Can my answers be used against me?', for teachers and other educators, who could
        # fear for their job
        gettext(
            "No one at work can see which answers are yours. Answers are not used to judge your work. "
            "Nobody is punished for an answer."
        ),
        of_district=True,
        populations=(EDUCATOR,),
    ),
    "who_asks_student": Statement(
        "who_asks",
        # translators: privacy: below 'Who is asking?', for students from grade 3, in the form for a class and in the
        # simplest words; district is the name of a school district
        gettext("%(district)s. Do you have a question? Ask your teacher."),
        allows=frozenset({"district", "phone"}),
        of_district=True,
        populations=(STUDENT,),
    ),
    "who_sees_student": Statement(
        "who_sees",
        # translators: privacy: below 'Who sees my answers?', for students from grade 3, in the form for a class and in
        # the simplest words. Each student got a slip of paper with a code
        gettext(
            "Your school and district see only what 10 or more students said together, and the words you type. "
            "They do not see who you are. Your code is not kept with your answers. No list says who got which slip."
        ),
        populations=(STUDENT,),
    ),
    "used_against_student": Statement(
        "used_against",
        # translators: privacy: below 'Can I get in trouble for an answer?', for students from grade 3, in the form for
        # a class and in the simplest words
        gettext("This is not a test. It does not change your grades. Nobody gets in trouble for an answer."),
        of_district=True,
        populations=(STUDENT,),
    ),
    "how_long": Statement(
        "how_long",
        # translators: privacy: below 'How long do you keep them?'; day is a date like June 30, 2029
        gettext("We delete the answers on %(day)s."),
        needs=frozenset({"day"}),
        allows=frozenset({"day"}),
        populations=POPULATIONS,
    ),
    "on_phone_choice": Statement(
        "on_phone",
        # translators: privacy: below 'What stays on this phone or computer?'; the number is a secret that means nothing
        # to others. %(days)s is a time like '30 days'
        gettext(
            "One random number. It is gone when you close the browser, "
            "or after %(days)s if you choose to keep your answers here."
        ),
        needs=frozenset({"days"}),
        allows=frozenset({"days"}),
        populations=(FAMILY, EDUCATOR),
    ),
    "on_phone": Statement(
        "on_phone",
        # translators: privacy: below 'What stays on this phone or computer?'; the number is a secret that means nothing
        # to others
        gettext("One random number. It is gone when you close the browser."),
        populations=(FAMILY, STUDENT),
    ),
}
"""Every statement by its name: those for families in the order they read them, then those of others, then shared
ones."""


def statement_names(identity: str, entry: str, population: str = FAMILY) -> dict[str, str]:
    """The name of the statement in each part of a wave's notice."""
    if population in (EDUCATOR, STUDENT):
        chosen = {part: f"{part}_{population}" for part in ("who_asks", "who_sees", "used_against")}
        chosen["on_phone"] = "on_phone" if population == STUDENT else "on_phone_choice"
    else:
        anonymous = "who_sees_code" if entry == "code" else "who_sees_open"
        by_code = (identity, entry) == ("confidential", "code")  # a household resumes by its code, on any phone
        chosen = {
            "who_sees": "who_sees_confidential" if identity == "confidential" else anonymous,
            "on_phone": "on_phone" if by_code else "on_phone_choice",
        }
    return {part: chosen.get(part, part) for part in PARTS}


def notice_headings(population: str = FAMILY) -> Mapping[str, str]:
    """The heading of each part, in English."""
    return HEADINGS | ({"used_against": TROUBLE} if population == STUDENT else {})
