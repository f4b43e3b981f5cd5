"""One keyed sheet with everything derived from its marks: answers, follow-up requests, remarks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engage.domain.intake.follow_up_requests import FollowUpRequest, find_follow_ups
from engage.domain.intake.form_data import deserialize_draft
from engage.domain.intake.submission import IntakeWave, filter_answers, filter_keyed_values
from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.model import Survey
from engage.questionnaire.question_types import canonical_answers
from engage.services.data_entry.entries import Marks, Remark, find_remarks, parse_marks
from engage.services.data_entry.lookup import PaperSheet


@dataclass(frozen=True, slots=True)
class KeyedSheet:
    """The marks of one sheet and what is derived from them, built once by `build_keyed_sheet`."""

    survey: Survey
    """In English."""
    marks: Marks
    """As keyed, by field name."""
    stored_marks: Marks
    """The marks that a saved sheet stores: in an anonymous wave, without those that open a thread."""
    document: str
    """The answers as stored in the response, canonical JSON."""
    follow_ups: Mapping[str, FollowUpRequest]
    """By kind: "question", "help"."""
    remarks: tuple[Remark, ...]


def build_keyed_sheet(survey: Survey, wave: IntakeWave, marks: Marks) -> KeyedSheet:
    """Build a keyed sheet from marks; `survey` is the wave's, in English."""
    answers, _ = assemble_answers(survey, marks, lenient=True)
    return KeyedSheet(
        survey=survey,
        marks=marks,
        stored_marks=filter_keyed_values(survey, wave, marks),
        document=canonical_answers(filter_answers(survey, wave, answers)).decode(),
        follow_ups={each.kind: each for each in find_follow_ups(survey, answers)},
        remarks=tuple(find_remarks(survey, marks, answers)),
    )


def parse_keyed_sheet(paper: PaperSheet, pairs: Iterable[tuple[str, str]]) -> KeyedSheet:
    """Parse the form fields of a sheet; other fields are ignored. Raises InvalidMark, FormTooLarge."""
    survey = paper.survey("en")
    return build_keyed_sheet(survey, paper.wave, parse_marks(survey, pairs))


def load_keyed_sheet(paper: PaperSheet) -> KeyedSheet | None:
    """The stored content of a saved sheet; None if it is not keyed."""
    if paper.keying is None:
        return None
    return build_keyed_sheet(paper.survey("en"), paper.wave, deserialize_draft(paper.keying.raw))
