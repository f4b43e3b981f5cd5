"""A school's packet: requested, numbered, drawn from its rows, and canceled; and error messages."""

import hmac
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from gettext import NullTranslations
from pathlib import Path
from random import Random
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from engage.base.config import Settings
from engage.domain.security.access_codes import (
    ACCESS_KEY,
    REPLY_KEY,
    derive_reply_code,
    digest,
    format_reply_code,
    parse_access_code,
)
from engage.domain.security.encryption import Sealer, derive_key, load_keys
from engage.questionnaire.numbering import decode_payload
from engage.services.printing import orders, rendering
from engage.services.printing.layouts import Unprintable
from engage.services.printing.messages import (
    _file_messages,
    _order_messages,
    _print_messages,
    explain_failure,
    explain_refusal,
)
from engage.services.printing.orders import PacketRefused, PacketRequest
from engage.services.printing.reprints import find_same_packet
from engage.services.printing.sheets import PrintContext
from engage.services.waves import invitations
from engage.services.waves.retention import delete_sheet_links
from engage.services.waves.schedule import NewDays, change_days
from engage.storage.engine import read_session, write_session
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Packet, PrintRun, Sheet, SheetLink, StoredLayout
from engage.storage.models.roster import OptOut, Student
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave
from tests.paths import ROOT
from tests.sites.district.homes import a_home

pytestmark = pytest.mark.slow

TONGUES = ("en", "es", "ar")


@dataclass
class Desk:
    """A person who requests packets."""

    engine: Engine
    settings: Settings
    today: date

    @property
    def sealer(self) -> Sealer:
        return Sealer(load_keys(self.settings))

    @property
    def context(self) -> PrintContext:
        return PrintContext(self.settings, self.sealer, self.today)

    def wave(self, id: str = "fall", **about: Any) -> None:
        with write_session(self.engine) as session:
            a_wave(session, id, [a_school(session)], **about)
            session.commit()

    def homes(self, *classes: tuple[str, str], names: bool = True) -> None:
        """Add households, (class, language) each, with one child at Lincoln."""
        with write_session(self.engine) as session:
            for number, (group, language) in enumerate(classes, 1):
                child = f"s{number}"
                sealer = self.sealer if names else None
                a_home(session, number, (child, "lincoln"), language=language, sealer=sealer, class_name=group)
            session.commit()

    def asks(self, wave: str = "fall", school: str = "lincoln", **want: Any) -> str:
        """Request a packet; returns its id."""
        with read_session(self.engine) as session:
            order = orders.prepare_order(session, self.context, wave, school, PacketRequest(**want))
        with write_session(self.engine) as session:
            made = orders.create_packet(session, self.context, order, by=None)
            session.commit()
        return made.packet.id

    def draws(self, id: str, name: str = "packet.pdf") -> Path:
        """Draw the file as the worker does."""
        target = self.settings.data_dir / name
        with read_session(self.engine) as session:
            pile = rendering.build_packet_content(session, self.settings, self.sealer, session.get_one(Packet, id))
        rendering.draw_packet(target, pile, lambda _drawn, _pages: True)
        return target

    def sees(self, wanted: Any) -> Any:
        with read_session(self.engine) as session:
            return session.scalars(wanted).all()

    def changes(self, deed: Callable[[Session], object]) -> None:
        with write_session(self.engine) as session:
            deed(session)
            session.commit()

    def is_refused(self, code: str, wave: str = "fall", school: str = "lincoln", **want: Any) -> str:
        """Assert that the request is refused and nothing is stored; returns the message."""
        with pytest.raises(PacketRefused) as caught:
            self.asks(wave, school, **want)
        assert caught.value.code == code
        assert self.sees(select(Packet)) == self.sees(select(Sheet)) == self.sees(select(Invitation)) == []
        return explain_refusal(caught.value, NullTranslations())


@pytest.fixture
def desk(engine: Engine, settings: Settings, today: date) -> Desk:
    return Desk(engine, settings, today)


