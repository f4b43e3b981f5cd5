"""A family prints the survey, at home or at a library."""

from datetime import date
from io import BytesIO

import pypdfium2
import pytest

from engage.domain.paper.form.blank import write_sheets
from engage.domain.paper.typesetting.fonts import MissingFont
from engage.sites.family import printable_form_cache
from engage.sites.family.code_attempts import Tries
from tests.makers import a_wave

LINK = "Paper form to print"


def words(pdf):
    document = pypdfium2.PdfDocument(BytesIO(pdf))
    found = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return " ".join(found.split())


def paper_link(family):
    return next((link for link in family.page.all("a") if (link.get("href") or "").endswith("/paper.pdf")), None)


def test_the_page_with_all_questions_leads_to_the_form_and_says_how_large_it_is(family, small):
    family.opens("/en/w/fall/read").sees("Ask your school", "at a library, and give it to your school")
    link = paper_link(family)
    family.opens(link.get("href"))
    pdf = family.response.data
    assert link.text == f"{LINK} (PDF, {round(len(pdf) / 1000)} kB)"
    assert family.response.headers["Content-Type"] == "application/pdf"
    assert family.response.headers["Content-Disposition"] == 'attachment; filename="fall-en.pdf"'
    assert family.response.headers["Content-Length"] == str(len(pdf))
    said = words(pdf)
    assert "Give this form to your child's school." in said
    assert "Please do not write your name on this form." in said
    assert "October 30, 2029" in said
    assert "October 31, 2026" in said
    assert "Is there internet at home?" in said


def test_it_carries_no_serial_and_sets_no_cookie(family, small):
    family.opens("/en/w/fall/paper.pdf")
    assert "Set-Cookie" not in family.response.headers
    assert "Sheet" not in words(family.response.data)


@pytest.mark.parametrize("language", ["es", "ar"])
def test_it_is_in_the_language_of_its_address(family, small, language):
    family.opens(f"/{language}/w/fall/read")
    assert paper_link(family).get("href") == f"/{language}/w/fall/paper.pdf"
    family.opens(f"/{language}/w/fall/paper.pdf")
    assert f'filename="fall-{language}.pdf"' in family.response.headers["Content-Disposition"]
    assert f"/Lang ({language})".encode() in family.response.data


def test_the_same_form_is_drawn_once(family, small, monkeypatch):
    drawn = []

    def counted(out, edition, first, *rest, **more):
        drawn.append(first.language)
        return write_sheets(out, edition, first, *rest, **more)

    monkeypatch.setattr("engage.sites.family.printable_form.write_sheets", counted)
    first = family.opens("/en/w/fall/paper.pdf").response.data
    assert family.opens("/en/w/fall/read").opens("/en/w/fall/paper.pdf").response.data == first
    family.opens("/es/w/fall/paper.pdf")
    assert drawn == ["en", "es"]


@pytest.mark.parametrize(
    ("opens", "closes", "status"),
    [(date(2026, 12, 1), date(2026, 12, 2), 403), (date(2026, 9, 1), date(2026, 9, 2), 410)],
)
def test_there_is_none_before_and_after_the_wave(family, arrange, opens, closes, status):
    arrange(lambda session: a_wave(session, opens=opens, closes=closes, results_on=None))
    family.opens("/en/w/fall/read").sees_no(LINK, "Ask your school")
    family.opens("/en/w/fall/paper.pdf", status=status)


def test_there_is_none_where_the_survey_is_not_asked_on_paper(family, arrange):
    def make(session):
        a_wave(session).modes = "web interview"

    arrange(make)
    family.opens("/en/").sees_no("on paper")
    family.opens("/en/w/fall/read").sees_no(LINK, "Ask your school")
    family.opens("/en/w/fall/paper.pdf", status=404).sees("We have no paper form for this survey")
    family.follows("Read all questions").sees("Is there internet at home?")


@pytest.mark.parametrize("wave", ["none", "%00", "x" * 3000])
def test_an_unknown_wave_is_kindly_refused(family, small, wave):
    family.opens(f"/en/w/{wave}/paper.pdf", status=404).sees("We cannot find this survey")


def test_a_language_that_is_not_asked_leads_to_those_that_are(family, small):
    family.opens("/vi/w/fall/paper.pdf", status=404)
    assert {"en", "es", "ar"} <= {link.get("hreflang") for link in family.page.all("a")}


def test_what_cannot_be_printed_is_not_offered_and_is_tried_once(family, small, monkeypatch):
    tried = []

    def broken(*args, **more):
        tried.append(args[2].language)
        raise MissingFont("Noto Sans")

    monkeypatch.setattr("engage.sites.family.printable_form.write_sheets", broken)
    family.opens("/en/w/fall/read").sees("Ask your school").sees_no(LINK)
    family.opens("/en/w/fall/paper.pdf", status=404).sees("Please ask your school how you can answer.")
    assert tried == ["en"]


def test_one_address_cannot_have_form_after_form_drawn(family, site, arrange):
    site.family.extensions["engage.sites.family"].forms = Tries(each=2, together=9)
    arrange(lambda session: [a_wave(session, name) for name in ("one", "two", "three")])
    for wave in ("one", "two"):
        family.opens(f"/en/w/{wave}/paper.pdf")
    family.opens("/en/w/three/paper.pdf", status=429).sees("Too many tries")
    family.opens("/en/w/three/read").sees("Ask your school").sees_no(LINK)
    family.opens("/en/w/one/paper.pdf")


def test_the_front_door_says_how_to_get_paper(family, small):
    family.opens("/en/").sees("Would you rather answer on paper? Ask your school")


def test_the_shelf_is_bounded(monkeypatch):
    monkeypatch.setattr(printable_form_cache, "FORMS_MOST", 2)
    kept = printable_form_cache.FormCache()
    for number in range(5):
        kept.put(number, b"%d" % number)
    kept.get(3)
    kept.put(5, b"")
    assert [kept.get(number) for number in range(6)] == [None, None, None, b"3", None, b""]
