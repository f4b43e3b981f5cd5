"""Sharing a survey: its addresses by language, the QR code, the message to send, and the poster."""

from dataclasses import dataclass
from io import BytesIO

from flask import abort, flash, redirect, url_for
from werkzeug.wrappers import Response

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES, Language
from engage.domain.paper.documents.poster import QUIET, write_poster
from engage.domain.paper.form.barcodes import qr
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.questionnaire.editions import Edition, load_edition
from engage.services.printing.messages import explain_refusal
from engage.services.printing.orders import PacketRefused
from engage.services.printing.share_texts import build_poster, share_address, write_share_message
from engage.sites.district.blueprint import blueprint
from engage.sites.district.mail_merge import download_response
from engage.sites.district.waves import require_family_wave, wave_stage
from engage.storage.engine import read_session
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.page_language import language
from engage.web.permissions import assigned_languages, enters, require_language


@dataclass(frozen=True, slots=True)
class WaveLink:
    """A wave in one language: the address of its survey, where all questions can be read, and the number of the
    survey's texts that are shown in English there."""

    language: Language
    address: str
    reading: str
    english: int


@dataclass(frozen=True, slots=True)
class ShareMessage:
    """A message to families in one language, and the address that it contains."""

    link: WaveLink
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class SharePanel:
    """How a wave is shared: the address in the first language, its QR code as an SVG path of squares of 1 in a field of
    `size`, and a message for each language."""

    address: str
    path: str
    size: int
    messages: list[ShareMessage]


@blueprint.get("/waves/<wave_id>/poster-<tag>.pdf")
@enters("see waves")
def poster_pdf(wave_id: str, tag: str) -> Response:
    """The poster in one of the wave's languages."""
    with read_session(runtime().engine) as session:
        wave = require_family_wave(session, wave_id)
        if not is_shared(wave) or tag not in wave.offered or tag not in LANGUAGES:
            abort(404)
        require_language(tag)
        poster, out = build_poster(wave, load_edition(wave.edition.document), runtime().settings, tag), BytesIO()
    try:
        write_poster(out, poster)
    except MissingFont:
        words, here = catalogue(language().tag), language()
        flash(explain_refusal(PacketRefused("font", language=tag), words, here.locale), "error")
        return redirect(url_for("district.wave_page", wave_id=wave_id), 303)
    return download_response(out.getvalue(), "application/pdf", f"poster-{wave_id}-{tag}.pdf")


def is_shared(wave: Wave) -> bool:
    """Whether families can answer on the web, today or later."""
    on_the_web = wave.is_for_families and "web" in wave.modes.split()
    return on_the_web and wave_stage(wave, runtime().today()) != "closed"


def list_links(wave: Wave, edition: Edition) -> list[WaveLink]:
    """The wave's languages that this person works with."""
    assigned, base = assigned_languages(), runtime().settings.base_url
    return [
        WaveLink(LANGUAGES[tag], address := f"{base}/{tag}/w/{wave.id}", f"{address}/read", len(edition.missing(tag)))
        for tag in wave.offered
        if tag in LANGUAGES and (assigned is None or tag in assigned)
    ]


def build_share_panel(wave: Wave, edition: Edition, links: list[WaveLink]) -> SharePanel | None:
    """How a wave is shared in these languages; None if it is not, or in none of them."""
    if not links or not is_shared(wave):
        return None
    settings = runtime().settings
    messages = []
    for link in links:
        tag = link.language.tag
        text = write_share_message(wave, edition, settings, tag)
        messages.append(ShareMessage(link, share_address(wave, settings, tag), text))
    path, size = _draw_squares(messages[0].address)
    return SharePanel(messages[0].address, path, size, messages)


def _draw_squares(address: str) -> tuple[str, int]:
    """A QR code as an SVG path, and the side of its field with the white margin, in modules."""
    modules = qr(address)
    runs = (f"M{column + QUIET} {row + QUIET}h{length}v1h-{length}z" for column, row, length in modules.runs())
    return "".join(runs), modules.size + 2 * QUIET