@dataclass
class Leaf:
    """A page as read by a reader of codes and text."""

    serial: str | None
    number: int
    layout: str
    text: str
    links: list[str]


def leaves(path: Path) -> list[Leaf]:
    found = []
    with pypdfium2.PdfDocument(path) as pdf:
        for page in pdf:
            image = page.render(scale=1.6).to_pil()  # 115 dpi
            texts = [each.text for each in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)]
            said = [each for text in texts if (each := decode_payload(text))]
            links = [text for text in texts if decode_payload(text) is None]
            text = page.get_textpage().get_text_bounded()
            serial, number, layout = said[0] if said else (None, 0, "")
            found.append(Leaf(serial, number, layout, text, links))
    return found


def test_a_confidential_packet_has_a_set_for_each_household_by_class_language_and_name(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code", languages=TONGUES)
    desk.homes(("10A", "en"), ("3B", "ar"), ("3B", "es"), ("3B", "es"), ("", "so"))
    id = desk.asks()
    pages = leaves(desk.draws(id))
    fronts = [page for page in pages if page.number == 1]
    with read_session(desk.engine) as session:
        rows = session.execute(
            select(Sheet.serial, Sheet.position, PrintRun.language, SheetLink.label, StoredLayout.digest)
            .join(PrintRun, PrintRun.id == Sheet.run_id)
            .join(SheetLink, SheetLink.serial == Sheet.serial)
            .join(StoredLayout, StoredLayout.digest == PrintRun.layout_digest)
            .order_by(Sheet.position)
        ).all()
    assert [row.position for row in rows] == [1, 2, 3, 4, 5]
    assert [row.serial for row in rows] == [page.serial for page in fronts]
    labels = [json.loads(desk.sealer.open(row.label)) for row in rows]
    told = [(label["class"], row.language) for label, row in zip(labels, rows, strict=True)]
    assert told == [("3B", "es"), ("3B", "es"), ("3B", "ar"), ("10A", "en"), ("", "en")]
    key = derive_key(desk.settings.secret().encode(), REPLY_KEY)
    for row, label, page in zip(rows, labels, fronts, strict=True):
        code = label["code"]
        address = f"http://127.0.0.1:8000/{row.language}/c/{code[:5]}-{code[5:]}"
        assert page.links == [address]
        assert row.digest.startswith(page.layout)
        assert format_reply_code(derive_reply_code(key, b"sheet" + row.serial.encode())) in page.text
        assert "Yusuf Ali" in page.text
    invited = desk.sees(select(Invitation.digest))
    access = derive_key(desk.settings.secret().encode(), ACCESS_KEY)
    assert sorted(invited) == sorted(digest(label["code"], access) for label in labels)
    assert parse_access_code(labels[0]["code"]) == labels[0]["code"]


def test_an_anonymous_packet_ties_no_sheet_to_a_household_a_class_or_a_code(desk: Desk) -> None:
    desk.wave(entry="code")
    desk.homes(("3B", "es"), ("10A", "en"), ("10A", "es"), ("3B", "es"))
    id = desk.asks()
    fronts = [page for page in leaves(desk.draws(id)) if page.number == 1]
    assert desk.sees(select(SheetLink)) == desk.sees(select(Invitation)) == []
    assert desk.sees(select(Sheet.position)) == [None] * 4
    with read_session(desk.engine) as session:
        runs = session.execute(select(Sheet.serial, PrintRun.language).join(PrintRun)).all()
        (packet,) = session.scalars(select(Packet))
    key = derive_key(desk.settings.secret().encode(), "pile order")
    order = sorted(runs, key=lambda row: (TONGUES.index(row.language), keyed(key, row.serial)))
    assert [page.serial for page in fronts] == [row.serial for row in order]
    for page, row in zip(fronts, order, strict=True):
        assert page.links == [f"http://127.0.0.1:8000/{row.language}/c"], "where a code is typed in"
        assert not any(each in page.text for each in ("Yusuf", "Amina", "3B", "10A"))
    assert json.loads(packet.classes) == {"3B": {"es": 2}, "10A": {"en": 1, "es": 1}}
    assert json.loads(packet.asked) == {"en": 1, "es": 3}


def keyed(key: bytes, serial: str) -> str:
    return hmac.new(key, serial.encode(), "sha256").hexdigest()


def test_the_sets_of_an_anonymous_packet_lie_in_an_order_that_only_the_sites_secret_tells(desk: Desk) -> None:
    """Since forms are handed out class by class from the top, as the count sheet says, a form's position reveals its
    class: someone with the database and a count sheet, but no key, must not know the position."""
    desk.wave()
    desk.homes(*[(room, "es") for room in ("1A", "2B", "3C") for _ in range(10)])
    id = desk.asks()

    def lying() -> list[str]:
        return [page.serial or "" for page in leaves(desk.draws(id)) if page.number == 1]

    there, other = lying(), replace(desk.settings, secret_key="another site's secret, " * 2)
    assert there == sorted(
        there, key=lambda each: keyed(derive_key(desk.settings.secret().encode(), "pile order"), each)
    )
    assert there != sorted(there)
    assert desk.draws(id, "again.pdf").read_bytes() == desk.draws(id).read_bytes()
    desk.settings = other
    assert sorted(lying()) == sorted(there)
    assert lying() != there, "another key, another order"


@pytest.mark.sqlite
def test_an_anonymous_wave_keeps_its_sheets_in_the_order_of_their_serials(desk: Desk) -> None:
    """The storage order would otherwise reveal languages or classes."""
    desk.wave()
    desk.homes(*[("3B", tongue) for tongue in TONGUES * 4])
    desk.asks()
    with desk.engine.connect() as connection:
        kept = [row.serial for row in connection.exec_driver_sql("select * from sheets")]
    assert kept == sorted(kept)
    assert len(kept) == 12


def test_an_open_wave_leads_to_its_own_page_and_one_without_web_to_none(desk: Desk) -> None:
    desk.wave("open")
    desk.wave("paper")
    desk.changes(lambda session: setattr(session.get_one(Wave, "paper"), "modes", "paper"))
    for wave, links in (("open", ["http://127.0.0.1:8000/es/w/open"]), ("paper", [])):
        id = desk.asks(wave, contents="blanks", copies={"es": 1})
        assert [page.links for page in leaves(desk.draws(id)) if page.number == 1] == [links]


def test_who_has_a_code_keeps_it_and_is_led_to_where_it_is_typed_in(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), ("3B", "es"))
    home = f"{1:032x}"

    def has_a_code(session: Session) -> None:
        about = {"wave_id": "fall", "identity": "confidential", "school_id": "lincoln", "language": "es"}
        session.add(Invitation(digest="d" * 64, household_id=home, **about))

    desk.changes(has_a_code)
    fronts = [page for page in leaves(desk.draws(desk.asks())) if page.number == 1]
    assert len(desk.sees(select(Invitation))) == 2
    links = {link.household_id: link for link in desk.sees(select(SheetLink))}
    assert (links[home].invitation, links[home].minted) == ("d" * 64, False)
    assert json.loads(desk.sealer.open(links[home].label))["code"] == ""
    told = {page.serial: page.links for page in fronts}
    assert told[links[home].serial] == ["http://127.0.0.1:8000/es/c"]
    other = links[f"{2:032x}"]
    assert other.minted
    assert told[other.serial][0].startswith("http://127.0.0.1:8000/es/c/")


