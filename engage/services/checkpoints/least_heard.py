"""Discussion questions about the groups with the lowest coverage: of families, the languages, first those from which
nobody answered; of educators and students, a school."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from engage.services.checkpoints.report import Report
from engage.services.checkpoints.report_parts import GroupCoverage, ReportPart
from engage.services.checkpoints.wording import FigureWording
from engage.services.waves.populations import FAMILY
from engage.storage.language_groups import OTHER
from engage.storage.models.schools import UNDETERMINED

LEAST = 10  # households of a language, or people of a school, before it is named: fewer are too few to compare


def least_heard_prompts(part: ReportPart, report: Report, wording: FigureWording) -> Iterator[str]:
    """Questions about the groups of one survey."""
    if part.population == FAMILY:
        yield from _language_prompts(part, report, wording)
    elif wording.people.least_heard:
        yield from _school_prompts(part, report, wording)


def _school_prompts(part: ReportPart, report: Report, wording: FigureWording) -> Iterator[str]:
    """A question about the school with the lowest share, unless everybody answered there. Merged schools are not
    named."""
    named = [each for each in part.coverage.get("school", ()) if each.code != OTHER and (each.households or 0) >= LEAST]
    least = find_smallest_share([each for each in named if each.responses != each.households])
    if least is not None:
        yield wording.people.least_heard % {
            "survey": part.survey.title,
            "school": wording.group("school", least.code or "", dict(report.schools)),
            "share": least.percent,
            "count": wording.number(least.responses),
            "all": wording.number(least.households),
        }


def _language_prompts(part: ReportPart, report: Report, wording: FigureWording) -> Iterator[str]:
    """Questions about the languages that nobody answered in, those with suppressed numbers, and the one with the lowest
    share of the others.

    The merged group of small languages and the group of unknown languages are not named.
    """
    languages = part.coverage.get("language", ())
    named = [each for each in languages if each.code not in (OTHER, UNDETERMINED) and (each.households or 0) >= LEAST]
    silent = sorted((each for each in named if each.responses == 0), key=lambda each: -(each.households or 0))
    if silent:
        yield _no_answers_prompt(part, silent, wording)
    hidden = [each for each in languages if each.responses is None]
    if hidden and part.responses is not None:
        yield from _hidden_numbers_prompt(part, languages, hidden, report, wording)
    least = find_smallest_share([each for each in named if each.responses])
    if least is not None:
        yield _smallest_share_prompt(part, least, wording)


def find_smallest_share(groups: Sequence[GroupCoverage]) -> GroupCoverage | None:
    """The group with the smallest share, among those whose share is shown."""
    shares = [(share, each.code or "", each) for each in groups if (share := each.share) is not None]
    return min(shares, default=(Fraction(0), "", None), key=lambda each: each[:2])[2]


def _no_answers_prompt(part: ReportPart, groups: Sequence[GroupCoverage], wording: FigureWording) -> str:
    # translators: a question for a meeting; %(survey)s is a survey's title, %(groups)s is a list such as
    # "Somali (0 of 40), Arabic (0 of 30)"
    sentence = wording.words.gettext(
        "%(survey)s: no family that reads one of these languages answered: %(groups)s. What would they say, and "
        "how can we ask them?"
    )
    named = (_format_language_count(wording.tongue(each.code or ""), 0, each.households, wording) for each in groups)
    return sentence % {"survey": part.survey.title, "groups": wording.enumerated(named)}


def _format_language_count(name: str, count: int, of: int | None, wording: FigureWording) -> str:
    # translators: a language, and how many of its households answered, such as "Somali (0 of 40)"
    text = wording.words.gettext("%(language)s (%(count)s of %(all)s)")
    return text % {"language": name, "count": wording.number(count), "all": wording.number(of)}


def _hidden_numbers_prompt(
    part: ReportPart,
    languages: Sequence[GroupCoverage],
    hidden: Sequence[GroupCoverage],
    report: Report,
    wording: FigureWording,
) -> Iterator[str]:
    """A question about suppressed languages that shows only their sum, which follows from all other numbers."""
    (everybody,) = part.coverage["all"]
    others = [each for each in languages if each not in hidden]
    answered = (everybody.responses or 0) - sum(each.responses or 0 for each in others)
    households = (everybody.households or 0) - sum(each.households or 0 for each in others)
    if households < max(answered, LEAST):
        return
    # translators: a question for a meeting; %(survey)s is a survey's title, %(languages)s a list of languages; each
    # number alone is hidden to protect families, because at least one of them is small
    sentence = wording.words.gettext(
        "%(survey)s: these languages are counted together: %(languages)s. In all, %(count)s of %(all)s answered. "
        "At least one of these languages has fewer than %(minimum)s answers. What would the others add, and how "
        "can we ask them?"
    )
    yield sentence % {
        "survey": part.survey.title,
        "count": wording.number(answered),
        "all": wording.number(households),
        "languages": wording.enumerated(wording.tongue(each.code or "") for each in hidden),
        "minimum": wording.number(report.minimum),
    }


def _smallest_share_prompt(part: ReportPart, group: GroupCoverage, wording: FigureWording) -> str:
    # translators: a question for a meeting; %(survey)s is a survey's title, %(language)s the name of a language
    sentence = wording.words.gettext(
        "%(survey)s: of the households that read %(language)s, %(share)s answered (%(count)s of %(all)s). "
        "What would the others add, and how can we ask them?"
    )
    if part.counting == "student":
        # translators: a question for a meeting; %(survey)s is a survey's title, %(language)s the name of a language
        sentence = wording.words.gettext(
            "%(survey)s: we got answers for %(share)s of the students whose families read %(language)s "
            "(%(count)s of %(all)s). What would the others add, and how can we ask them?"
        )
    return sentence % {
        "survey": part.survey.title,
        "language": wording.tongue(group.code or ""),
        "share": group.percent,
        "count": wording.number(group.responses),
        "all": wording.number(group.households),
    }
