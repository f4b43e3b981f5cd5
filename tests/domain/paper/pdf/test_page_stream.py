"""Packets as read by other programs: poppler, pdfium, pypdf, qpdf, and zxing-cpp."""

import errno
import gc
import os
import re
import subprocess
import sys
import types
import unicodedata
from io import BytesIO
from itertools import islice
from pathlib import Path

import pikepdf
import pypdf
import pypdfium2
import pytest
import zxingcpp

from engage.base.catalogs import catalogue
from engage.domain.paper.documents import document
from engage.domain.paper.form.elements import POINT, Place
from engage.domain.paper.pdf.overlay import OverlayLine, OverlayPlace, UnpreparedText
from engage.domain.paper.pdf.page_stream import FilledCopy, PacketWriter
from engage.domain.paper.pdf.page_tree import FAN, Outline, PageTree
from engage.domain.paper.pdf.writer import HELD, PdfFile
from engage.domain.paper.typesetting.shaping import MissingGlyph
from engage.questionnaire.numbering import decode_payload
from tests.domain.paper.press import DIGEST, NAMES, Copy, FullDisk, Pipe, copies, packet, sheet, written
from tests.domain.paper.sample import own_faces, page_texts
from tests.paths import ROOT

pytestmark = pytest.mark.slow

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(scope="module")
def made() -> tuple[bytes, list[Copy]]:
    return written()


def codes_on(page: pypdfium2.PdfPage) -> set[str]:
    picture = page.render(scale=150 / 72, grayscale=True).to_numpy()
    return {code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)}


def plain(text: str) -> str:
    """Return the text without spaces, direction marks, and brackets, on which readers differ."""
    left_out = ("Cf", "Zs", "Cc", "Ps", "Pe")
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in left_out)


def blank_writer(out: object = None) -> PacketWriter:
    return PacketWriter(out or BytesIO(), "Trial", "Riverbend", "en", "letter")


def test_every_code_says_its_own_serial_and_page(made: tuple[bytes, list[Copy]]) -> None:
    document = pypdfium2.PdfDocument(made[0])
    for copy in made[1]:
        for page in range(2):
            said = codes_on(document[copy.first + page])
            phone = {copy.phone} if page == 0 else set()
            assert phone <= said
            (own,) = said - phone
            assert decode_payload(own) == (copy.serial, page + 1, DIGEST[:8])


def test_words_and_numbers_can_be_copied_out(made: tuple[bytes, list[Copy]]) -> None:
    texts = page_texts(made[0])
    for copy in made[1]:
        cover, other = (plain(text) for text in texts[copy.first : copy.first + 2])
        for said in (copy.serial, copy.name, copy.reply, copy.code, "Room 12", f"riverbend.example/{copy.code}"):
            assert plain(said) in cover, said
        assert copy.serial in other


def test_poppler_reads_serials_and_names_too(made: tuple[bytes, list[Copy]], tmp_path: Path) -> None:
    """Lines of mixed direction are left out, since readers differ on their order."""
    path = tmp_path / "packet.pdf"
    path.write_bytes(made[0])
    said = subprocess.run(["pdftotext", path, "-"], check=True, capture_output=True, text=True).stdout
    for copy, page in ((copy, page) for copy in made[1] for page in (0, 1)):
        text = plain(said.split("\f")[copy.first + page])
        assert copy.serial in text
        assert page or "(" in copy.name or plain(copy.name) in text


def test_page_labels_are_serial_and_page(made: tuple[bytes, list[Copy]]) -> None:
    expected = [f"{copy.serial} / {page}" for copy in made[1] for page in (1, 2)]
    assert pypdf.PdfReader(BytesIO(made[0])).page_labels == expected
    document = pypdfium2.PdfDocument(made[0])
    assert [document.get_page_label(page) for page in range(len(document))] == expected


