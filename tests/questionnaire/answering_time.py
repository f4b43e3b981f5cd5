"""The rule for the minutes that a survey takes.

A slow reader reads at 57% of the mean speed of adults in each language: 130 words a minute in English. The means are
from Trauzettel-Klosinski and Dietz 2012 ("Standardized assessment of reading performance: the new International Reading
Speed Texts IReST", IOVS 53(9)): English 228, Spanish 218, Arabic 138 words a minute, Chinese 255 characters a minute.
Somali and Vietnamese were not measured there, so their texts take as long as the English ones.
"""

import re
import unicodedata

from engage.questionnaire.model import Question, Survey

SLOW = 130 / 228
SPEEDS = {"en": 228, "es": 218, "ar": 138, "zh-Hans": 255}  # words a minute; Chinese: characters
TAP, WRITING = 3, 10  # seconds; writing takes 20 s, and half of all people write


def seconds_to_answer(survey: Survey, tag: str = "en", children: int = 2, pace: float = SLOW) -> float:
    """Return the seconds for every question on the longest route, in a language that was measured. `pace` is the share
    of the mean speed."""
    seconds = 0.0
    for section, question in survey.questions():
        if question.kind == "words" and survey.population != "liaison" and question.shown_when:
            continue  # few choose "Something else"
        once = _reading(_texts(question), tag, pace) + (WRITING if question.kind in ("words", "long_words") else TAP)
        seconds += once * (children if section.repeat else 1)
    return seconds + sum(_reading([str(section.intro)], tag, pace) for section in survey.sections)


def _texts(question: Question) -> list[str]:
    if question.id == "grade":
        return [str(question.text)]  # one finds one's number without reading the others
    return [str(each) for each in (question.text, question.hint, *(choice.text for choice in question.choices))]


def _reading(texts: list[str], tag: str, pace: float) -> float:
    """Return the seconds to read texts."""
    plain = "".join(each for each in " ".join(texts) if unicodedata.category(each) != "Mn")  # Arabic vowel signs
    units = re.findall(r"\w" if tag == "zh-Hans" else r"\w+", plain)
    return len(units) / (SPEEDS[tag] * pace) * 60
