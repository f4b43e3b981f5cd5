"""Instructions on slips of paper with an access code, which are handed out for anonymous surveys.

A slip is taken from a pile, so nothing says who has which code. The instructions stand beside a square code for a
camera, above a web address to type and the access code. `words` is the catalog of the slip's language.
"""

from collections.abc import Callable
from gettext import NullTranslations

TEXT_DOMAIN = "family"


def slip_instructions(population: str, words: NullTranslations) -> str:
    """Return what people read on a slip: of the questionnaire's population, "educator" or "student". Raises ValueError
    for another."""
    if population not in INSTRUCTIONS:
        raise ValueError(f"there are no slips for the population {population}")
    return INSTRUCTIONS[population](words)


def educator_instructions(words: NullTranslations) -> str:
    """Return what educators read on a slip."""
    # translators: privacy: on a slip of paper for teachers and other educators, who take it from a pile: beside a
    # square code for a camera, above a web address and the access code. 'It' is the code
    return words.gettext(
        "Scan the square with a phone. Or type the address, then this code. It works once. Nobody can see who used it."
    )


def student_instructions(words: NullTranslations) -> str:
    """Return what students read on a slip, in words for grade 3. A teacher may read it aloud to the class."""
    # translators: privacy: on a slip of paper for students from grade 3, who take it from a pile; a teacher may read
    # it aloud. It stands beside a square code for a camera, above a web address and the access code. Use the simplest
    # words. 'It' is the code
    return words.gettext(
        "Point a camera at the square. Or type the address, then type this code. It works one time. Nobody can see "
        "who used it."
    )


INSTRUCTIONS: dict[str, Callable[[NullTranslations], str]] = {
    "educator": educator_instructions,
    "student": student_instructions,
}
