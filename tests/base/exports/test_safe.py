"""Cells stay text when they are read by openpyxl and by the standard csv reader."""

import ast
import csv
import io

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.base.exports.csv import csv_bytes
from engage.base.exports.safe import LONGEST, safe_cell, safe_text
from engage.base.exports.xlsx import Worksheet, write_xlsx
from tests.paths import ROOT

PREFIXES = [
    "=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠", "\t=", "\r=", "\0=", " =", "  +", "\n=", "'=",
    '"=', '" =', "\u00a0=", "\ufeff=", "\u200b@", "\u200f-", "=\t", "==", "=+", "-@", "﹢", "\x07=", "\x1b+",
]  # fmt: skip
PAYLOADS = [prefix + 'HYPERLINK("http://x.example","look")' for prefix in PREFIXES]


def test_there_are_at_least_thirty_prefixes():
    assert len(set(PREFIXES)) >= 30


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_prefix_is_disarmed(payload):
    assert safe_text(payload).startswith("'")


@pytest.mark.parametrize("text", ["Yes", "at school", "a=b", "10-20", "سلام", "家", "1+1", "", "née", "two\nlines"])
def test_plain_words_stay_as_they_are(text):
    assert safe_text(text) == text


@given(st.text())
def test_no_cell_ever_opens_with_a_formula_sign(text):
    safe = safe_text(text)
    assert not safe.lstrip(' \n"\u00a0\u200b\u200e\u200f\u2060\ufeff').startswith(tuple("=+-@＝＋－＠\t\r\0"))
    assert all(each in "\n\t" or ord(each) >= 32 for each in safe)
    safe.encode()


def test_a_cell_is_never_longer_than_excel_takes():
    assert len(safe_text("é" * 40_000)) == LONGEST
    assert len(safe_text("a" * 40_000)) == LONGEST


def test_numbers_stay_numbers_and_no_number_is_empty():
    assert [safe_cell(each) for each in (-3, 0.5, None, float("nan"), float("inf"))] == [-3, 0.5, None, None, None]


def _workbook(rows, rtl=False):
    out = io.BytesIO()
    write_xlsx(out, [Worksheet("Figures", ["text"], rows)], {"as of": "=2026", "digest": "abc"}, rtl, "About")
    return openpyxl.load_workbook(io.BytesIO(out.getvalue()))


def test_a_workbook_of_attacks_has_no_formula_and_no_link():
    book = _workbook([[each] for each in [*PAYLOADS, "http://x.example", "12", "{=1}"]])
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    assert len(cells) == 1 + len(PAYLOADS) + 3 + 4


def test_sheets_open_from_the_right_for_right_to_left():
    assert all(sheet.sheet_view.rightToLeft for sheet in _workbook([["نعم"]], rtl=True))
    assert not any(sheet.sheet_view.rightToLeft for sheet in _workbook([["yes"]]))


def test_the_manifest_is_the_last_sheet():
    about = _workbook([])["About"]
    assert [[cell.value for cell in row] for row in about.iter_rows()] == [["as of", "'=2026"], ["digest", "abc"]]


def test_the_same_workbook_has_the_same_bytes():
    def made():
        out = io.BytesIO()
        write_xlsx(out, [Worksheet("Figures", ["a"], [[1], ["x"]])], {}, False, "About")
        return out.getvalue()

    assert made() == made()


@pytest.mark.parametrize("titles", [("History", "history"), ("a/b:c", "a b c"), ("x" * 40, "x" * 41), ("'", "''")])
def test_awkward_sheet_titles_still_open(titles):
    out = io.BytesIO()
    write_xlsx(out, [Worksheet(title, ["h"], [[1]]) for title in titles], {}, False, "About")
    assert len(openpyxl.load_workbook(io.BytesIO(out.getvalue())).sheetnames) == 3


def test_numbers_and_shares_keep_their_kind_in_a_workbook():
    out = io.BytesIO()
    write_xlsx(out, [Worksheet("F", ["n", "share"], [[7, 0.25], [None, None]], frozenset({1}))], {}, False, "About")
    sheet = openpyxl.load_workbook(io.BytesIO(out.getvalue()))["F"]
    assert [cell.value for cell in sheet[2]] == [7, 0.25]
    assert sheet["B2"].number_format == "0.0%"


def test_csv_is_utf8_with_a_mark_and_reads_back():
    rows = [["سلام", 3, None], ['quote " and, comma', 0.5, "two\nlines"], ["=1+1", -1, ""]]
    document = b"".join(csv_bytes(["a", "b", "c"], rows))
    assert document.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(document.decode("utf-8-sig"), newline="")))
    assert read[1:] == [["سلام", "3", ""], ['quote " and, comma', "0.5", "two\nlines"], ["'=1+1", "-1", ""]]


def test_csv_streams_in_pieces():
    pieces = list(csv_bytes(["n"], ([number] for number in range(2000))))
    assert len(pieces) > 3
    assert b"".join(pieces).count(b"\r\n") == 2001


WORDS = st.text(st.sampled_from("ab;,\n\t \"'=+-@1()"), max_size=12) | st.text(max_size=6)

ROWS = st.lists(st.lists(WORDS, min_size=3, max_size=3), max_size=4)


@given(ROWS)
@settings(deadline=None)
def test_every_cell_of_a_csv_file_is_quoted(rows):
    text = b"".join(csv_bytes(["one", "two", "three"], rows)).decode("utf-8-sig")
    unquoted = "".join(text.split('"')[::2])  # text outside quotation marks; a doubled mark leaves nothing
    assert set(unquoted) <= set(",\r\n")
    assert len(list(csv.reader(io.StringIO(text, newline="")))) == 1 + len(rows)


@given(ROWS)
@settings(deadline=None)
def test_a_program_with_semicolons_finds_no_formula_either(rows):
    """Like Excel where the list separator is a semicolon: cells end there, and lines end at line feeds."""
    text = b"".join(csv_bytes(["one", "two", "three"], rows)).decode("utf-8-sig")
    cells = [cell for line in text.splitlines() for cell in line.split(";")]
    assert [each for each in cells if each.lstrip(' "').startswith(tuple("=+-@")) and not each.startswith("-)")] == []


def test_a_smiley_stays_one():
    assert b"".join(csv_bytes(["a"], [["thanks ;-)"]])).endswith(b'"thanks ;-)"\r\n')


def test_there_is_one_writer_of_csv():
    """All other code passes its rows to engage/base/exports/csv.py, which quotes and escapes every cell."""
    others = []
    for path in (ROOT / "engage").rglob("*.py"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        if names & {"writer", "DictWriter", "to_csv"} and "import csv" in path.read_text("utf-8"):
            others.append(str(path.relative_to(ROOT)))
    assert others == ["engage/base/exports/csv.py"]
