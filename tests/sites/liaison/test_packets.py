"""A packet's page: its progress, its file, canceling and repeating it, and the status of its sheets."""

import json
import re
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import Engine

from engage.base.config import Settings
from engage.domain.security.encryption import Sealer
from engage.questionnaire.numbering import decode_payload
from engage.services.runtime import WORKER
from engage.sites.liaison import packets as pages
from engage.storage.engine import connect, read_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Packet, PrintRun, Sheet
from tests.people import rows
from tests.sites.liaison.conftest import Desk, a_roster
from tests.sites.liaison.test_print_request import FALL, asks, looks, someone

pytestmark = pytest.mark.slow

__all__ = ["someone"]

PLACE = "/staff/liaison/packets"
STRIPS = "Its tear-off strips have families' secret reply codes."
NOT_RUNNING = "The print service is not running. Ask your administrator to start “engage worker”."


def codes(pdf: bytes) -> Counter[str]:
    """Return the serials in the codes on the pages, and the number of pages of each."""
    document = pypdfium2.PdfDocument(BytesIO(pdf))
    found: Counter[str] = Counter()
    for page in document:
        image = page.render(scale=2.5).to_pil()
        read = [decode_payload(code.text) for code in zxingcpp.read_barcodes(image)]
        found.update(each.serial for each in read if each)
    document.close()
    return found