def test_households_that_are_not_to_be_asked_get_no_paper(desk: Desk, today: date) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), ("3B", "en"))
    desk.changes(lambda session: session.add(OptOut(household_id=f"{1:032x}", recorded_on=today)))
    desk.asks()
    assert desk.sees(select(SheetLink.household_id)) == desk.sees(select(Invitation.household_id)) == [f"{2:032x}"]


@pytest.mark.parametrize(
    ("kept", "outside", "names"), [(True, "window", True), (True, "code", False), (False, "window", False)]
)
def test_names_stand_on_the_outside_only_where_they_are_kept_and_wanted(
    desk: Desk, kept: bool, outside: str, names: bool
) -> None:
    desk.settings = replace(desk.settings, keep_names=kept)
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"))
    path = desk.draws(desk.asks(outside=outside))
    (link,) = desk.sees(select(SheetLink))
    lines = json.loads(desk.sealer.open(link.label))["to"]
    people = ["=HYPERLINK(1), Yusuf Ali", "Amina Ali"]
    place = "Lincoln Elementary · 3B"
    number = "Estudiante s1" if "Estudiante" in lines[0] else "Student s1"  # or the translation, when there is one
    assert lines == ([*people, place] if names else [number, place] if outside == "window" else [place, link.serial])
    fronts = "".join(page.text for page in leaves(path) if page.serial)
    assert ("Yusuf Ali" in fronts) == names
    assert (number in fronts) == (outside == "window" and not names)
    assert link.label.find(b"Yusuf") == -1


