"""Texts and tables of comparisons: of two populations side by side, and of a survey with an earlier one."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from babel.dates import format_date

from engage.questionnaire.model import Words
from engage.services.checkpoints.comparisons import ComparedLine, Comparison
from engage.services.checkpoints.findings import FindingLine
from engage.services.checkpoints.report import Report
from engage.services.checkpoints.trends import Trend
from engage.services.checkpoints.wording import FigureWording

Block = tuple[Any, ...]  # as in meeting_packet.py


def comparison_blocks(report: Report, wording: FigureWording) -> list[Block]:
    """What a report compares, as blocks: populations side by side, then surveys with earlier ones."""
    blocks: list[Block] = []
    for population in dict.fromkeys(each.second_part.population for each in report.mirrored):
        items = [each for each in report.mirrored if each.second_part.population == population]
        blocks += _mirrored_blocks(items, population, wording)
    for trend in report.trends:
        blocks += _trend_blocks(trend, wording)
    return blocks


def _mirrored_blocks(items: Sequence[Comparison], population: str, wording: FigureWording) -> list[Block]:
    words = wording.words
    headings = {
        # translators: heading: answers to the same questions, of families and of educators
        "educator": words.gettext("Families and educators side by side"),
        # translators: heading: answers to the same questions, of families and of students
        "student": words.gettext("Families and students side by side"),
    }
    # translators: above tables with the answers of two groups of people, such as families and educators
    note = words.gettext(
        "Both had the same answers to choose from. They are different people, so a difference is not a change over "
        "time."
    )
    blocks: list[Block] = [("heading", 2, headings[population]), ("paragraph", note)]
    for item in items:
        blocks += [("heading", 3, item.second.question.text), *_families_question(item, wording)]
        columns = [wording.people.column, wording.of(population).people.column]
        blocks.append(_table(item, columns, [_points_text(line, wording) for line in item.lines], wording))
    return [*blocks, ("remark", _chance_note(sum(each.compared for each in items), wording))]


def _families_question(item: Comparison, wording: FigureWording) -> list[Block]:
    """What families were asked, if the words differ."""
    if item.first.question.text == item.second.question.text:
        return []
    # translators: above a table: families were asked nearly the same question; %(question)s is a question
    sentence = wording.words.gettext("Families were asked: %(question)s")
    return [("paragraph", sentence % {"question": item.first.question.text})]


def _trend_blocks(trend: Trend, wording: FigureWording) -> list[Block]:
    words, title = wording.words, trend.part.survey.title
    # translators: heading: a survey compared with an earlier one; %(survey)s is a survey's title
    heading = words.gettext("%(survey)s: what changed") % {"survey": title}
    columns = [_day(trend.earlier_closes, wording), _day(trend.part.closes, wording)]
    blocks: list[Block] = [("heading", 2, Words(heading, title.language)), ("paragraph", _trend_note(trend, wording))]
    for item in trend.comparisons:
        blocks.append(("heading", 3, item.second.question.text))
        blocks.append(_table(item, columns, [_change_text(line, wording) for line in item.lines], wording))
    return [*blocks, ("remark", _chance_note(trend.compared, wording))]


def _trend_note(trend: Trend, wording: FigureWording) -> str:
    words = wording.words
    # translators: above tables that compare a survey with an earlier one; %(first)s and %(last)s are days
    sentence = words.gettext("This compares the survey that ended on %(last)s with the one that ended on %(first)s.")
    days = {"first": _day(trend.earlier_closes, wording), "last": _day(trend.part.closes, wording)}
    if not trend.reworded:
        return sentence % days
    # translators: above tables that compare a survey with an earlier one
    more = words.ngettext(
        "%(num)s question was worded in another way then and is not compared.",
        "%(num)s questions were worded in another way then and are not compared.",
        trend.reworded,
    )
    return f"{sentence % days} {more % {'num': wording.number(trend.reworded)}}"


def _chance_note(number: int, wording: FigureWording) -> str:
    # translators: below tables with differences between shares: how many were compared
    sentence = wording.words.ngettext(
        "%(num)s answer was compared. Even if nothing differs, about 1 in 20 seems to differ by chance.",
        "%(num)s answers were compared. Even if nothing differs, about 1 in 20 seems to differ by chance.",
        number,
    )
    return sentence % {"num": wording.number(number)}


def _table(item: Comparison, columns: Sequence[str], texts: Sequence[str], wording: FigureWording) -> Block:
    # translators: heading of a table column: an answer to a question
    answer = wording.words.gettext("Answer")
    # translators: heading of a table column: the difference between two shares
    difference = wording.words.gettext("Difference")
    rows = [
        [wording.label(line.first), _share_text(line.first, wording), _share_text(line.second, wording), text]
        for line, text in zip(item.lines, texts, strict=True)
    ]
    return ("table", [answer, *columns, difference], rows, ["start", "end", "end", "end"])


def _share_text(line: FindingLine, wording: FigureWording) -> str:
    """A share, or the short text for a suppressed one: the table is narrow on a phone."""
    return wording.brief(None) if line.row.hidden else line.row.percent or "–"


def _points_text(line: ComparedLine, wording: FigureWording) -> str:
    """The difference between two populations in percentage points with its range, if it is clear."""
    if line.difference is None:
        return "–"
    if not line.is_clear:
        # translators: in a table: the shares of two groups of people may be the same
        return wording.words.gettext("no clear difference")
    # translators: in a table: a difference between two shares in percentage points, and the range it lies in
    return wording.words.gettext("%(points)s points (%(low)s to %(high)s)") % _point_values(line)


def _change_text(line: ComparedLine, wording: FigureWording) -> str:
    """The change since the earlier survey in percentage points with its range, if it is clear."""
    if line.difference is None:
        return "–"
    if not line.is_clear:
        # translators: in a table: a share may be the same as in an earlier survey
        return wording.words.gettext("no clear change")
    if line.difference > 0:
        # translators: in a table: a share has risen by so many percentage points, and the range this lies in
        return wording.words.gettext("up: %(points)s points (%(low)s to %(high)s)") % _point_values(line)
    # translators: in a table: a share has fallen by so many percentage points, and the range this lies in
    return wording.words.gettext("down: %(points)s points (%(low)s to %(high)s)") % _point_values(line)


def _point_values(line: ComparedLine) -> dict[str, str]:
    values = {"points": line.difference, "low": line.low, "high": line.high}
    return {name: _signed(value) for name, value in values.items() if value is not None}


def _signed(share: float) -> str:
    """A difference in whole percentage points with its sign, isolated from text in the other direction."""
    points = round(share * 100)
    return f"\u2066{'+' if points > 0 else '−' if points < 0 else ''}{abs(points)}\u2069"


def _day(day: date, wording: FigureWording) -> str:
    return str(format_date(day, "long", locale=wording.language.locale))
