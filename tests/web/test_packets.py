"""A school's packet: asked for, numbered, drawn from its rows, given up; and what cannot be said in one sentence."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from engage.access.codes import ACCESS_KEY, REPLY_KEY, digest, read, reply_code, show_reply
from engage.access.sealing import Sealer, derived, keys
from engage.config import Settings
from engage.jobs import drawing
from engage.paper.numbering import read_payload
from engage.records.responses import Invitation
from engage.records.roster import OptOut, Student
from engage.records.schools import Wave
from engage.records.session import reading, writing
from engage.records.sheets import Packet, PrintRun, Sheet, SheetLink, StoredLayout
from engage.web import packets
from engage.web.packets import Refused, Wanted
from engage.web.packets_words import sentence
from tests.district.homes import a_home
from tests.makers import a_school, a_wave

TONGUES = ("en", "es", "ar")


@dataclass
class Desk:
    """Somebody who asks for packets."""

    engine: Engine
    settings: Settings
    today: date

    @property
    def sealer(self) -> Sealer:
        return Sealer(keys(self.settings))

    def wave(self, id: str = "fall", **about: Any) -> None:
        with writing(self.engine) as session:
            a_wave(session, id, [a_school(session)], **about)
            session.commit()

    def homes(self, *classes: tuple[str, str], names: bool = True) -> None:
        """Households, each (class, language), with one child at Lincoln."""
        with writing(self.engine) as session:
            for number, (group, language) in enumerate(classes, 1):
                child = f"s{number}"
                sealer = self.sealer if names else None
                a_home(session, number, (child, "lincoln"), language=language, sealer=sealer, class_name=group)
            session.commit()

    def asks(self, wave: str = "fall", school: str = "lincoln", **want: Any) -> str:
        """The id of a new packet."""
        with reading(self.engine) as session:
            order = packets.order(session, self.settings, self.sealer, wave, school, Wanted(**want), self.today)
        with writing(self.engine) as session:
            made = packets.ask(session, self.settings, self.sealer, order, by=None, today=self.today)
            session.commit()
        return made.packet.id

    def draws(self, id: str, name: str = "packet.pdf") -> Path:
        """The file, drawn as the worker draws it."""
        target = self.settings.data_dir / name
        with reading(self.engine) as session:
            pile = drawing.pile(session, self.settings, self.sealer, session.get_one(Packet, id))
        drawing.draw(target, pile, lambda _drawn, _pages: True)
        return target

    def sees(self, wanted: Any) -> Any:
        with reading(self.engine) as session:
            return session.scalars(wanted).all()

    def changes(self, deed: Callable[[Session], object]) -> None:
        with writing(self.engine) as session:
            deed(session)
            session.commit()

    def is_refused(self, code: str, wave: str = "fall", school: str = "lincoln", **want: Any) -> str:
        """Nothing is kept; returns the sentence."""
        with pytest.raises(Refused) as caught:
            self.asks(wave, school, **want)
        assert caught.value.code == code
        assert self.sees(select(Packet)) == self.sees(select(Sheet)) == self.sees(select(Invitation)) == []
        return sentence(caught.value, NullTranslations())


@pytest.fixture
def desk(engine: Engine, settings: Settings, today: date) -> Desk:
    return Desk(engine, settings, today)


@dataclass
class Leaf:
    """A page as somebody with a reader of codes and text sees it."""

    serial: str | None
    number: int
    layout: str
    text: str
    links: list[str]


def leaves(path: Path) -> list[Leaf]:
    found = []
    with pypdfium2.PdfDocument(path) as pdf:
        for page in pdf:
            image = page.render(scale=2.5).to_pil()
            texts = [each.text for each in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)]
            said = [each for text in texts if (each := read_payload(text))]
            links = [text for text in texts if read_payload(text) is None]
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
    with reading(desk.engine) as session:
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
    key = derived(desk.settings.secret().encode(), REPLY_KEY)
    for row, label, page in zip(rows, labels, fronts, strict=True):
        code = label["code"]
        address = f"http://127.0.0.1:8000/{row.language}/c/{code[:5]}-{code[5:]}"
        assert page.links == [address]
        assert row.digest.startswith(page.layout)
        assert show_reply(reply_code(key, b"sheet" + row.serial.encode())) in page.text
        assert "Yusuf Ali" in page.text
    invited = desk.sees(select(Invitation.digest))
    access = derived(desk.settings.secret().encode(), ACCESS_KEY)
    assert sorted(invited) == sorted(digest(label["code"], access) for label in labels)
    assert read(labels[0]["code"]) == labels[0]["code"]