def listed(path: Path) -> list[list[str]]:
    """Return the lines of each page of the hand-out list."""
    texts = [page.text.split("\r\n") for page in leaves(path) if page.serial is None]
    return [lines for lines in texts if lines[0] == "Handout list"]


def bookmarks(path: Path) -> list[tuple[int, str]]:
    with pypdfium2.PdfDocument(path) as pdf:
        return [(each.level, each.get_title()) for each in pdf.get_toc()]


def test_without_anything_on_the_outside_a_list_says_which_set_goes_to_which_family(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), ("10A", "en"), ("3B", "en"), ("", "en"))
    id = desk.asks(outside="code")
    path = desk.draws(id)
    with read_session(desk.engine) as session:
        rows = session.execute(
            select(Sheet.serial, PrintRun.language, SheetLink.label)
            .join(PrintRun, PrintRun.id == Sheet.run_id)
            .join(SheetLink, SheetLink.serial == Sheet.serial)
            .order_by(Sheet.position)
        ).all()
    pages = listed(path)
    titles = ["Class 3B", "Class 10A", "Class not known"]
    assert [next(line for line in page if line in titles) for page in pages] == titles
    assert all("Keep it in the office" in " ".join(page) for page in pages)
    said = [line for page in pages for line in page if "Yusuf Ali" in line]
    for line, row in zip(said, rows, strict=True):
        assert line.split()[0] == row.serial
        assert "Amina Ali" in line
        assert line.endswith({"es": "Español", "en": "English"}[row.language])
    assert bookmarks(path)[:5] == [(0, "Count sheet"), (0, "Handout list"), *((1, title) for title in titles)]
    assert desk.draws(id, "again.pdf").read_bytes() == path.read_bytes()


def test_where_no_names_are_kept_the_list_has_the_number_of_the_youngest_child(desk: Desk) -> None:
    desk.settings = replace(desk.settings, keep_names=False)
    desk.wave(identity="confidential", entry="code")
    with write_session(desk.engine) as session:
        a_home(session, 1, ("older", "lincoln"), ("younger", "lincoln"), ("baby", "oak"), language="ar")
        session.execute(update(Student).where(Student.id == "older").values(grade="05", class_name="5A"))
        session.execute(update(Student).where(Student.id == "younger").values(grade="02", class_name="2C"))
        session.execute(update(Student).where(Student.id == "baby").values(grade="KG", class_name="K"))
        session.commit()
    ((*_, line),) = [page[-1:] for page in listed(desk.draws(desk.asks(outside="code")))]
    (link,) = desk.sees(select(SheetLink))
    assert line.startswith(f"{link.serial} Student younger")
    desk.asks()
    lines = {tuple(json.loads(desk.sealer.open(each))["to"]) for each in desk.sees(select(SheetLink.label))}
    assert {each[1] for each in lines} >= {"Lincoln Elementary · 2C"}
    assert any("\u2068younger\u2069" in each[0] for each in lines), "a number keeps its place in Arabic words"


