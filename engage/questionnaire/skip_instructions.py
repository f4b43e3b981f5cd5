"""A survey's rule as a printed instruction: "Answer this only if you chose 2 (Tablet) in question 4."

Every form of rule has its own complete sentence. "and" and "or" become lists of complete sentences, one per line.
"""

from dataclasses import dataclass
from gettext import NullTranslations

from engage.questionnaire.answer_text import box_text
from engage.questionnaire.model import Question, Survey
from engage.questionnaire.numbering import question_numbers
from engage.questionnaire.question_types import AnswerBox, answer_boxes
from engage.questionnaire.rules import And, Compare, Not, Or, Rule

ISOLATE, POP = "\u2068", "\u2069"  # keep a choice in another script from reordering the sentence
CHOSEN = ("is", "includes")
OPPOSITES = {
    "is": "was not",  # also true for a blank, unlike "is not"
    "includes": "was not",
    "is not": "is",
    "does not include": "includes",
    "is answered": "is not answered",
    "is not answered": "is answered",
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "=": "other",
}


def gettext(sentence: str) -> str:
    """Mark a sentence for extraction only. It is translated where it is used."""
    return sentence


DIRECTIONS = {
    # translators: printed above a question; choice is the number of a box and its words, like 2 (Tablet)
    "is": gettext("Answer this only if you chose %(choice)s in question %(number)s."),
    # translators: printed above a question; the person answered the earlier question, but not with this choice
    "is not": gettext("Answer this only if you chose something other than %(choice)s in question %(number)s."),
    # translators: printed above a question; several boxes could be crossed in the earlier question
    "does not include": gettext("Answer this only if you answered question %(number)s and did not choose %(choice)s."),
    # translators: printed above a question; choice is the number of a box and its words, like 2 (Tablet)
    "was not": gettext("Answer this only if you did not choose %(choice)s in question %(number)s."),
    # translators: printed above a question; choices is a list, like 2 (Tablet), 3 (Phone)
    "one of": gettext("Answer this only if you chose one of these in question %(number)s: %(choices)s."),
    # translators: printed above a question
    "is answered": gettext("Answer this only if you answered question %(number)s."),
    # translators: printed above a question
    "is not answered": gettext("Answer this only if you did not answer question %(number)s."),
    # translators: printed above a question; value is a number, like 3
    "<": gettext("Answer this only if your number in question %(number)s is less than %(value)s."),
    # translators: printed above a question; value is a number, like 3
    "<=": gettext("Answer this only if your number in question %(number)s is %(value)s or less."),
    # translators: printed above a question; value is a number, like 3
    ">": gettext("Answer this only if your number in question %(number)s is more than %(value)s."),
    # translators: printed above a question; value is a number, like 3
    ">=": gettext("Answer this only if your number in question %(number)s is %(value)s or more."),
    # translators: printed above a question; value is a number, like 3
    "=": gettext("Answer this only if your number in question %(number)s is %(value)s."),
    # translators: printed above a question; value is a number, like 3
    "other": gettext("Answer this only if your number in question %(number)s is not %(value)s."),
    # translators: printed above a question; below it comes a list of sentences like "You answered question 4."
    "all": gettext("Answer this only if all of these are true:"),
    # translators: printed above a question; below it comes a list of sentences like "You answered question 4."
    "any": gettext("Answer this only if one or more of these are true:"),
}
STATEMENTS = {
    # translators: one line of a list; choice is the number of a box and its words, like 2 (Tablet)
    "is": gettext("You chose %(choice)s in question %(number)s."),
    # translators: one line of a list; the person answered the question, but not with this choice
    "is not": gettext("You chose something other than %(choice)s in question %(number)s."),
    # translators: one line of a list; several boxes could be crossed in the question
    "does not include": gettext("You answered question %(number)s and did not choose %(choice)s."),
    # translators: one line of a list; choice is the number of a box and its words, like 2 (Tablet)
    "was not": gettext("You did not choose %(choice)s in question %(number)s."),
    # translators: one line of a list; choices is a list, like 2 (Tablet), 3 (Phone)
    "one of": gettext("You chose one of these in question %(number)s: %(choices)s."),
    # translators: one line of a list
    "is answered": gettext("You answered question %(number)s."),
    # translators: one line of a list
    "is not answered": gettext("You did not answer question %(number)s."),
    # translators: one line of a list; value is a number, like 3
    "<": gettext("Your number in question %(number)s is less than %(value)s."),
    # translators: one line of a list; value is a number, like 3
    "<=": gettext("Your number in question %(number)s is %(value)s or less."),
    # translators: one line of a list; value is a number, like 3
    ">": gettext("Your number in question %(number)s is more than %(value)s."),
    # translators: one line of a list; value is a number, like 3
    ">=": gettext("Your number in question %(number)s is %(value)s or more."),
    # translators: one line of a list; value is a number, like 3
    "=": gettext("Your number in question %(number)s is %(value)s."),
    # translators: one line of a list; value is a number, like 3
    "other": gettext("Your number in question %(number)s is not %(value)s."),
    # translators: one line of a list; below it comes a list of sentences like "You answered question 4."
    "all": gettext("All of these are true:"),
    # translators: one line of a list; below it comes a list of sentences like "You answered question 4."
    "any": gettext("One or more of these are true:"),
}


