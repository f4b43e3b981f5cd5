"""Questions for the people who meet, tied to the figures: who is missing, what is asked for, what surprises."""

from collections.abc import Iterator

from engage.services.checkpoints.findings import Finding, Line
from engage.services.checkpoints.least_heard import least_heard
from engage.services.checkpoints.report import Part, Report
from engage.services.checkpoints.wording import Sayings

CLEAR = 0.5  # an answer half of those who answered gave is called the common one


def prompts(report: Report, said: Sayings) -> Iterator[str]:
    """Sentences to talk about, a handful in all."""
    for part in report.parts:
        yield from least_heard(part, report, said)
        yield from _wanted(part, said)
        yield from _common(part, said)
    # translators: a question for a meeting about survey results
    yield said.words.gettext("What would families say about these figures if they sat at this table?")
    # translators: a question for a meeting about survey results
    yield said.words.gettext("Which of these needs can we meet before we meet again? Who does it, and by when?")


def top(finding: Finding) -> Line | None:
    """The answer given most often, "none of these" aside, if its share is shown."""
    alone = {choice.code for choice in finding.question.choices if choice.exclusive}
    shown = [line for line in finding.whole.lines if line.row.share is not None and line.label is not None]
    known = [line for line in shown if line.row.answer not in alone]
    return max(known, key=lambda line: line.row.share or 0.0, default=None)


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