def test_a_name_that_nobody_can_print_is_spelled_out_on_the_list(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), names=False)
    names = desk.sealer.seal(json.dumps({"guardians": ["Zo\u0065\u0308 \U0001f389"], "students": []}))
    desk.changes(lambda session: session.execute(update(Household).values(greeting=names)))
    (page,) = listed(desk.draws(desk.asks(outside="code")))
    assert "Zoë [party popper]" in page[-1]


def test_a_roster_that_changes_while_a_packet_is_asked_for_is_looked_at_once_more(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), ("3B", "en"))
    with read_session(desk.engine) as session:
        order = orders.prepare_order(session, desk.context, "fall", "lincoln", PacketRequest())
    desk.changes(lambda session: session.execute(update(Student).where(Student.id == "s2").values(class_name="3C")))
    with write_session(desk.engine) as session, pytest.raises(PacketRefused, match="changed"):
        orders.create_packet(session, desk.context, order, by=None)
    assert desk.sees(select(Packet)) == []


def test_a_label_from_before_there_was_a_list_leaves_its_line_empty(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"))
    id = desk.asks(outside="code")
    (link,) = desk.sees(select(SheetLink))
    old = {
        key: value for key, value in json.loads(desk.sealer.open(link.label)).items() if key not in ("who", "number")
    }
    desk.changes(lambda session: session.execute(update(SheetLink).values(label=desk.sealer.seal(json.dumps(old)))))
    (page,) = listed(desk.draws(id))
    assert page[-1] == f"{link.serial} Español"


@pytest.mark.parametrize(
    ("identity", "want"),
    [
        ("anonymous", {"outside": "code"}),
        ("confidential", {"outside": "window"}),
        ("confidential", {"outside": "code", "contents": "blanks", "copies": {"es": 2}}),
    ],
)
def test_nothing_else_has_a_list(desk: Desk, identity: str, want: dict[str, Any]) -> None:
    desk.wave(identity=identity, entry="code")
    desk.homes(("3B", "es"), ("3B", "en"))
    path = desk.draws(desk.asks(**want))
    assert listed(path) == []
    assert "Handout list" not in [title for _, title in bookmarks(path)]


def test_each_student_gets_a_set_where_students_are_asked(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.changes(lambda session: setattr(session.get_one(Wave, "fall"), "counting", "student"))
    with write_session(desk.engine) as session:
        a_home(session, 1, ("s1", "lincoln"), ("s2", "lincoln"), language="es", sealer=desk.sealer)
        session.execute(update(Student).where(Student.id == "s2").values(class_name="3B"))
        session.commit()
    desk.asks()
    labels = [
        json.loads(desk.sealer.open(each))
        for each in desk.sees(select(SheetLink.label).join(Sheet).order_by(Sheet.position))
    ]
    assert [label["class"] for label in labels] == ["3B", ""]
    assert sorted(desk.sees(select(Invitation.student_id))) == ["s1", "s2"]


def test_links_are_forgotten_as_those_of_answers_are(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"))
    desk.asks()
    assert desk.sees(select(SheetLink.forget_on)) == [date(2026, 10, 31) + timedelta(days=180)]


def test_links_go_sooner_where_the_wave_closes_sooner(desk: Desk, today: date) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"))
    desk.asks()

    def sooner(session: Session) -> None:
        wave, keep = session.get_one(Wave, "fall"), timedelta(days=180)
        days = NewDays(date(2026, 10, 20), wave.results_on)
        change_days(session, wave, days, today=today, keep_links=keep, words=NullTranslations())

    desk.changes(sooner)
    assert desk.sees(select(SheetLink.forget_on)) == [date(2026, 10, 20) + timedelta(days=180)]


def test_a_packet_given_up_spoils_its_sheets_and_takes_its_codes_back(desk: Desk, today: date) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), ("3B", "en"))
    id = desk.asks()
    used = desk.sees(select(Invitation.digest).order_by(Invitation.digest))[0]
    use = update(Invitation).where(Invitation.digest == used).values(used=True, used_on=today)
    desk.changes(lambda session: session.execute(use))
    desk.changes(lambda session: orders.cancel_packet(session, session.get_one(Packet, id)))
    assert desk.sees(select(Packet.state)) == ["cancelled"]
    assert desk.sees(select(Sheet.state)) == ["spoiled"] * 2
    assert desk.sees(select(Invitation.digest)) == [used]
    assert desk.sees(select(SheetLink)) == []
    for deed in (orders.cancel_packet, lambda session, row: orders.requeue_packet(session, desk.settings, row)):
        with pytest.raises(PacketRefused, match="state"):
            desk.changes(lambda session, deed=deed: deed(session, session.get_one(Packet, id)))


def test_a_packet_that_was_ready_before_is_not_spoiled_when_drawing_again_is_given_up(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"))
    id = desk.asks()
    about = {"state": "ready", "digest": "a" * 64}
    desk.changes(lambda session: session.execute(update(Packet).values(**about)))
    desk.changes(lambda session: orders.requeue_packet(session, desk.settings, session.get_one(Packet, id)))
    assert desk.sees(select(Packet.state)) == ["waiting"]
    desk.changes(lambda session: orders.cancel_packet(session, session.get_one(Packet, id)))
    assert desk.sees(select(Packet.state)) == ["ready"]
    assert desk.sees(select(Sheet.state)) == ["printed"]
    assert len(desk.sees(select(Invitation))) == 1


def test_what_is_forgotten_is_not_drawn_again(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"))
    id = desk.asks()
    desk.changes(lambda session: session.execute(update(Packet).values(state="ready", digest="a" * 64)))
    desk.changes(lambda session: delete_sheet_links(session, date(2027, 5, 1)))
    with pytest.raises(PacketRefused, match="forgotten"):
        desk.changes(lambda session: orders.requeue_packet(session, desk.settings, session.get_one(Packet, id)))


def test_the_ledger_agrees_with_the_pages(desk: Desk) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(*[(f"{number % 4}C", TONGUES[number % 3]) for number in range(24)])
    id = desk.asks(style="compact", paper="a4")
    found = leaves(desk.draws(id))
    serials = Counter(page.serial for page in found if page.serial)
    with read_session(desk.engine) as session:
        runs = {run.language: run.copies for run in session.scalars(select(PrintRun))}
        assert session.scalar(select(func.count()).select_from(Sheet)) == len(serials) == 24
        assert set(session.scalars(select(Sheet.serial))) == set(serials)
    assert runs == {"en": 8, "es": 8, "ar": 8}
    for serial, pages in serials.items():
        numbers = [page.number for page in found if page.serial == serial]
        assert numbers == list(range(1, pages + 1))


def test_two_waves_never_share_a_serial(desk: Desk) -> None:
    """A serial that is taken is drawn again: here the random generator would produce the same ones."""
    desk.wave("one")
    desk.wave("two")
    for wave in ("one", "two"):
        with read_session(desk.engine) as session:
            want = PacketRequest(contents="blanks", copies={"en": 40})
            order = orders.prepare_order(session, desk.context, wave, "lincoln", want)
        with write_session(desk.engine) as session:
            orders.create_packet(session, desk.context, order, by=None, rng=Random(1))
            session.commit()
    assert len(set(desk.sees(select(Sheet.serial)))) == 80


@pytest.mark.parametrize(
    ("code", "about"),
    [
        ("wave", {"wave": "winter"}),
        ("school", {"school": "hogwarts"}),
        ("empty", {}),
        ("copies", {"contents": "blanks"}),
        ("copies", {"contents": "blanks", "copies": {"es": -1}}),
        ("language", {"contents": "blanks", "copies": {"xx": 1}}),
        ("language", {"second": "so"}),
        ("many", {"contents": "blanks", "copies": {"es": 20_001}}),
        ("choice", {"contents": "posters"}),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_numbered(desk: Desk, code: str, about: dict[str, Any]) -> None:
    desk.wave()
    said = desk.is_refused(code, **about)
    assert "%(" not in said
    assert said[0].isupper() or said[0] == "“"


def test_every_code_has_a_sentence_of_its_own() -> None:
    codes = {
        *_order_messages(NullTranslations()),
        *_print_messages(NullTranslations()),
        *_file_messages(NullTranslations()),
    }
    names = (
        "services/printing/orders.py",
        "services/printing/layouts.py",
        "services/printing/rendering.py",
        "services/tasks/draw_packets.py",
    )
    source = "".join((ROOT / "engage" / name).read_text("utf-8") for name in names)
    raised = set(re.findall(r'(?:Refused|Unprintable)\(\s*"(\w+)"', source)) | {"disk", "file"}
    assert raised | {"glyph_elsewhere"} == codes


@pytest.mark.parametrize("code", ["glyph", "tall", "font", "disk", "file", "closed"])
def test_what_went_wrong_in_drawing_is_told_with_its_values(code: str) -> None:
    values = {"language": "es", "question": "internet", "character": "U+1F389", "reason": "no", "closes": "2026-10-31"}
    packet = Packet(problem=json.dumps([code, values]))
    said = explain_failure(packet, NullTranslations())
    assert "%(" not in said
    wanted = {"glyph": ["Español", "internet", "U+1F389"], "tall": ["Español", "internet"], "font": ["Español"]}
    wanted |= {"file": ["no"], "closed": ["October 31, 2026"], "disk": []}
    assert all(each in said for each in wanted[code])
    assert explain_failure(Packet(problem=""), NullTranslations()) == ""


def codes_of(desk: Desk, id: str) -> dict[str | None, str]:
    """Return the code in each household's label."""
    wanted = (
        select(SheetLink.household_id, SheetLink.label).join(Sheet, Sheet.serial == SheetLink.serial).join(PrintRun)
    )
    with read_session(desk.engine) as session:
        rows = session.execute(wanted.where(PrintRun.packet_id == id)).all()
    return {home: json.loads(desk.sealer.open(label))["code"] for home, label in rows}


def gives_up(desk: Desk, id: str) -> None:
    desk.changes(lambda session: orders.cancel_packet(session, session.get_one(Packet, id)))


def test_all_sheets_of_a_household_have_the_same_code(desk: Desk) -> None:
    """Large print after standard: no letter had the code, so the first packet's code must be in the second."""
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), ("3B", "en"))
    one, two = desk.asks(), desk.asks(style="large", outside="code")
    codes = codes_of(desk, one)
    assert codes_of(desk, two) == codes
    assert all(codes.values())
    assert len(desk.sees(select(Invitation))) == 2
    links = [link for page in leaves(desk.draws(two)) for link in page.links]
    shown = {f"{code[:5]}-{code[5:]}" for code in codes.values()}
    assert {link.rsplit("/", 1)[1] for link in links} == shown
    with read_session(desk.engine) as session:
        pile = rendering.build_packet_content(session, desk.settings, desk.sealer, session.get_one(Packet, two))
        kept = session.execute(select(PrintRun.language, PrintRun.layout_digest).where(PrintRun.packet_id == two)).all()
    assert {(tag, True): digest for tag, digest in kept} == {tag: kind.digest for tag, kind in pile.kinds.items()}


def test_a_used_code_does_not_stand_in_another_packet(desk: Desk, today: date) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"))
    desk.asks()
    desk.changes(lambda session: session.execute(update(Invitation).values(used=True, used_on=today)))
    assert list(codes_of(desk, desk.asks(style="large")).values()) == [""]


@pytest.mark.parametrize("first", [0, 1])
def test_a_code_in_two_packets_goes_when_both_are_given_up(desk: Desk, first: int) -> None:
    desk.wave(identity="confidential", entry="code")
    desk.homes(("3B", "es"), ("3B", "en"))
    ids = [desk.asks(), desk.asks(style="large")]
    there = desk.sees(select(Invitation.digest).order_by(Invitation.digest))
    gives_up(desk, ids[first])
    assert desk.sees(select(Invitation.digest).order_by(Invitation.digest)) == there
    assert sorted(desk.sees(select(SheetLink.invitation))) == there
    gives_up(desk, ids[1 - first])
    assert desk.sees(select(Invitation)) == []


def wants_again(desk: Desk, id: str) -> str:
    """Return the code of the refusal to draw the packet again, "" if it is drawn."""
    try:
        desk.changes(lambda session: orders.requeue_packet(session, desk.settings, session.get_one(Packet, id)))
    except PacketRefused as refused:
        return refused.code
    return ""


def finds(desk: Desk, **want: Any) -> str | None:
    """Return the packet that the command line draws again for the same request, or None."""
    with read_session(desk.engine) as session:
        order = orders.prepare_order(session, desk.context, "fall", "lincoln", PacketRequest(**want))
        found = find_same_packet(session, order)
        return found.id if found else None


def test_what_was_cancelled_meanwhile_is_not_drawn_again(desk: Desk) -> None:
    """Another request after this one has read the packet."""
    desk.wave()
    id = desk.asks(contents="blanks", copies={"es": 1})
    desk.changes(lambda session: session.execute(update(Packet).values(state="failed")))

    def late(session: Session) -> None:
        packet = session.get_one(Packet, id)
        session.connection().execute(update(Packet).values(state="cancelled"))
        orders.requeue_packet(session, desk.settings, packet)

    with pytest.raises(PacketRefused, match="state"):
        desk.changes(late)


def opts_out(desk: Desk) -> None:
    with write_session(desk.engine) as session:
        session.add(OptOut(household_id=f"{1:032x}", recorded_on=desk.today))
        invitations.withdraw_codes(session, f"{1:032x}", session.scalars(select(Wave)))
        session.commit()


def takes_back(desk: Desk) -> None:
    desk.changes(lambda session: invitations.revoke_codes(session, session.get_one(Wave, "fall"), 100))


def replaces(desk: Desk) -> None:
    old = desk.sees(select(Invitation.digest))[0]
    desk.changes(
        lambda session: invitations.replace_invitation(
            session, session.get_one(Wave, "fall"), old, "e" * 64, lambda _kept: False
        )
    )


@pytest.mark.parametrize(
    ("entry", "deed"), [("code", opts_out), ("open", opts_out), ("code", takes_back), ("code", replaces)]
)
def test_who_opted_out_and_codes_that_are_dead_are_not_printed_again(
    desk: Desk, entry: str, deed: Callable[[Desk], None]
) -> None:
    desk.wave(identity="confidential", entry=entry)
    desk.homes(("3B", "es"), ("3B", "en"))
    id, waits = desk.asks(), desk.asks(style="large")
    desk.changes(
        lambda session: session.execute(update(Packet).where(Packet.id == id).values(state="ready", digest="a" * 64))
    )
    assert finds(desk) == id
    deed(desk)
    assert wants_again(desk, id) == "forgotten"
    assert finds(desk) is None, "the command line makes a new one"
    with pytest.raises(Unprintable, match="forgotten"):
        desk.draws(waits)
    assert desk.draws(desk.asks()).exists()


@pytest.mark.parametrize("entry", ["code", "open"])
def test_another_child_of_the_same_household_is_something_new_where_students_are_asked(desk: Desk, entry: str) -> None:
    desk.wave(identity="confidential", entry=entry)
    desk.changes(lambda session: setattr(session.get_one(Wave, "fall"), "counting", "student"))
    with write_session(desk.engine) as session:
        a_home(session, 1, ("s1", "lincoln"), ("s2", "oak"), language="es", sealer=desk.sealer)
        session.commit()
    id = desk.asks()
    assert finds(desk) == id
    for child, school in (("s1", "oak"), ("s2", "lincoln")):
        desk.changes(
            lambda session, child=child, school=school: session.execute(
                update(Student).where(Student.id == child).values(school_id=school)
            )
        )
    assert finds(desk) is None


def test_a_name_too_long_for_a_file_is_said(desk: Desk) -> None:
    desk.wave()
    id = desk.asks(contents="blanks", copies={"es": 1})
    with pytest.raises(Unprintable, match="File name too long"):
        desk.draws(id, f"{'n' * 247}.pdf")
