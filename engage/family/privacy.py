"""The privacy notice of a wave as its families read it on the first page."""

from dataclasses import dataclass

from markupsafe import Markup, escape

from engage.family.offers import Offer
from engage.waves import privacy
from engage.web.locale import gettext
from engage.web.state import state


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the notice that can be opened: a family's question and the answer to it."""

    part: str
    question: str
    text: Markup


def privacy_answers(offer: Offer, lang: str) -> list[Answer]:
    """Every part of the wave's notice in a language, in the order of reading."""
    texts = privacy.notice(offer, state().settings, lang, offer.deleted_on)
    return [Answer(part, gettext(privacy.HEADINGS[part]), isolated(text)) for part, text in texts.items()]


def isolated(text: str) -> Markup:
    """A text, escaped; what keeps its own direction in it is marked by elements, which old browsers know too."""
    html = str(escape(text)).replace(privacy.ISOLATE, "<bdi>").replace(privacy.LTR, '<bdi dir="ltr">')
    return Markup(html.replace(privacy.POP, "</bdi>"))  # noqa: S704  escaped above
