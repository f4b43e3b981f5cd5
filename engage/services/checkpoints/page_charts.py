"""Charts of a question's scale by school or by language, for a page, from the numbers of the table below them."""

from collections.abc import Iterator
from gettext import NullTranslations

from markupsafe import Markup

from engage.base.languages import LANGUAGES
from engage.domain.summaries.charts import Label, Scale, diverging_chart, render_svg
from engage.questionnaire.model import Words
from engage.services.checkpoints.findings import Finding, FindingGroup
from engage.services.checkpoints.report import Report
from engage.services.checkpoints.wording import FigureWording

DRAWN = ("school", "language")  # the breakdowns that have charts


def render_chart(finding: Finding, dimension: str, report: Report, wording: FigureWording, name: str) -> Markup:
    """The chart of one breakdown; empty if the question has no scale or no group shows all its steps.

    `name` must be unique on the page (see `charts.render_svg`).
    """
    groups = finding.cuts.get(dimension, ())
    if (
        finding.question.kind != "scale"
        or dimension not in DRAWN
        or all(_step_shares(group) is None for group in groups)
    ):
        return Markup()
    scene = diverging_chart(
        _chart_title(finding, dimension, wording.words),
        chart_reading_note(wording.words),
        [_build_scale(dimension, group, report, wording) for group in groups],
        [_build_label(line.label or "", wording) for line in groups[0].lines],
        wording.language.rtl,
    )
    return Markup(render_svg(scene, name))  # noqa: S704  # the one place where a chart, escaped there, enters a page


def chart_reading_note(words: NullTranslations) -> str:
    """A note on how to read such a chart."""
    # translators: describes a chart of bars. "Lower" and "higher" answers are those near the beginning and near the end
    # of a scale such as "not at all, a little, some, much, very much"; "before" and "after" are in reading direction
    return words.gettext(
        "In a chart by school or language, lower answers are before the vertical line, and higher answers are "
        "after it. An answer in the middle of the scale is on the line. The table below the chart has the same "
        "numbers."
    )


def _chart_title(finding: Finding, dimension: str, words: NullTranslations) -> str:
    titles = {
        # translators: title of a chart, for screen readers; %(question)s is a question of a survey
        "school": words.gettext("Chart of the answers by school: %(question)s"),
        # translators: title of a chart, for screen readers; %(question)s is a question of a survey
        "language": words.gettext("Chart of the answers by language: %(question)s"),
    }
    return titles[dimension] % {"question": finding.question.text}


def _build_scale(dimension: str, group: FindingGroup, report: Report, wording: FigureWording) -> Scale:
    name = wording.group(dimension, group.code or "", dict(report.schools))
    # The language of a school's name is unknown.
    label = Label(name, "", wording.language.rtl) if dimension == "school" else _build_label(name, wording)
    return Scale(
        label, tuple(_build_label(each, wording) for each in _group_notes(group, wording)), _step_shares(group)
    )


def _group_notes(group: FindingGroup, wording: FigureWording) -> Iterator[str]:
    """Notes on how many answered, and that the rest is suppressed, where this applies."""
    if group.answered is not None:
        # translators: in a chart, below the name of a school or language: how many answered this question
        yield wording.words.gettext("Answered: %(count)s") % {"count": wording.number(group.answered)}
    if any(line.row.hidden for line in group.lines):
        yield wording.hidden()


def _step_shares(group: FindingGroup) -> tuple[float, ...] | None:
    """The shares of all steps; None if one is suppressed, or nobody answered."""
    shares = tuple(line.row.share for line in group.lines if line.row.share is not None)
    return shares if len(shares) == len(group.lines) else None


def _build_label(text: str, wording: FigureWording) -> Label:
    """A label with its language: that of the survey's text, else that of the page."""
    language = LANGUAGES[text.language] if isinstance(text, Words) else wording.language
    return Label(text, language.tag, language.rtl)
