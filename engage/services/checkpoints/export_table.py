"""The figures as one flat table with labels beside the codes: CSV and the first sheet of the workbook."""

from collections.abc import Iterator

from engage.services.checkpoints.findings import FindingGroup
from engage.services.checkpoints.report import Report
from engage.services.checkpoints.report_parts import GroupCoverage
from engage.services.checkpoints.wording import FigureWording

Cell = str | int | float | None
SHARES = frozenset({15, 16, 17})  # columns that hold shares from 0 to 1
PLACES = 4  # decimals of shares


def column_headings(wording: FigureWording) -> list[str]:
    """The column headings."""
    words = wording.words
    return [
        # translators: heading of a table column: a wave is one survey asked of some schools between two days
        words.gettext("Survey"),
        # translators: heading of a table column
        words.gettext("Questionnaire"),
        # translators: heading of a table column: the short code of a question
        words.gettext("Question code"),
        # translators: heading of a table column
        words.gettext("Question"),
        # translators: heading of a table column: whether families, children, educators, or students are counted
        words.gettext("Counted"),
        # translators: heading of a table column: by what the figures are parted (all, school, language, mode)
        words.gettext("Breakdown"),
        # translators: heading of a table column: the short code of a group
        words.gettext("Group code"),
        # translators: heading of a table column: a school, a language or a way of answering
        words.gettext("Group"),
        # translators: heading of a table column: the short code of an answer
        words.gettext("Answer code"),
        # translators: heading of a table column
        words.gettext("Answer"),
        # translators: heading of a table column: how many families (or teachers, or students) of the roster could have
        # answered
        words.gettext("Could have answered"),
        # translators: heading of a table column: how many families (or educators, or students) answered the survey
        words.gettext("Took part"),
        # translators: heading of a table column: how many families or children of those who took part had the question
        words.gettext("Got this question"),
        # translators: heading of a table column: how many answered
        words.gettext("Answered"),
        # translators: heading of a table column: how many gave this answer
        words.gettext("Count"),
        # translators: heading of a table column: a share from 0 to 1
        words.pgettext("from 0 to 1", "Share"),
        # translators: heading of a table column: the lower end of the range a share lies in
        words.gettext("Lowest likely share"),
        # translators: heading of a table column: the upper end of the range a share lies in
        words.gettext("Highest likely share"),
        # translators: heading of a table column: a number as the page shows it
        words.gettext("As shown"),
    ]


def table_lines(report: Report, wording: FigureWording) -> Iterator[list[Cell]]:
    """One line per row of the report."""
    # translators: in a table: children are counted
    children = wording.words.gettext("children")
    for part in report.parts:
        part_wording = wording.of(part.population)
        for finding in part.findings:
            place = (part.wave, part.survey.title, finding.question.id, finding.question.text)
            counted = children if finding.children else part_wording.people.unit
            for name, groups in {"all": (finding.whole,), **finding.cuts}.items():
                by_code = {each.code: each for each in part.coverage.get(name, ())}
                for group in groups:
                    heard = by_code.get(group.code, GroupCoverage(group.code, None, None))
                    yield from _group_lines([*place, counted, name], group, heard, report, part_wording)


def _group_lines(
    place: list[Cell], group: FindingGroup, heard: GroupCoverage, report: Report, wording: FigureWording
) -> Iterator[list[Cell]]:
    name = "" if group.code is None else wording.group(str(place[5]), group.code, dict(report.schools))
    for line in (*group.lines, *group.apart):
        row = line.row
        answer = (row.answer, wording.label(line))
        shares = (None if each is None else round(each, PLACES) for each in (row.share, row.low, row.high))
        numbers = (heard.households, heard.responses, row.base, row.answered, row.count, *shares)
        share = wording.share(line) if row.share is not None else wording.number(row.count)
        yield [*place, group.code or "", name, *answer, *numbers, share]
