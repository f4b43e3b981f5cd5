"""Texts of coverage: how many of the households that could have answered did."""

from engage.services.checkpoints.report import GroupCoverage, ReportPart
from engage.services.checkpoints.wording import FigureWording


def households_text(each: GroupCoverage, wording: FigureWording) -> str:
    """The number of households: a range where the exact number would reveal answers, a dash where it is unknown."""
    if each.households is not None:
        return wording.number(each.households)
    if each.band is None:
        return "–"
    if "below" in each.band:
        # translators: in a table, in place of a number of households that is not told exactly
        return wording.words.gettext("fewer than %(number)s") % {"number": wording.number(each.band["below"])}
    if "least" in each.band:
        # translators: in a table, in place of a number of households that is not told exactly
        return wording.words.gettext("%(number)s or more") % {"number": wording.number(each.band["least"])}
    return wording.hidden()


def share_text(each: GroupCoverage, wording: FigureWording) -> str:
    """The share of households that answered; the reason why there is none where more answered than the roster has."""
    if each.overfull:
        # translators: in a table, in place of a share above 100 percent: more answers came in than the school
        # district's list has households (or students)
        return wording.words.gettext("Over 100%: more answers than the roster lists")
    return each.percent or "–"


def participation_text(part: ReportPart, wording: FigureWording) -> str:
    """A sentence for families: how many families answered a survey, and out of how many."""
    everybody = part.coverage["all"][0]
    if everybody.responses is None:
        # translators: privacy: too few families answered to say how many
        return wording.words.gettext("We do not show how many families took part, to protect them.")
    numbers = {"count": wording.number(everybody.responses), "all": households_text(everybody, wording)}
    if not everybody.households or everybody.overfull:
        # translators: how many families answered a survey
        sentence = wording.words.ngettext(
            "%(count)s family took part.", "%(count)s families took part.", everybody.responses
        )
        return sentence % numbers
    return _participation_template(part.counting, everybody.households, wording) % numbers


def _participation_template(counting: str, households: int, wording: FigureWording) -> str:
    if counting == "student":
        # translators: families answered once for each child: %(count)s answers came in, there are %(all)s students
        return wording.words.ngettext(
            "We got answers for %(count)s of %(all)s student.",
            "We got answers for %(count)s of %(all)s students.",
            households,
        )
    if counting == "family_school":
        # translators: families answered once for each school that one of their children goes to
        return wording.words.ngettext(
            "We got %(count)s of %(all)s possible answer. Each family could answer once for each of its schools.",
            "We got %(count)s of %(all)s possible answers. Each family could answer once for each of its schools.",
            households,
        )
    # translators: %(count)s families answered a survey, %(all)s families could have
    return wording.words.ngettext(
        "%(count)s of %(all)s family took part.", "%(count)s of %(all)s families took part.", households
    )


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