def test_labels_hold_over_many_copies() -> None:
    """More ranges than fit in one leaf of the label tree."""
    out = BytesIO()
    writer = blank_writer(out)
    template = writer.template(sheet("en"), own_faces("en"))
    serials = [f"A{number:02d}-{number:03d}"[:7] for number in range(70)]
    for serial in serials:
        writer.add(template, FilledCopy(serial, DIGEST))
    writer.label("Odd – ")
    writer.add(template, FilledCopy("ZZZ-ZZZ", DIGEST))
    writer.close()
    expected = [f"{serial} / {page}" for serial in serials for page in (1, 2)] + ["Odd – 1", "Odd – 2"]
    assert pypdf.PdfReader(BytesIO(out.getvalue())).page_labels == expected
    with pikepdf.open(BytesIO(out.getvalue())) as pdf:
        assert [page.label for page in pdf.pages] == expected


def test_bookmarks_lead_to_their_pages(made: tuple[bytes, list[Copy]]) -> None:
    found = [
        (mark.level, mark.get_title(), mark.get_dest().get_index()) for mark in pypdfium2.PdfDocument(made[0]).get_toc()
    ]
    expected = []
    for copy in made[1]:
        first = [(0, f"({copy.language}) é", copy.first)] if copy.number % 2 == 0 else []
        expected += [*first, (1, copy.name, copy.first)]
    assert found == expected
    with pikepdf.open(BytesIO(made[0])) as pdf, pdf.open_outline() as outline:
        assert [item.title for item in outline.root] == [f"({language}) é" for language in NAMES]
        assert all(item.is_closed for item in outline.root)


def test_the_file_is_sound_and_says_what_it_is(made: tuple[bytes, list[Copy]]) -> None:
    with pikepdf.open(BytesIO(made[0])) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert (str(pdf.Root.Lang), str(pdf.docinfo.Title)) == ("en", "Learning at home – Riverbend")
        assert pdf.Root.ViewerPreferences.DisplayDocTitle is True
        assert len(pdf.pages) == 2 * len(made[1])
    assert made[0].startswith(b"%PDF-1.7\n")


def test_every_page_says_its_language(made: tuple[bytes, list[Copy]]) -> None:
    with pikepdf.open(BytesIO(made[0])) as pdf:
        for copy in made[1]:
            form = pdf.pages[copy.first].Resources.XObject.P.read_bytes()
            assert form.startswith(b"/Span <</Lang(%b)>> BDC" % copy.language.encode())


def test_two_runs_make_the_same_bytes() -> None:
    def run(seed: str) -> str:
        command, environment = (
            [sys.executable, "-m", "tests.domain.paper.press"],
            {**os.environ, "PYTHONHASHSEED": seed},
        )
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    one, other = run("1"), run("2")
    assert len(one) == 65
    assert one == other


def test_a_pipe_that_takes_little_gets_the_same_bytes(made: tuple[bytes, list[Copy]]) -> None:
    pipe = Pipe(most=777)
    packet(pipe)
    assert pipe.got == made[0]


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_a_full_disk_comes_through_as_it_is(made: tuple[bytes, list[Copy]], share: float) -> None:
    with pytest.raises(OSError, match="No space") as raised:
        packet(FullDisk(int(len(made[0]) * share), FULL))
    assert raised.value is FULL


def test_a_page_takes_less_than_a_kilobyte() -> None:
    """In a form of four pages with a cover that has everything."""

    def size(pages: int, sets: int) -> int:
        pipe = Pipe()
        writer = blank_writer(pipe)
        template = writer.template(sheet("en", pages), own_faces("en"), NAMES["en"])
        for copy in islice(copies(sets), sets):
            writer.add(template, copy.filled)
        writer.close()
        return len(pipe.got)

    cover, both = ((size(pages, 200) - size(pages, 100)) / 100 for pages in (1, 2))
    assert (cover + 3 * (both - cover)) / 4 < 1000


def retained(*roots: object) -> int:
    """Return the bytes reachable from these objects, without code: what grows during writing."""
    seen: dict[int, object] = {}
    todo = list(roots)
    while todo:
        each = todo.pop()
        if id(each) in seen or isinstance(each, type | types.ModuleType | types.FunctionType | types.BuiltinMethodType):
            continue
        seen[id(each)] = each
        todo += gc.get_referents(each)
    return sum(map(sys.getsizeof, seen.values()))


class Sink:
    def write(self, data: bytes) -> int:
        return len(data)


