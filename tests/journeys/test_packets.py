"""From a form on the liaison's screen to paper: three languages for an event, drawn by a separate worker."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pypdfium2
import pytest
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select

from engage.questionnaire.numbering import decode_payload
from engage.services.retention.run_schedule import claim_run, due_night, end_run
from engage.storage.engine import read_session, write_session
from engage.storage.models.paper import Packet, PrintRun, Sheet
from tests.domain.mail.test_worker import running
from tests.journeys.test_family import fits, go_on
from tests.makers import PASSWORD, a_school, a_wave, staff

pytestmark = pytest.mark.browser

WANTED = {"en": 3, "es": 2, "ar": 2}
PATIENCE = 60_000  # ms
WIDTHS = (360, 1280)  # CSS pixels


@pytest.fixture
def desk(engine):
    """A wave at Lincoln, and liaisons who read English and Arabic."""
    with write_session(engine) as session:
        school = a_school(session)
        a_wave(session, "fall", [school])
        for tag in ("en", "ar"):
            staff(session, "liaison", [school], f"desk-{tag}@district.example", tag)
        session.commit()


def signs_in(page, url, language):
    page.goto(f"{url}/staff/login")
    page.fill("#email", f"desk-{language}@district.example")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/staff/")


def looks_right(page):
    """At both widths nothing overflows, and axe reports no violations."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        fits(page)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url} at {width}:\n{found.generate_report()}"
    page.set_viewport_size({"width": 360, "height": 640})


def asks(page, url):
    """Request blank forms in three languages; a number that is too large gives an error, and the other input stays."""
    page.goto(f"{url}/staff/liaison/print")
    looks_right(page)
    page.check("[name=contents][value=blanks]", force=True)
    for tag, number in (WANTED | {"es": 999}).items():
        page.fill(f"[name=copies-{tag}]", str(number))
    page.select_option("[name=second]", "en")
    go_on(page, 'form[action$="/print"] button:not([formaction])')
    expect(page.locator("#copies-es-wrong")).to_be_visible()
    looks_right(page)
    assert page.input_value("[name=copies-ar]") == "2"
    assert page.input_value("[name=second]") == "en"
    page.select_option("[name=second]", "")
    page.fill("[name=copies-es]", "2")
    go_on(page, 'form[action$="/print"] button:not([formaction])')


def read(path):
    """Return the serials in the codes on the pages, and the number of pages of each."""
    document, found = pypdfium2.PdfDocument(path), Counter()
    for page in document:
        said = zxingcpp.read_barcodes(page.render(scale=2.5).to_pil())
        found.update(each.serial for code in said if (each := decode_payload(code.text)))
    document.close()
    return found


def ledger(engine):
    """Return the serials of the only packet by language."""
    with read_session(engine) as session:
        [packet] = session.scalars(select(Packet))
        rows = session.execute(select(PrintRun.language, Sheet.serial).join(Sheet, Sheet.run_id == PrintRun.id)).all()
        assert {run.packet_id for run in session.scalars(select(PrintRun))} == {packet.id}
    return rows, packet


def no_deletion_tonight(engine, settings):
    """The worker's clock is months ahead of the site's, so its nightly run would end the liaison's session."""
    now = datetime.now(UTC)
    with write_session(engine) as session:
        night = due_night(now, settings.timezone)
        claim_run(session, night, "nobody", now)
        end_run(session, night, {}, "", now)
        session.commit()


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.thorough
def test_three_languages_for_an_event(live, page, engine, settings, desk, language):
    signs_in(page, live.url, language)
    asks(page, live.url)
    assert "/staff/liaison/packets/" in page.url
    expect(page.locator("progress")).to_be_visible()
    go_on(page, "a[href$='?still=yes']")  # otherwise the page may reload while it is checked
    looks_right(page)
    go_on(page, "section[aria-labelledby=how-far] p a")
    no_deletion_tonight(engine, settings)
    with running(replace(settings, base_url=live.url), "worker"):
        expect(page.locator("a.button[href$='.pdf']")).to_be_visible(timeout=PATIENCE)  # the page reloads by itself
    looks_right(page)
    with page.expect_download() as loading:
        page.click("a.button[href$='.pdf']")
    rows, packet = ledger(engine)
    assert Counter(tag for tag, _ in rows) == WANTED
    found = read(loading.value.path())
    assert set(found) == {serial for _, serial in rows}
    told = page.locator("[aria-labelledby=ledger] tbody tr:last-child td").all_inner_texts()
    print(f"{language}: {packet.pages} pages, {len(found)} sets, {sum(found.values())} codes read; ledger {told}")


def test_giving_up_needs_two_steps_and_leaves_nothing(live, page, engine, desk):
    signs_in(page, live.url, "ar")
    asks(page, live.url)
    go_on(page, "a[href$='/cancel']")
    looks_right(page)
    go_on(page, "main form button")
    looks_right(page)
    expect(page.locator("progress")).to_have_count(0)
    _, packet = ledger(engine)
    assert packet.state == "cancelled"
    with read_session(engine) as session:
        assert {sheet.state for sheet in session.scalars(select(Sheet))} == {"spoiled"}