def words(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(BytesIO(pdf))
    found = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return " ".join(found.split())


def ledger(person: Any) -> dict[str, list[str]]:
    return rows(next(table for table in person.page.all("table") if "Not entered" in table.text))


def own(stored: Any, packet: Packet) -> list[Sheet]:
    runs = {run.id for run in stored(PrintRun) if run.packet_id == packet.id}
    return [sheet for sheet in stored(Sheet) if sheet.run_id in runs]


def downloads(person: Any, packet: Packet, status: int = 200) -> bytes:
    person.opens(f"{PLACE}/{packet.id}.pdf", status)
    pdf = bytes(person.response.data)
    person.response.close()
    return pdf


def cannot_touch(person: Any, packet: Packet) -> None:
    """Assert that neither the file nor the status can be changed."""
    downloads(person, packet, 403)
    person.opens(f"{PLACE}/{packet.id}/cancel", status=403)
    for deed in ("cancel", "again"):
        looks(person)
        token = next(one.get("value") for one in person.page.all("input") if one.get("name") == "csrf_token")
        answer = person.client.post(f"{PLACE}/{packet.id}/{deed}", data={"csrf_token": token})
        assert answer.status_code == 403


def change(engine_arrange: Any, packet: Packet, **values: Any) -> None:
    def made(session: Any) -> None:
        found = session.get_one(Packet, packet.id)
        for name, value in values.items():
            setattr(found, name, value)

    engine_arrange(made)


def test_a_packet_waits_is_drawn_and_downloaded(liaison: Any, works: Any, stored: Any) -> None:
    asks(liaison, **{"copies-en": "2", "copies-es": "1"})
    [packet] = stored(Packet)
    liaison.sees("The file is waiting to be created.", "Not started yet.", NOT_RUNNING).sees_no("Download")
    assert liaison.response.headers["Refresh"] == f"5; url={PLACE}/{packet.id}?look=1"
    works()
    liaison.opens(f"{PLACE}/{packet.id}")
    [packet] = stored(Packet)
    liaison.sees(f"The file is ready. It has {packet.pages} pages.").sees_no("not running", "Cancel")
    assert "Refresh" not in liaison.response.headers
    liaison.follows("Download the packet (PDF)")
    pdf = bytes(liaison.response.data)
    liaison.response.close()
    assert liaison.response.headers["Content-Type"] == "application/pdf"
    named = re.escape(f"fall-lincoln-{packet.id[:6]}.pdf")
    assert re.fullmatch(f"attachment; filename={named}", liaison.response.headers["Content-Disposition"])
    assert liaison.response.headers["Cache-Control"] == "no-store"
    read = codes(pdf)
    assert set(read) == {sheet.serial for sheet in own(stored, packet)}
    assert len(read) == 3
    [event] = [event for event in stored(AuditEvent) if event.deed == "download packet"]
    assert json.loads(event.detail) == {"packet": packet.id, "school": "lincoln"}, "strips carry reply codes"


def test_the_ledger_balances_in_each_language_and_in_all(liaison: Any, works: Any, stored: Any) -> None:
    asks(liaison, **{"copies-en": "3", "copies-es": "2"})
    works()
    [packet] = stored(Packet)
    run = {run.id: run.language for run in stored(PrintRun)}
    sheets = sorted((run[sheet.run_id], sheet.serial) for sheet in own(stored, packet))
    liaison.takes(sheets[0][1]).keys({"internet": "no"})
    liaison.takes(sheets[1][1]).sends(button="Mark this form as spoiled")
    liaison.opens(f"{PLACE}/{packet.id}")
    # printed, not returned, keyed, spoiled
    assert ledger(liaison) == {
        "English": ["3", "1", "1", "1"],
        "Español": ["2", "2", "0", "0"],
        "Total": ["5", "3", "1", "1"],
    }
    liaison.sees_no("The numbers do not add up")


def test_a_ledger_that_does_not_balance_says_so(liaison: Any, arrange: Any, stored: Any) -> None:
    asks(liaison)
    [packet] = stored(Packet)

    def lose(session: Any) -> None:
        session.delete(session.get_one(Sheet, own(stored, packet)[0].serial))

    arrange(lose)
    liaison.opens(f"{PLACE}/{packet.id}").sees("The numbers do not add up: 1 form is not accounted for.")


@pytest.mark.parametrize(
    ("drawn", "pages", "sentence"),
    [(0, 0, "Not started yet."), (40, 1200, "40 of 1,200 pages"), (7, 7, "7 of 7 pages")],
)
def test_progress_is_a_bar_with_words(
    liaison: Any, arrange: Any, stored: Any, drawn: int, pages: int, sentence: str
) -> None:
    asks(liaison)
    [packet] = stored(Packet)
    change(arrange, packet, state="drawing", drawn=drawn, pages=pages)
    liaison.opens(f"{PLACE}/{packet.id}").sees("The file is being created.", "Pages created", sentence)
    [bar] = liaison.page.all("progress")
    assert (bar.get("value"), bar.get("max")) == ((str(drawn), str(pages)) if pages else (None, None))


def test_the_page_looks_again_only_while_something_moves_and_can_be_stopped(
    liaison: Any, arrange: Any, stored: Any
) -> None:
    asks(liaison)
    [packet] = stored(Packet)
    liaison.follows("Pause updates").sees("Updates are paused.")
    assert "Refresh" not in liaison.response.headers
    liaison.follows("Refresh")
    assert "Refresh" in liaison.response.headers
    liaison.opens(f"{PLACE}/{packet.id}?look=119")
    assert liaison.response.headers["Refresh"].endswith("?look=120")
    for look in ("120", "-1", "99999999999999999999"):
        liaison.opens(f"{PLACE}/{packet.id}?look={look}")
        assert "Refresh" not in liaison.response.headers
    for state in ("ready", "failed", "cancelled"):
        change(arrange, packet, state=state)
        liaison.opens(f"{PLACE}/{packet.id}").sees_no("updates every few seconds")
        assert "Refresh" not in liaison.response.headers


def test_a_worker_at_its_place_is_seen(liaison: Any, settings: Any, stored: Any) -> None:
    from engage.services.tasks.worker import _worker_lock

    asks(liaison)
    [packet] = stored(Packet)
    with _worker_lock(settings.data_dir, lambda _seconds: True) as mine:
        assert mine
        liaison.opens(f"{PLACE}/{packet.id}").sees("The file is waiting to be created.").sees_no("not running")
    liaison.opens(f"{PLACE}/{packet.id}").sees(NOT_RUNNING)
    with _worker_lock(settings.data_dir, lambda _seconds: True) as mine:
        assert mine, "looking does not take the worker's place"


def test_a_packet_is_given_up_after_a_question(liaison: Any, works: Any, stored: Any) -> None:
    asks(liaison)
    liaison.follows("Cancel this packet…").sees("Its forms will be marked as spoiled")
    [packet] = stored(Packet)
    assert packet.state == "waiting", "asking changes nothing"
    liaison.sends(button="Cancel the packet")
    liaison.sees("The packet was canceled.", "Do not hand them out").sees_no("Download", "Create the file again")
    assert ledger(liaison)["Total"] == ["2", "0", "0", "2"]
    works()
    assert [packet.state for packet in stored(Packet)] == ["cancelled"]
    downloads(liaison, packet)
    assert liaison.path == f"{PLACE}/{packet.id}"
    liaison.sees("The file is no longer available.")


def test_what_is_ready_is_not_given_up(liaison: Any, works: Any, stored: Any) -> None:
    asks(liaison)
    [packet] = stored(Packet)
    liaison.opens(f"{PLACE}/{packet.id}/cancel")
    works()
    liaison.sends(button="Cancel the packet").sees("This packet is no longer waiting, or it was canceled.")
    assert [packet.state for packet in stored(Packet)] == ["ready"]


def test_a_file_that_is_gone_is_made_again_with_the_same_bytes(
    liaison: Any, works: Any, settings: Any, stored: Any
) -> None:
    asks(liaison)
    works()
    [packet] = stored(Packet)
    first = downloads(liaison, packet)
    (settings.data_dir / "packets" / f"{packet.id}.pdf").unlink()
    downloads(liaison, packet)
    liaison.sees("The file is no longer available.", "The file has been deleted.")
    liaison.sends(button="Create the file again").sees("The file is being created again with the same form numbers.")
    liaison.sees("The file is waiting to be created.")
    works()
    assert downloads(liaison, packet) == first


def test_a_file_that_goes_while_it_is_asked_for_is_not_there(
    liaison: Any, works: Any, settings: Any, stored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(liaison)
    works()
    [packet] = stored(Packet)
    gone = settings.data_dir / "packets" / f"{packet.id}.pdf"
    gone.unlink()
    with monkeypatch.context() as moment:
        moment.setattr(pages.orders, "packet_file", lambda *_about: gone)  # the file existed a moment before
        downloads(liaison, packet)
    assert liaison.path == f"{PLACE}/{packet.id}"
    liaison.sees("The file is no longer available.")
    assert [event for event in stored(AuditEvent) if event.deed == "download packet"] == []


def test_giving_up_a_second_making_leaves_the_sheets(liaison: Any, works: Any, settings: Any, stored: Any) -> None:
    asks(liaison)
    works()
    [packet] = stored(Packet)
    (settings.data_dir / "packets" / f"{packet.id}.pdf").unlink()
    liaison.opens(f"{PLACE}/{packet.id}").sends(button="Create the file again")
    liaison.follows("Cancel this packet…").sees("Forms already printed are not affected.")
    liaison.sends(button="Cancel the packet").sees("Forms already printed are not affected.")
    assert ledger(liaison)["Total"] == ["2", "2", "0", "0"]


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (["disk", {}], "The disk is full."),
        (["font", {"language": "ar"}], "The fonts for العربية are not installed"),
        (["something new", {}], "The packet could not be created."),
    ],
)
def test_what_went_wrong_is_told_and_can_be_tried_again(
    liaison: Any, works: Any, arrange: Any, stored: Any, problem: list[Any], sentence: str
) -> None:
    asks(liaison)
    [packet] = stored(Packet)
    change(arrange, packet, state="failed", problem=json.dumps(problem))
    liaison.opens(f"{PLACE}/{packet.id}").sees("The file could not be created.", sentence, "Cancel this packet…")
    liaison.sends(button="Try again").sees("The file is waiting to be created.").sees_no(sentence)
    works()
    liaison.opens(f"{PLACE}/{packet.id}").sees("The file is ready.")


