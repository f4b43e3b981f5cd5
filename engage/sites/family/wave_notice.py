"""The privacy notice of a wave, as the first page shows it."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from engage.services.waves import privacy_notice
from engage.services.waves.privacy_statements import notice_headings
from engage.sites.family.wave_cache import Offer
from engage.web.context import runtime
from engage.web.page_language import gettext


@dataclass(frozen=True, slots=True)
class PrivacyAnswer:
    """One item of the notice that can be expanded: a question and its answer."""

    part: str
    question: str
    text: Markup


def privacy_answers(offer: Offer, lang: str) -> list[PrivacyAnswer]:
    """Every part of the wave's notice in a language, in order."""
    texts = privacy_notice.render_notice(offer, runtime().settings, lang, offer.deleted_on)
    headings = notice_headings(offer.population)
    return [PrivacyAnswer(part, gettext(headings[part]), isolate_markup(text)) for part, text in texts.items()]


def isolate_markup(text: str) -> Markup:
    """A text, escaped; isolated parts are marked by elements, which old browsers support too."""
    html = str(escape(text)).replace(privacy_notice.ISOLATE, "<bdi>").replace(privacy_notice.LTR, '<bdi dir="ltr">')
    return Markup(html.replace(privacy_notice.POP, "</bdi>"))  # noqa: S704  escaped above