def test_a_copy_leaves_nothing_behind_but_where_its_objects_are() -> None:
    writer = blank_writer(Sink())
    template = writer.template(sheet("en"), own_faces("en"))

    def more(start: int, count: int) -> int:
        for number in range(start, start + count):
            serial = f"AB{number // 1000}-{number % 1000:03d}"
            writer.add(template, FilledCopy(serial, DIGEST, {"serial": serial}, f"https://a.org/{serial}"))
        writer.file.flush()
        return retained(writer, template)

    few, many = more(0, 1000), more(1000, 2000)
    assert (many - few) / (2 * 2000) < 24  # two offsets of 8 bytes per page, and spare capacity


def test_what_is_held_before_it_is_written_is_bounded() -> None:
    file = PdfFile(Sink())
    for _ in range(100):
        file.put(file.number(), b"x" * 10_000)
        assert len(file.held) < HELD + 20_000


def test_even_sets_begin_on_a_new_leaf() -> None:
    out = BytesIO()
    writer = blank_writer(out)
    odd, even = (writer.template(sheet("en", pages), own_faces("en")) for pages in (1, 2))
    taken = [writer.add(each, FilledCopy("ABC-123", DIGEST), even=True) for each in (odd, even, odd)]
    taken.append(writer.pages(a_document(), even=True))
    writer.close()
    assert taken == [2, 2, 2, 2]
    pdf = pypdf.PdfReader(BytesIO(out.getvalue()))
    assert [not page.get("/Contents") for page in pdf.pages] == [False, True, False, False, False, True, False, True]
    assert pdf.page_labels[:3] == ["ABC-123 / 1", "ABC-123 / 2", "ABC-123 / 1"]
    assert all(page.mediabox == pdf.pages[0].mediabox for page in pdf.pages)


def a_document(language: str = "en", text: str = "Room 12") -> bytes:
    out = BytesIO()
    format = document.DocumentFormat(language, catalogue(language))
    document.write_document(out, text, [document.Paragraph(text)], format)
    return out.getvalue()


def test_pages_are_taken_over_as_they_are() -> None:
    """Fonts that several of them share are in the file once."""
    arabic, sizes = a_document("ar", "الصف الأول"), []
    for times in (1, 2):
        out = BytesIO()
        writer = blank_writer(out)
        assert [writer.pages(each) for each in [arabic] * times + [a_document()]] == [1] * (times + 1)
        writer.close()
        assert page_texts(out.getvalue()) == page_texts(arabic) * times + page_texts(a_document())
        sizes.append(len(out.getvalue()))
        with pikepdf.open(BytesIO(out.getvalue())) as pdf:
            assert pdf.check_pdf_syntax() == []
            assert [page.label for page in pdf.pages] == [str(number + 1) for number in range(times + 1)]
    assert sizes[1] - sizes[0] < 400


def test_another_paper_keeps_its_size() -> None:
    out = BytesIO()
    writer = PacketWriter(out, "Trial", "", "en", "a4")
    writer.add(writer.template(sheet("en"), own_faces("en")), FilledCopy("ABC-123", DIGEST))
    writer.close()
    sizes = {page.get_size() for page in pypdfium2.PdfDocument(out.getvalue())}
    assert {(round(width), round(height)) for width, height in sizes} == {(612, 792)}


@pytest.mark.parametrize("language", ["en", "ar"])
def test_words_stand_at_the_edge_of_their_place(language: str) -> None:
    """Mirrored with the page, so that a serial in the other corner begins where it ended."""
    out, made = BytesIO(), sheet(language)
    writer = blank_writer(out)
    writer.add(writer.template(made, own_faces(language)), FilledCopy("HHH-HHH", DIGEST, {"serial": "HHH-HHH"}))
    writer.close()
    place = next(item for item in made.pages[1].items if isinstance(item, Place) and item.name == "serial")
    page = pypdfium2.PdfDocument(out.getvalue())[1].get_textpage()
    at, count = page.search("HHH-HHH").get_next()
    boxes = [page.get_charbox(index, loose=True) for index in range(at, at + count)]
    left, right = min(box[0] for box in boxes) * POINT, max(box[2] for box in boxes) * POINT
    here = {"left": left - place.x, "right": place.x + place.width - right}
    middle = (left + right) / 2 - place.x - place.width / 2
    assert abs(middle if place.align == "center" else here[place.align]) < 0.5
    assert place.x - 0.1 <= left < right <= place.x + place.width + 0.1