def test_a_set_for_each_household_of_an_anonymous_wave_is_the_liaisons(
    liaison: Any, works: Any, arrange: Any, stored: Any
) -> None:
    arrange(a_roster)
    asks(liaison, contents="households")
    works()
    [packet] = stored(Packet)
    read = codes(downloads(liaison, packet))
    assert set(read) == {sheet.serial for sheet in own(stored, packet)}
    assert len(read) == 5
    assert [event.about for event in stored(AuditEvent) if event.deed == "download packet"] == ["fall"]


def test_names_and_codes_leave_only_with_a_line_in_the_log(
    someone: Any, settings: Any, works: Any, arrange: Any, stored: Any
) -> None:
    told = json.dumps({"guardians": ["Amina Warsame"], "students": ["Yusuf"]})
    arrange(lambda session: a_roster(session, greeting=Sealer.of(settings).seal(told)))
    leader = someone("leader")
    asks(leader, at="known lincoln", contents="households", outside="window")
    works()
    [packet] = stored(Packet)
    assert "Amina Warsame" in words(downloads(leader, packet))
    [event] = [event for event in stored(AuditEvent) if event.deed == "download packet"]
    assert (event.actor, event.about) == ("leader@wide.example", "known")
    assert json.loads(event.detail) == {"packet": packet.id, "school": "lincoln"}


def test_codes_made_for_a_packet_are_written_down(someone: Any, arrange: Any, stored: Any) -> None:
    from engage.storage.models.waves import Wave

    def code(session: Any) -> None:
        session.get_one(Wave, "known").entry = "code"

    arrange(a_roster)
    arrange(code)
    leader = someone("leader")
    asks(leader, at="known lincoln", contents="households")
    [packet] = stored(Packet)
    [event] = [event for event in stored(AuditEvent) if event.deed == "make access codes"]
    assert json.loads(event.detail) == {"codes": 5, "packet": packet.id}
    assert len(stored(Invitation)) == 5
    leader.follows("Cancel this packet…").sends(button="Cancel the packet")
    assert stored(Invitation) == []


def test_two_clicks_make_one_packet_for_households(someone: Any, arrange: Any, works: Any, stored: Any) -> None:
    arrange(a_roster)
    leader = someone("leader")
    for _ in range(2):
        asks(leader, at="known lincoln", contents="households")
    [packet] = stored(Packet)
    leader.sees("Nothing to do: the file is ready or is being created.")
    assert leader.path == f"{PLACE}/{packet.id}"
    asks(leader, at="known lincoln", contents="households", style="large")  # another paper or style is another packet
    assert len(stored(Packet)) == 2
    works()
    asks(leader, at="known lincoln", contents="households")  # that one is finished, so a new request is for new sheets
    assert len(stored(Packet)) == 3