@dataclass(frozen=True, slots=True)
class RuleSentence:
    """A rule without negations. `shape` is a key of the sentences above."""

    shape: str
    name: str = ""
    values: tuple[str | int, ...] = ()
    parts: tuple["RuleSentence", ...] = ()


def format_direction(rule: Rule, survey: Survey, words: NullTranslations, keys: bool = True) -> str:
    """Return the rule as an instruction in the language of `words` and `survey`. Lists have one line per sentence
    ("\\n").

    With `keys`, choices include the key of their box, as on paper. On screen there are no keys.
    """
    return "\n".join(_format_lines(_rule_sentence(rule, True), survey, words, keys, DIRECTIONS))


def _rule_sentence(rule: Rule, expected: bool) -> RuleSentence:
    """Return the rule without "not": negation is moved into the comparisons."""
    match rule:
        case Not(inner):
            return _rule_sentence(inner, not expected)
        case Compare(name, operator, value):
            shape = operator if expected else OPPOSITES[operator]
            return RuleSentence("is" if shape in CHOSEN else shape, name, () if value is None else (value,))
        case And(rules) | Or(rules):
            parts = tuple(_rule_sentence(part, expected) for part in rules)
            return RuleSentence("all", parts=parts) if isinstance(rule, And) == expected else _merge_choices(parts)


def _merge_choices(parts: tuple[RuleSentence, ...]) -> RuleSentence:
    """Return one sentence if all parts are choices of the same question."""
    if all(part.shape == "is" and part.name == parts[0].name for part in parts):
        return RuleSentence("one of", parts[0].name, tuple(value for part in parts for value in part.values))
    return RuleSentence("any", parts=parts)


def _format_lines(
    sentence: RuleSentence, survey: Survey, words: NullTranslations, keys: bool, sentences: dict[str, str]
) -> list[str]:
    lines = [words.gettext(sentences[sentence.shape]) % _sentence_values(sentence, survey, words, keys)]
    for part in sentence.parts:
        first, *rest = _format_lines(part, survey, words, keys, STATEMENTS)
        lines += [f"• {first}", *(f"\u2003{line}" for line in rest)]
    return lines


def _sentence_values(sentence: RuleSentence, survey: Survey, words: NullTranslations, keys: bool) -> dict[str, object]:
    if not sentence.name:
        return {}
    values: dict[str, object] = {"number": question_numbers(survey)[sentence.name]}
    if sentence.shape in ("is", "is not", "does not include", "was not", "one of"):
        choices = [_choice_label(survey, sentence.name, str(code), keys) for code in sentence.values]
        # translators: stands between the items of a list: 2 (Tablet), 3 (Phone)
        values |= {"choice": choices[0], "choices": words.gettext(", ").join(choices)}
    elif sentence.values:
        values["value"] = sentence.values[0]
    return values


def _choice_label(survey: Survey, name: str, code: str, keys: bool) -> str:
    question = survey.question(name)
    choice = question.choice(code)
    text = str(choice.text) if choice else code
    if not keys:
        return f"{ISOLATE}“{text}”{POP}"
    key = next((box.key for box in answer_boxes(question) if box.value == code), code)
    return _key_and_text(key, text)


def choice_words(question: Question, box: AnswerBox, words: NullTranslations) -> str:
    """Return a box as sentences name it: its printed key and its text, like 2 (Tablet)."""
    return _key_and_text(box.key, box_text(question, box.value, words.gettext))


def _key_and_text(key: str, text: str) -> str:
    return f"{key} ({ISOLATE}{text}{POP})"
