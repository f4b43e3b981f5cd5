"""Questions for the people who meet, tied to the figures: who is missing, what is asked for, what surprises."""

from collections.abc import Iterator

from engage.checkpoints.findings import Finding, Line
from engage.checkpoints.report import Answered, Part, Report
from engage.checkpoints.rows import percent
from engage.checkpoints.sayings import Sayings
from engage.records.schools import UNDETERMINED
from engage.records.strata import OTHER

CLEAR = 0.5  # an answer half of those who answered gave is called the common one


def prompts(report: Report, said: Sayings) -> Iterator[str]:
    """Sentences to talk about, a handful in all."""
    for part in report.parts:
        yield from _missing(part, report, said)
        yield from _wanted(part, said)
        yield from _common(part, said)
    # translators: a question for a meeting about survey results
    yield said.words.gettext("What would families say about these figures if they sat at this table?")
    # translators: a question for a meeting about survey results
    yield said.words.gettext("Which of these needs can we meet before we meet again? Who does it, and by when?")


def least_heard(part: Part) -> Answered | None:
    """The language with the smallest share of households that answered, if any share is known. The small languages
    of all schools taken together are not one, nor is a language that is not known."""
    languages = [each for each in part.coverage.get("language", ()) if each.code not in (OTHER, UNDETERMINED)]
    known = [each for each in languages if each.share is not None and each.responses]
    return min(known, key=lambda each: (each.share, each.code), default=None)


def top(finding: Finding) -> Line | None:
    """The answer given most often, "none of these" aside, if its share is shown."""
    alone = {choice.code for choice in finding.question.choices if choice.exclusive}
    shown = [line for line in finding.whole.lines if line.row.share is not None and line.label is not None]
    known = [line for line in shown if line.row.answer not in alone]
    return max(known, key=lambda line: line.row.share or 0.0, default=None)


def _missing(part: Part, report: Report, said: Sayings) -> Iterator[str]:
    group = least_heard(part)
    if group is not None and group.code is not None:
        # translators: a question for a meeting; %(survey)s is a survey's title, %(language)s the name of a language
        sentence = said.words.gettext(
            "%(survey)s: of the households that read %(language)s, %(share)s answered (%(count)s of %(all)s). "
            "What would the others add, and how can we ask them?"
        )
        if part.counting == "student":
            # translators: a question for a meeting; %(survey)s is a survey's title, %(language)s the name of a language
            sentence = said.words.gettext(
                "%(survey)s: for the students whose families read %(language)s, %(share)s of the answers came "
                "(%(count)s of %(all)s). What would the others add, and how can we ask them?"
            )
        yield sentence % {
            "survey": part.survey.title,
            "language": said.tongue(group.code),
            "share": percent(group.share),
            "count": said.number(group.responses),
            "all": said.number(group.households),
        }


def _wanted(part: Part, said: Sayings) -> Iterator[str]:
    for finding in part.findings:
        line = top(finding) if finding.question.asks == "help" else None
        if line is not None and line.row.count:
            # translators: a question for a meeting; %(answer)s is the help families asked for most
            sentence = said.words.gettext(
                "The help asked for most is “%(answer)s” (%(count)s, %(share)s). What can we offer, and from when?"
            )
            yield sentence % _told(line, said)


def _common(part: Part, said: Sayings) -> Iterator[str]:
    common = [(line.row.share or 0.0, finding, line) for finding in part.findings if (line := top(finding))]
    common = [each for each in common if each[0] >= CLEAR and each[1].question.asks is None]
    if common:
        _, finding, line = max(common, key=lambda each: each[0])
        # translators: a question for a meeting; %(question)s is a survey's question, %(answer)s what most families said
        sentence = said.words.gettext(
            "“%(question)s” Most said “%(answer)s” (%(share)s). Did you expect this? "
            "Who would say something else, and why?"
        )
        yield sentence % {"question": finding.question.text, **_told(line, said)}


def _told(line: Line, said: Sayings) -> dict[str, str]:
    return {"answer": said.label(line), "count": said.number(line.row.count), "share": said.share(line)}