def test_a_translator_sees_the_state_of_a_packet_with_names_but_never_its_file(
    someone: Any, works: Any, arrange: Any, stored: Any
) -> None:
    arrange(a_roster)
    asks(someone("leader"), at="known lincoln", contents="households")
    [packet] = stored(Packet)
    translator = someone("translator")
    translator.opens(f"{PLACE}/{packet.id}").sees(
        "The file is waiting to be created.", "Your account cannot download them."
    )
    translator.sees_no("Cancel this packet…", STRIPS)
    works()
    translator.opens(f"{PLACE}/{packet.id}").sees("The file is ready.").sees_no("Download")
    cannot_touch(translator, packet)
    assert [packet.state for packet in stored(Packet)] == ["ready"]


def test_a_translator_has_only_the_blanks_of_their_own_making(
    liaison: Any, someone: Any, works: Any, settings: Any, stored: Any
) -> None:
    asks(liaison)
    [theirs] = stored(Packet)
    translator = someone("translator")
    translator.opens(f"{PLACE}/{theirs.id}").sees("The file is waiting to be created.", STRIPS).sees_no(
        "Cancel", "names or"
    )
    works()
    translator.opens(f"{PLACE}/{theirs.id}").sees("The file is ready.", STRIPS).sees_no("Download")
    cannot_touch(translator, theirs)
    assert not [event for event in stored(AuditEvent) if event.deed == "download packet"]
    asks(translator).sees("Cancel this packet…").sees_no(STRIPS)
    own = next(packet for packet in stored(Packet) if packet.id != theirs.id)
    works()
    assert len(codes(downloads(translator, own))) == 2
    (settings.data_dir / "packets" / f"{own.id}.pdf").unlink()
    translator.opens(f"{PLACE}/{own.id}").sends(button="Create the file again").sees("The file is being created again")
    works()
    assert len(codes(downloads(liaison, own))) == 2, "who prints for households has every blank set of the school"
    told = [(event.actor, event.detail) for event in stored(AuditEvent) if event.deed == "download packet"]
    assert [actor for actor, detail in told if own.id in detail] == ["translator@wide.example", "lin@district.example"]


def test_a_packet_of_the_command_line_is_no_translators(someone: Any, liaison: Any, arrange: Any, stored: Any) -> None:
    asks(liaison)
    [packet] = stored(Packet)
    change(arrange, packet, made_by=None)
    cannot_touch(someone("translator"), packet)


def test_a_translator_does_not_get_the_sets_of_households(
    liaison: Any, someone: Any, works: Any, arrange: Any, stored: Any
) -> None:
    arrange(a_roster)
    asks(liaison, contents="households")
    works()
    [packet] = stored(Packet)
    translator = someone("translator")
    translator.opens(f"{PLACE}/{packet.id}").sees(STRIPS).sees_no("Download the", "10B", "names or access codes")
    downloads(translator, packet, 403)


def test_a_packet_of_a_foreign_school_is_not_there(liaison: Any, someone: Any, stored: Any) -> None:
    asks(someone("leader"), at="fall cedar")
    [packet] = stored(Packet)
    for address in (packet.id, f"{packet.id}.pdf", f"{packet.id}/cancel", "0" * 32, "%00", "..%2f..%2fsecret-key"):
        liaison.opens(f"{PLACE}/{address}", status=404)
    liaison.opens("/staff/liaison/print").sees_no("Cedar Middle School")


def test_beside_every_file_stands_the_page_with_the_same_questions(liaison: Any, desk: Desk, stored: Any) -> None:
    asks(liaison)
    links = {link.get("href") for link in liaison.page.all("a")}
    assert {f"http://127.0.0.1:8000/{tag}/w/fall/read" for tag in ("en", "es", "ar")} <= links
    looks(liaison, FALL)
    assert {f"http://127.0.0.1:8000/{tag}/w/fall/read" for tag in ("en", "es", "ar")} <= {
        link.get("href") for link in liaison.page.all("a")
    }


def test_a_lock_that_cannot_be_looked_at_is_no_worker(engine: Engine, tmp_path: Path) -> None:
    with read_session(engine) as session:
        assert not pages.is_worker_running(session, tmp_path)


@pytest.mark.postgres
def test_a_worker_on_another_machine_counts_as_running(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    worker = connect(settings.database, WORKER)
    with worker.connect(), read_session(engine) as session:
        assert pages.is_worker_running(session, tmp_path)
    worker.dispose()
    with read_session(engine) as session:
        assert not pages.is_worker_running(session, tmp_path)
