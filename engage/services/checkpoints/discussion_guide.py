"""Discussion questions for a meeting, based on the figures: missing groups, requests, and surprises."""

from collections.abc import Iterator

from engage.services.checkpoints.findings import Finding, FindingLine
from engage.services.checkpoints.least_heard import least_heard_prompts
from engage.services.checkpoints.report import Report
from engage.services.checkpoints.report_parts import ReportPart
from engage.services.checkpoints.wording import FigureWording
from engage.services.waves.populations import FAMILY

CLEAR = 0.5  # an answer is called common if at least half of those who answered gave it


def discussion_prompts(report: Report, wording: FigureWording) -> Iterator[str]:
    """Questions to discuss, about five in all."""
    for part in report.parts:
        part_wording = wording.of(part.population)
        yield from least_heard_prompts(part, report, part_wording)
        if part.population == FAMILY:
            yield from _help_prompts(part, part_wording)
        yield from _common_answer_prompts(part, part_wording)
    perspectives = [wording.of(each).people.perspective for each in report.populations or (FAMILY,)]
    yield from filter(None, perspectives)
    # translators: a question for a meeting about survey results
    yield wording.words.gettext(
        "Which of these needs can we meet before our next meeting? Who will do it, and by when?"
    )


def most_common_answer(finding: Finding) -> FindingLine | None:
    """The most frequent answer other than "none of these", if its share is shown."""
    alone = {choice.code for choice in finding.question.choices if choice.exclusive}
    choices = [line for line in finding.whole.lines if line.row.share is not None and line.label is not None]
    answers = [line for line in choices if line.row.answer not in alone]
    return max(answers, key=lambda line: line.row.share or 0.0, default=None)


def _help_prompts(part: ReportPart, wording: FigureWording) -> Iterator[str]:
    for finding in part.findings:
        line = most_common_answer(finding) if finding.question.asks == "help" else None
        if line is not None and line.row.count:
            # translators: a question for a meeting; %(answer)s is the help families asked for most
            sentence = wording.words.gettext(
                "Families asked most often for this help: “%(answer)s” (%(count)s, %(share)s). What can we "
                "offer, and when?"
            )
            yield sentence % _prompt_values(line, wording)


def _common_answer_prompts(part: ReportPart, wording: FigureWording) -> Iterator[str]:
    common = [
        (line.row.share or 0.0, finding, line) for finding in part.findings if (line := most_common_answer(finding))
    ]
    common = [each for each in common if each[0] >= CLEAR and each[1].question.asks is None]
    if common:
        _, finding, line = max(common, key=lambda each: each[0])
        # translators: a question for a meeting; %(question)s is a survey's question, %(answer)s what most said
        sentence = wording.people.common or wording.words.gettext(
            "“%(question)s” Most said “%(answer)s” (%(share)s). Did you expect this? "
            "Who would say something else, and why?"
        )
        yield sentence % {"question": finding.question.text, **_prompt_values(line, wording)}


def _prompt_values(line: FindingLine, wording: FigureWording) -> dict[str, str]:
    return {"answer": wording.label(line), "count": wording.number(line.row.count), "share": wording.share(line)}
