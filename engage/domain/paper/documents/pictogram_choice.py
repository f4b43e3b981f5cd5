"""Selection of pictograms for the choices of a scale, by their codes, which are English in every language."""

from collections.abc import Sequence

from engage.questionnaire.model import Question

GOOD = {"agree", "easy", "good", "happy", "help", "satisfied", "well", "safe", "welcome", "better", "pleased"}
BAD = {
    *(
        "disagree",
        "hard",
        "difficult",
        "bad",
        "hurt",
        "unhappy",
        "dissatisfied",
        "unsafe",
        "unwelcome",
        "worse",
        "poor",
    ),
}
MUCH = {
    "much",
    "very",
    "most",
    "mostly",
    "extremely",
    "full",
    "all",
    "lot",
    "always",
    "often",
    "daily",
    "every",
    "high",
}
LITTLE = {"not", "none", "no", "never", "rarely", "seldom", "little", "low", "least", "few", "hardly"}
AMOUNTS = {"much", "little", "some", "none", "lot", "all", "partly", "mostly", "extremely"}
YES_NO = {"yes": "yes", "no": "no", "sometimes": "partly", "partly": "partly", "maybe": "partly"}


def choose_pictograms(question: Question) -> list[tuple[str, float]]:
    """Return shape and level of the pictogram for every choice, in order; [] if pictograms cannot express the choices.

    Yes and no; faces for a scale from bad to good; glasses for amounts; steps for any other scale.
    """
    codes = [choice.code for choice in question.choices]
    if question.kind == "one" and {"yes", "no"} <= set(codes) <= YES_NO.keys():
        return [(YES_NO[code], 0.0) for code in codes]
    if question.kind != "scale" or len(codes) < 2:
        return []
    shape, falling = _scale_shape(codes)
    levels = [number / (len(codes) - 1) for number in range(len(codes))]
    return [(shape, 1 - level if falling else level) for level in levels]


def _scale_shape(codes: Sequence[str]) -> tuple[str, bool]:
    """Return the shape for a scale, and whether it begins with the most or best."""
    first, last = (set(code.split("_")) for code in (codes[0], codes[-1]))
    if "too" in first & last:  # the middle is the good point
        return "steps", False
    if first & BAD and last & GOOD:
        return "face", False
    if first & GOOD and last & BAD:
        return "face", True
    every = {part for code in codes for part in code.split("_")}
    amounts = len(every & AMOUNTS) >= 2 and not every & {"never", "always"}
    return "glass" if amounts else "steps", _is_much(first) and not _is_much(last)


def _is_much(parts: set[str]) -> bool:
    return bool(parts & MUCH) and not parts & LITTLE
