"""The pointing card of a survey: pictures and numbers for interviews."""

from io import BytesIO

from flask import abort, flash, redirect, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import SelectField

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.pointing_card import write_card
from engage.domain.paper.form.elements import PAPERS
from engage.domain.paper.form.typesetter import SheetFormat, SurveyInLanguage
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.domain.paper.typesetting.shaping import MissingGlyph
from engage.questionnaire.editions import Edition, load_edition
from engage.services.printing import messages
from engage.services.printing.layouts import describe_character, font_dir
from engage.services.printing.orders import PacketRefused
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.print_form import second_choices
from engage.sites.liaison.print_request import safe_file_name
from engage.sites.liaison.scope import own_family_waves
from engage.storage.engine import read_session
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.forms import QueryForm
from engage.web.page_language import language
from engage.web.permissions import enters


class CardForm(QueryForm):
    """Options of a card: the paper size, and a second language, if any."""

    paper = SelectField(choices=lambda: [(name, name) for name in PAPERS], default="letter")
    second = SelectField(choices=[], default="")


@blueprint.get("/card/<wave_id>/<tag>.pdf")
@enters("print paper surveys")
def pointing_card(wave_id: str, tag: str) -> Response:
    """The card in one of the wave's languages; optional query arguments: `second` language and `paper`."""
    form = CardForm()
    with read_session(runtime().engine) as session:
        wave = _require_wave(session, wave_id)
        form.second.choices = second_choices(wave.offered)
        if not form.validate() or tag not in wave.offered or tag not in LANGUAGES:
            abort(404)
        edition = load_edition(wave.edition.document)
    second = form.second.data if form.second.data != tag else ""
    try:
        card = _draw_card(edition, tag, second, form.paper.data)
    except MissingFont:
        return _explain_refusal(PacketRefused("font", language=tag))
    except MissingGlyph as problem:
        return _explain_refusal(PacketRefused("glyph", language=tag, character=describe_character(problem.character)))
    name = safe_file_name(f"{wave_id}-card-{tag}.pdf")
    return send_file(card, "application/pdf", as_attachment=True, download_name=name)


def _require_wave(session: Session, wave_id: str) -> Wave:
    """A wave of this person's schools; "not found" for any other."""
    wave = next((wave for wave in own_family_waves(session) if wave.id == wave_id), None)
    if wave is None:
        abort(404)
    return wave


def _explain_refusal(problem: PacketRefused) -> Response:
    """Show on the printing page why there is no card."""
    flash(messages.explain_refusal(problem, catalogue(language().tag), language().locale), "error")
    return redirect(url_for("liaison.printing"), 303)


def _draw_card(edition: Edition, tag: str, second: str, paper: str) -> BytesIO:
    """Render the card. Raises MissingFont, MissingGlyph."""
    out, fonts = BytesIO(), font_dir(runtime().settings)
    other = SurveyInLanguage(second, edition.survey(second), catalogue(second)) if second else None
    first = SurveyInLanguage(tag, edition.survey(tag), catalogue(tag))
    write_card(out, edition, first, SheetFormat(paper, second=other, fonts=fonts))
    out.seek(0)
    return out
