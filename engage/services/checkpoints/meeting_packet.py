"""The meeting packet as plain blocks, which the PDF and HTML renderers lay out.

A block is a tuple: ("heading", level, text) · ("paragraph", text) · ("strong", text) · ("remark", text) ·
("list", texts) · ("table", header, rows, sides) · ("bars", [(label, share or None, text)]) · ("lines", number) ·
("page",) for a page break.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from babel.dates import format_date

from engage.services.checkpoints.comparison_wording import comparison_blocks
from engage.services.checkpoints.coverage_wording import burst_text, households_text, share_text
from engage.services.checkpoints.discussion_guide import discussion_prompts
from engage.services.checkpoints.findings import Finding, FindingGroup
from engage.services.checkpoints.report import Promise, Report
from engage.services.checkpoints.report_parts import GroupCoverage, ReportPart
from engage.services.checkpoints.wording import FigureWording
from engage.services.waves.populations import FAMILY, LIAISON

Block = tuple[Any, ...]
WIDEST = 8  # groups side by side on a page
WRITING = 2  # blank lines below each discussion question


def packet_blocks(report: Report, wording: FigureWording) -> Iterator[Block]:
    """The whole packet: introduction, discussion questions, coverage, findings, promises, and tables by group."""
    yield from _cover_blocks(report, wording)
    yield from _discussion_blocks(report, wording)
    for part in report.parts:
        yield ("page",)
        yield ("heading", 2, part.survey.title)
        yield from _coverage_blocks(part, report, wording)
        for finding in part.findings:
            yield from _finding_blocks(finding, wording.of(part.population))
    if comparisons := comparison_blocks(report, wording):
        yield ("page",)
        yield from comparisons
    yield from _promise_blocks(report, wording)
    yield from _appendix_blocks(report, wording)


def format_day(when: date, wording: FigureWording) -> str:
    """A date with the name of its month."""
    return str(format_date(when, "long", locale=wording.language.locale))


def figures_status_text(report: Report, wording: FigureWording) -> str:
    """The day of the figures, and whether they may still change."""
    if report.digest is None:
        # translators: on a report whose figures may still change
        return wording.words.gettext("Draft. Figures as of %(day)s. They may still change.") % {
            "day": format_day(report.as_of, wording)
        }
    # translators: on a report whose figures are final
    return wording.words.gettext("Figures frozen on %(day)s. They never change.") % {
        "day": format_day(report.as_of, wording)
    }


def reading_notes(report: Report, wording: FigureWording, ranges: bool = True) -> list[str]:
    """Plain sentences on what the numbers mean and what is not shown; `ranges` if likely ranges are shown too."""
    words = wording.words
    # translators: how to read a table of survey results; families, educators, or students have answered
    shares = words.gettext("For each percent, we count only those who answered the question.")
    # translators: how to read a table of survey results
    small = words.gettext(
        "A small difference between two groups may be due to chance, especially if their ranges overlap."
    )
    # translators: how to read a table of survey results
    siblings = words.gettext(
        "Brothers and sisters often have the same answers. So the range is wider for a question that was "
        "answered for each child."
    )
    if report.populations == (LIAISON,):
        return [suppression_note(report, wording)]
    children = any(finding.children for part in report.parts for finding in part.findings)
    sure = [_range_note(report, wording), small, *([siblings] if children else [])]
    return [shares, *(sure if ranges else []), suppression_note(report, wording)]


def _range_note(report: Report, wording: FigureWording) -> str:
    """What a likely range means."""
    populations = _answering_populations(report)
    if len(populations) == 1:
        return wording.of(populations[0]).people.likely
    # translators: how to read a table of survey results: about the range a share lies in; families, educators, or
    # students have answered
    return wording.words.gettext(
        "Not everyone answered. “61% to 74%” means: if those who did not answer think like those who did, the "
        "share among all who could have answered very likely lies between these two."
    )


def _answering_populations(report: Report) -> tuple[str, ...]:
    """Who answered, without liaisons unless there is nobody else: their debriefs have no shares."""
    others = tuple(each for each in report.populations if each != LIAISON)
    return others or report.populations or (FAMILY,)


def suppression_note(report: Report, wording: FigureWording, part: ReportPart | None = None) -> str:
    """Why some numbers are not shown: in one survey, or in the report as a whole."""
    populations = (part.population,) if part else _answering_populations(report)
    least = max((report.minimum_of(each) for each in report.parts if each.population in populations), default=0)
    if len(populations) == 1:
        return wording.of(populations[0]).people.few % {"minimum": wording.number(least or report.minimum)}
    if FAMILY in populations:
        # translators: privacy: how to read a table of survey results
        sentence = wording.words.gettext(
            "If a number comes from fewer than %(families)s families, or from fewer than %(people)s educators or "
            "students, we hide it to protect them. We hide some larger numbers too, so that the small ones cannot be "
            "worked out."
        )
        return sentence % {"families": wording.number(report.minimum), "people": wording.number(least)}
    # translators: privacy: how to read a table of survey results
    sentence = wording.words.gettext(
        "If a number comes from fewer than %(minimum)s people, we hide it to protect them. We hide some larger numbers "
        "too, so that the small ones cannot be worked out."
    )
    return sentence % {"minimum": wording.number(least)}


def _cover_blocks(report: Report, wording: FigureWording) -> Iterator[Block]:
    yield ("heading", 1, report.title)
    # translators: on the cover of a report; %(day)s is the day of the meeting
    yield ("strong", wording.words.gettext("Meeting on %(day)s") % {"day": format_day(report.meets_on, wording)})
    yield ("paragraph", figures_status_text(report, wording))
    if report.digest is not None:
        # translators: on the cover of a report; the digest is a long number that proves the figures were not changed
        yield ("remark", wording.words.gettext("Digest of the figures: %(digest)s") % {"digest": report.digest})
    # translators: heading in a report
    yield ("heading", 2, wording.words.gettext("How to read this"))
    yield ("list", reading_notes(report, wording))


def _discussion_blocks(report: Report, wording: FigureWording) -> Iterator[Block]:
    # translators: heading in a report: questions for the people who meet
    yield ("heading", 2, wording.words.gettext("Questions to talk about"))
    for prompt in discussion_prompts(report, wording):
        yield ("paragraph", prompt)
        yield ("lines", WRITING)


def _coverage_blocks(part: ReportPart, report: Report, wording: FigureWording) -> Iterator[Block]:
    wording = wording.of(part.population)
    yield ("heading", 3, coverage_heading(wording))
    # translators: the days a survey was open
    opened = wording.words.gettext("Survey dates: %(first)s to %(last)s.")
    yield ("remark", opened % {"first": format_day(part.opens, wording), "last": format_day(part.closes, wording)})
    if rule := wording.rule(part.counting, part.asked):
        yield ("remark", rule)
    if line := burst_text(part.burst, wording):
        yield ("remark", line)
    yield from coverage_tables(part, report, wording)


def coverage_tables(part: ReportPart, report: Report, wording: FigureWording) -> Iterator[Block]:
    """The coverage tables of a wave, by breakdown."""
    for dimension, groups in part.coverage.items():
        yield coverage_table(dimension, groups, report, wording.of(part.population), part.counting)


def coverage_heading(wording: FigureWording) -> str:
    """The heading of the tables of coverage."""
    # translators: heading of the tables of how many families, educators, or students answered
    return wording.people.coverage or wording.words.gettext("Who answered")


def coverage_table(
    dimension: str, groups: tuple[GroupCoverage, ...], report: Report, wording: FigureWording, counting: str = "family"
) -> Block:
    """Coverage by one breakdown; the number who could have answered, and shares, only with a roster."""
    wide = 4 if any(each.households is not None or each.band is not None for each in groups) else 2
    lines = [_coverage_row(dimension, each, report, wording)[:wide] for each in groups]
    return (
        "table",
        _coverage_header(dimension, wording, counting)[:wide],
        lines,
        ("start", "end", "end", "end")[:wide],
    )


def _coverage_header(dimension: str, wording: FigureWording, counting: str) -> list[str]:
    # translators: heading of a table column: all who answered together, families, educators, or students
    everybody = wording.people.everybody or wording.words.gettext("Everybody")
    return [
        everybody if dimension == "all" else wording.head(dimension),
        # translators: heading of a table column: how many families, educators, or students answered
        wording.people.coverage or wording.words.gettext("Answered"),
        wording.counted(counting),
        # translators: heading of a table column: a share in percent
        wording.words.pgettext("in percent", "Percent"),
    ]


def _coverage_row(dimension: str, each: GroupCoverage, report: Report, wording: FigureWording) -> list[str]:
    return [
        # translators: heading of a table row: all who answered together, families, educators, or students
        wording.words.gettext("All")
        if each.code is None
        else wording.group(dimension, each.code, dict(report.schools)),
        wording.number(each.responses),
        households_text(each, wording),
        share_text(each, wording),
    ]


def _finding_blocks(finding: Finding, wording: FigureWording) -> Iterator[Block]:
    yield ("heading", 3, finding.question.text)
    if finding.counted:
        texts = [(wording.label(line), line.row.share, bar_text(line, wording)) for line in finding.whole.lines]
        yield ("bars", texts)
    # below the bars, so that no page break separates the heading from them
    yield ("remark", wording.answered(finding))
    if finding.whole.apart:
        yield ("remark", missing_answers_text(finding.whole, wording))


def bar_text(line: Any, wording: FigureWording) -> str:
    """The text beside a bar: count, share, and the likely range for all who could have answered."""
    if line.row.hidden or line.row.share is None:
        return wording.number(line.row.count)
    numbers = {"count": wording.number(line.row.count), "share": wording.share(line), "range": wording.likely(line)}
    # translators: beside a bar of a chart: a count, its share, and the range in which the share of all families lies
    return wording.words.gettext("%(count)s · %(share)s (%(range)s)") % numbers


def missing_answers_text(group: FindingGroup, wording: FigureWording) -> str:
    """The missing answers by kind, each with its count."""
    # translators: below a chart: a kind of missing answer and how many there were, as in "Left empty: 12"
    one = wording.words.gettext("%(what)s: %(count)s")
    return " · ".join(
        one % {"what": wording.label(line), "count": wording.number(line.row.count)} for line in group.apart
    )


def _promise_blocks(report: Report, wording: FigureWording) -> Iterator[Block]:
    if report.promises:
        yield ("page",)
        # translators: heading in a report: what families said, and what the district will do about it
        yield ("heading", 2, wording.words.gettext("What you said, and what we will do"))
    for promise in report.promises:
        yield ("heading", 3, promise.theme)
        # translators: what families said on a theme stands after it
        yield ("strong", wording.words.gettext("You said"))
        yield ("paragraph", promise.you_said)
        # translators: what the district will do stands after it
        yield ("strong", wording.words.gettext("We will"))
        yield ("paragraph", promise.we_will)
        yield ("remark", promise_status_text(promise, wording))


def promise_status_text(promise: Promise, wording: FigureWording) -> str:
    """Who is responsible for a promise, its due date, and its status."""
    numbers = {"owner": promise.owner, "status": wording.status(promise.status)}
    if promise.due is None:
        # translators: below a promise: who does it and how far it is
        return wording.words.gettext("Who is in charge: %(owner)s. Status: %(status)s.") % numbers
    # translators: below a promise: who does it, the day it is done by, and how far it is
    sentence = wording.words.gettext("Who is in charge: %(owner)s. Due: %(day)s. Status: %(status)s.")
    return sentence % {**numbers, "day": format_day(promise.due, wording)}


def _appendix_blocks(report: Report, wording: FigureWording) -> Iterator[Block]:
    for part in report.parts:
        findings = [finding for finding in part.findings if finding.cuts]
        if not findings and not (report.schools_left_out and part.findings):
            continue
        yield ("page",)
        part_wording = wording.of(part.population)
        yield ("heading", 2, part_wording.people.tables % {"survey": part.survey.title})
        if report.schools_left_out:
            # translators: in a report that would be too long: tables by school are in another file. CSV and Excel are
            # kinds of files
            sentence = wording.words.gettext(
                "The tables of %(num)s schools are not included here. They are in the CSV and Excel files."
            )
            yield ("paragraph", sentence % {"num": wording.number(report.schools_left_out)})
        for finding in findings:
            yield ("heading", 3, finding.question.text)
            for dimension, groups in finding.cuts.items():
                yield from breakdown_tables(dimension, groups, report, part_wording)


def breakdown_tables(
    dimension: str, groups: tuple[FindingGroup, ...], report: Report, wording: FigureWording
) -> Iterator[Block]:
    """A breakdown as tables: one row per answer, one column per group, at most `WIDEST` groups in one table."""
    for start in range(0, len(groups), WIDEST):
        some = groups[start : start + WIDEST]
        names = [wording.group(dimension, each.code or "", dict(report.schools)) for each in some]
        sides = ("start", *("end" for _ in some))
        yield ("table", [wording.cut(dimension), *names], breakdown_rows(some, wording), sides)


def breakdown_rows(groups: tuple[FindingGroup, ...], wording: FigureWording) -> list[list[str]]:
    """The rows of a breakdown: how many answered, each answer with its share, then the missing answers."""
    # translators: heading of a table row: how many answered this question
    first = [wording.words.gettext("Answered"), *(wording.brief(group.answered) for group in groups)]
    answers = zip(*(group.lines for group in groups), strict=True)
    others = zip(*(group.apart for group in groups), strict=True)
    return [
        first,
        *([wording.label(lines[0]), *(wording.short(line) for line in lines)] for lines in answers),
        *([wording.label(lines[0]), *(wording.brief(line.row.count) for line in lines)] for lines in others),
    ]
