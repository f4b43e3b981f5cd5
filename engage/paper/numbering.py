"""The numbers questions carry on paper: the same on the sheet, in its directions and on the keying screen."""

from engage.questionnaire.shape import Survey


def numbers(survey: Survey) -> dict[str, int]:
    """Question id to printed number, 1..n in survey order. Notes have none; a child block repeats the same numbers."""
    asked = (question.id for _, question in survey.questions() if question.kind != "note")
    return {id: number for number, id in enumerate(asked, 1)}
