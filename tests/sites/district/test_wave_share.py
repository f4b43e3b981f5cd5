"""The card Share on the page of a survey, and its posters."""

import re
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp

from engage import create_app
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import Words
from engage.storage.engine import write_session
from engage.storage.models.waves import Wave
from tests.axe import check_at_double_text
from tests.conftest import Live, close
from tests.hygiene import Element
from tests.makers import PASSWORD, a_school, a_wave, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

FALL = "/staff/district/waves/fall"
BASE = "http://127.0.0.1:8000"
LANGUAGES = ("en", "es", "ar", "so", "vi", "zh-Hans")


def opened(engine: Any, survey: Any = None, **wave: Any) -> None:
    with write_session(engine) as session:
        a_wave(session, "fall", [a_school(session, "lincoln")], survey, **wave)
        session.commit()


def card(page: Element) -> Element:
    [found] = [each for each in page.all("section") if each.get("aria-labelledby") == "share"]
    return found


def scanned(drawing: Element) -> str:
    """What a phone reads from the QR code on the page, with the white margin that the drawing has."""
    assert drawing.get("role") == "img"
    assert drawing.get("aria-label")
    (back,), (path,) = drawing.all("rect"), drawing.all("path")
    assert (back.get("fill"), path.get("fill")) == ("#fff", "#000")
    side = int(drawing.get("viewBox").split()[-1])
    squares = np.full((side, side), 255, np.uint8)
    for column, row, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path.get("d")):
        squares[int(row), int(column) : int(column) + int(length)] = 0
    dark = np.argwhere(squares == 0)
    assert dark.min() == 4 == side - 1 - dark.max(), "4 modules are white on every side"
    (code,) = zxingcpp.read_barcodes(np.kron(squares, np.ones((6, 6), np.uint8)))
    return str(code.text)


def messages(page: Element) -> dict[str, str]:
    """Each message by the language it is marked with."""
    found = {each.get("id"): each for each in card(page).all("p") if each.get("class") == "message send"}
    assert all(each.get("id") == f"message-{each.get('lang')}" for each in found.values())
    return {each.get("lang"): "".join(str(text) for text in each.inside) for each in found.values()}


def test_an_open_survey_is_shared_by_address_message_and_poster(leader, engine):
    opened(engine, languages=LANGUAGES)
    leader.opens(FALL)
    share = card(leader.page)
    assert scanned(next(share.all("svg"))) == f"{BASE}/en/w/fall"
    assert "Families can choose another language on the page." in share.text
    sent = messages(leader.page)
    assert list(sent) == list(LANGUAGES)
    assert all(sent[tag].endswith(f"\n{BASE}/{tag}/w/fall") for tag in LANGUAGES)
    directions = {each.get("lang"): each.get("dir") for each in share.all("p") if each.get("class") == "message send"}
    assert directions == dict.fromkeys(LANGUAGES, "ltr") | {"ar": "rtl"}
    buttons = [each for each in share.all("button") if each.get("data-copy")]
    assert [("hidden" in each.attributes, each.text) for each in buttons] == [(True, "Copy")] * len(LANGUAGES)
    links = [each.get("href") for each in share.all("a")]
    assert all(f"{BASE}/{tag}/w/fall/read" in links for tag in LANGUAGES)


def test_with_codes_everything_leads_to_the_page_of_the_code(leader, engine):
    opened(engine, entry="code", identity="confidential")
    leader.opens(FALL)
    assert scanned(next(card(leader.page).all("svg"))) == f"{BASE}/en/c"
    assert "Families type the code from their letter." in card(leader.page).text
    assert all("/w/fall" not in text for text in messages(leader.page).values())
    assert messages(leader.page)["es"].endswith(f"Conteste aquí, con el código de su carta:\n{BASE}/es/c")


def test_every_poster_is_a_pdf_whose_code_leads_to_the_survey(leader, engine):
    opened(engine, languages=LANGUAGES)
    posters = [each for each in card(leader.opens(FALL).page).all("a") if each.get("href").endswith(".pdf")]
    assert [each.get("lang") for each in posters] == list(LANGUAGES)
    for tag, link in zip(LANGUAGES, posters, strict=True):
        leader.opens(link.get("href"))
        assert leader.response.mimetype == "application/pdf"
        assert f'filename="poster-fall-{tag}.pdf"' in leader.response.headers["Content-Disposition"]
        (page,) = pypdfium2.PdfDocument(BytesIO(leader.response.data))
        (code,) = zxingcpp.read_barcodes(page.render(scale=1.5, grayscale=True).to_pil())
        assert code.text == f"{BASE}/{tag}/w/fall"
        leader.opens(FALL)


