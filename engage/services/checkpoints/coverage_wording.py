"""Texts of coverage: how many of those who could have answered did."""

from engage.services.checkpoints.report import Report
from engage.services.checkpoints.report_parts import GroupCoverage, ReportPart
from engage.services.checkpoints.wording import FigureWording
from engage.services.waves.populations import FAMILY


def households_text(each: GroupCoverage, wording: FigureWording) -> str:
    """The number who could have answered: a range where the exact one would reveal answers, a dash if it is unknown."""
    if each.households is not None:
        return wording.number(each.households)
    if each.band is None:
        return "–"
    if "below" in each.band:
        # translators: in a table, in place of a number of households or people that is not told exactly
        return wording.words.gettext("fewer than %(number)s") % {"number": wording.number(each.band["below"])}
    if "least" in each.band:
        # translators: in a table, in place of a number of households or people that is not told exactly
        return wording.words.gettext("%(number)s or more") % {"number": wording.number(each.band["least"])}
    return wording.hidden()


def share_text(each: GroupCoverage, wording: FigureWording) -> str:
    """The share of them that answered; the reason why there is none where more answered than the roster has."""
    if each.overfull:
        # translators: in a table, in place of a share above 100 percent: more answers came in than the school
        # district's list has households (or teachers, or students)
        return wording.words.gettext("Over 100%: more answers than the roster lists")
    return each.percent or "–"


def participation_text(part: ReportPart, report: Report, wording: FigureWording) -> str:
    """A sentence for families: how many answered a survey, and out of how many."""
    wording, everybody = wording.of(part.population), part.coverage["all"][0]
    if everybody.responses is None:
        return wording.people.total_hidden % {"minimum": wording.number(report.minimum_of(part))}
    numbers = {"count": wording.number(everybody.responses), "all": households_text(everybody, wording)}
    if not everybody.households or everybody.overfull:
        return wording.people.took_part(everybody.responses) % numbers
    return _participation_template(part, everybody.households, wording) % numbers


def _participation_template(part: ReportPart, households: int, wording: FigureWording) -> str:
    if part.population == FAMILY and part.counting == "student":
        # translators: families answered once for each child: %(count)s answers came in, there are %(all)s students
        return wording.words.ngettext(
            "We got answers for %(count)s of %(all)s student.",
            "We got answers for %(count)s of %(all)s students.",
            households,
        )
    if part.counting == "family_school":
        # translators: families answered once for each school that one of their children goes to
        return wording.words.ngettext(
            "We got %(count)s of %(all)s possible answer. Each family could answer once for each of its schools.",
            "We got %(count)s of %(all)s possible answers. Each family could answer once for each of its schools.",
            households,
        )
    return wording.people.took_part_of(households)


def burst_text(reason: str, wording: FigureWording) -> str:
    """A sentence for families: why responses in bursts are counted or not; empty if there were none."""
    words = wording.words
    lines = {
        # translators: beside the results of a survey: why very many answers within minutes are counted
        "event": words.gettext(
            "Some answers came in very fast from one place. We counted them because they came from an event at a "
            "school."
        ),
        # translators: beside the results of a survey: why very many answers within minutes are counted
        "known_families": words.gettext(
            "Some answers came in very fast from one place. We counted them because school staff know that "
            "families sent them."
        ),
        # translators: beside the results of a survey: why very many answers within minutes are left out
        "not_families": words.gettext(
            "Some answers came in very fast from one place. We left them out because they were not sent by families."
        ),
        # translators: beside the results of a survey: why very many answers within minutes are left out
        "unclear": words.gettext(
            "Some answers came in very fast from one place. We left them out because nobody can tell who sent them."
        ),
    }
    return lines.get(reason, "")