@pytest.mark.parametrize(("width", "size"), [(1.0, 10.0), (10.0, 10.0), (20.0, 5.0), (0.0, 10.0)])
def test_a_line_too_wide_is_set_smaller(width: float, size: float) -> None:
    """A place of 100 points at size 10 is filled by a line of 10 ems."""
    spot = OverlayPlace.of(Place(0, 0, 100 * POINT, 20, "to", 10, align="right"), 279.4)
    (drawn,) = spot.draw([OverlayLine(width, 1.36, 1.0, "N0", "0001")])
    assert float(re.search(r"/N0 (\S+) Tf", drawn)[1]) == size
    assert float(re.search(r"Tm|1 0 0 1 (\S+) ", drawn)[1]) == pytest.approx(100 - width * size, abs=0.01)


def test_words_that_were_not_announced_are_refused() -> None:
    writer = blank_writer()
    template = writer.template(sheet("en"), own_faces("en"), ["عائلة الحداد", "", "Nu\u0301n\u0303ez"])
    said = ["عائلة الحداد", "Plain ASCII is always there: ~!", "", " ", "Núñez", "عائلة\tالحداد"]
    writer.add(template, FilledCopy("ABC-123", DIGEST, {"to": said}))
    with pytest.raises(UnpreparedText, match="سليم"):
        writer.add(template, FilledCopy("ABC-124", DIGEST, {"to": "سليم"}))


def test_a_name_no_font_can_show_names_the_character() -> None:
    with pytest.raises(MissingGlyph, match="U\\+E000"):
        blank_writer().template(sheet("en"), own_faces("en"), ["Family \ue000"])


@pytest.mark.parametrize(("serial", "digest"), [("ABC-12", DIGEST), ("abc-12é", DIGEST), ("ABC-123", "0a1b")])
def test_a_serial_or_digest_that_fits_no_code_is_refused(serial: str, digest: str) -> None:
    writer = blank_writer()
    template = writer.template(sheet("en"), own_faces("en"))
    with pytest.raises(ValueError, match=r"serial|digest"):
        writer.add(template, FilledCopy(serial, digest))


@pytest.mark.parametrize("count", [1, FAN, FAN + 1, FAN * FAN, FAN * FAN + 1])
def test_the_page_tree_stays_even_and_whole(count: int) -> None:
    pipe = Pipe()
    file = PdfFile(pipe)
    tree = PageTree(file, b"/MediaBox[0 0 9 9]/Resources<<>>")
    numbers = [file.number() for _ in range(count)]
    for number in numbers:
        tree.add(number, b"")
    catalogue = file.put(file.number(), b"<</Type/Catalog/Pages %d 0 R>>" % tree.finish())
    file.finish(catalogue, file.put(file.number(), b"<<>>"))
    with pikepdf.open(BytesIO(pipe.got)) as pdf:
        nodes = [pdf.Root.Pages]
        for node in nodes:
            assert 1 <= len(node.Kids) <= FAN
            nodes += [kid for kid in node.Kids if kid.Type == "/Pages"]
            assert all(kid.Parent.objgen == node.objgen for kid in node.Kids)
        assert [page.objgen[0] for page in pdf.pages] == numbers
        assert pdf.Root.Pages.Count == count
        assert pdf.check_pdf_syntax() == []


def test_bookmarks_nest_by_their_level() -> None:
    outline = Outline(PdfFile(Pipe()))
    for title, level in [("a", 0), ("b", 1), ("c", 2), ("d", 1), ("e", 0), ("f", 3), ("g", 3)]:
        outline.add(title, level, 1)
    shape = [(each.title, [(below.title, [last.title for last in below.below]) for below in each.below])
             for each in outline.root.below]  # fmt: skip
    assert shape == [("a", [("b", ["c"]), ("d", [])]), ("e", [("f", []), ("g", [])])]