def test_names_and_titles_are_texts_and_not_markup(settings, clock, engine):
    name, title = '<script>x("1")</script> & Co', "<b>Bus & “Home”</b> %(day)s {phone}"
    opened(engine, replace(shipped_survey("home-access"), title=Words(title)))
    with write_session(engine) as session:
        email = staff(session, "leader", [], "leader@district.example").email
        session.commit()
    site = create_app(replace(settings, district_name=name, base_url="http://localhost"), clock)
    leader = StaffMember(site)
    leader.signs_in(email, PASSWORD).opens(FALL)  # each page is checked for markup that is not escaped
    assert messages(leader.page)["en"].splitlines()[0] == (
        f"{name} would like to hear from your family: “{title}”. Please answer by October 31, 2026."
    )
    leader.opens(f"{FALL}/poster-en.pdf")
    text = pypdfium2.PdfDocument(BytesIO(leader.response.data))[0].get_textpage().get_text_range()
    for said in (name, title):
        assert "".join(said.split()) in "".join(text.split())
    close(site)


@pytest.mark.parametrize(
    ("wave", "heading"),
    [
        ({"opens": "2026-09-01", "closes": "2026-10-10"}, "Links by language"),
        ({"modes": "paper interview"}, "All questions"),
    ],
    ids=["closed", "on paper only"],
)
def test_a_survey_that_nobody_can_answer_on_the_web_has_no_poster(leader, engine, today, wave, heading):
    opened(engine)
    with write_session(engine) as session:
        row = session.get_one(Wave, "fall")
        for name, value in wave.items():
            setattr(row, name, type(today).fromisoformat(value) if name != "modes" else value)
        session.commit()
    leader.opens(FALL)
    assert next(card(leader.page).all("h2")).text == heading
    leader.sees_no("Message ready to send", "Poster (PDF)").opens(f"{FALL}/poster-en.pdf", status=404)


@pytest.mark.parametrize("slug", ["educator-beliefs", "student-voice"])
def test_surveys_with_slips_are_not_shared(leader, engine, slug):
    opened(engine, shipped_survey(slug))
    leader.opens(FALL)
    assert next(card(leader.page).all("h2")).text == "All questions"
    leader.sees_no("Message ready to send").opens(f"{FALL}/poster-en.pdf", status=404)


def test_a_language_that_the_survey_or_the_person_has_not_has_no_poster(leader, signs_in, engine):
    opened(engine)
    for tag in ("so", "xx", "en-"):
        leader.opens(f"{FALL}/poster-{tag}.pdf", status=404)
    with write_session(engine) as session:
        person = staff(session, "liaison", [a_school(session, "lincoln")], "es@district.example")
        person.languages, email = "es", person.email
        session.commit()
    spanish = StaffMember(leader.client.application)
    spanish.signs_in(email, PASSWORD).opens(FALL)
    assert list(messages(spanish.page)) == ["es"]
    assert scanned(next(card(spanish.page).all("svg"))) == f"{BASE}/es/w/fall"
    spanish.opens(f"{FALL}/poster-en.pdf", status=404).opens(f"{FALL}/poster-es.pdf")
    signs_in("liaison", ("cedar",)).opens(f"{FALL}/poster-en.pdf", status=404)


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "ar"])
def test_in_a_browser_nothing_is_too_wide_and_a_message_can_be_copied(
    page: Any, live: Live, engine: Any, language: str
) -> None:
    opened(engine, languages=LANGUAGES)
    with write_session(engine) as session:
        staff(session, "leader", email="look@district.example", language=language)
        session.commit()
    page.goto(live.url + "/staff/login?next=" + FALL)
    page.fill("#email", "look@district.example")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**" + FALL)
    page.evaluate("document.querySelectorAll('details:not(.account)').forEach(each => each.open = true)")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    check_at_double_text(page)
    page.set_viewport_size({"width": 360, "height": 800})
    check_at_double_text(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=live.url)
    page.click("[data-copy=message-es]")
    done = "(() => { const one = document.querySelector('[data-copy=message-es]');"
    page.wait_for_function(done + " return one.textContent === one.dataset.copied; })()")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.replace("\r", "").endswith(f"Conteste aquí:\n{live.url}/es/w/fall")
