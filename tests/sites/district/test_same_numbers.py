"""Page, packet, workbook, CSV, and JSON have the same numbers, cell by cell, for leaders and for families."""

import csv
import io
import json
from fractions import Fraction

import openpyxl
import pypdfium2
import pytest
from click.testing import CliRunner

from engage.cli import main
from engage.questionnaire.library import shipped_survey
from engage.services.checkpoints.figure_rows import APART
from engage.services.checkpoints.freezing import freeze, publish
from engage.services.checkpoints.outputs import count_figures
from engage.storage.engine import write_session
from engage.storage.models.checkpoints import Checkpoint
from tests.people import Family
from tests.sites.district.conftest import PLACES, WAVES

pytestmark = pytest.mark.slow

HIDDEN, BRIEF = "hidden to protect families", "hidden"
SURVEYS = {wave: shipped_survey(slug, version=1) for slug, wave in WAVES.items()}
NAMES = PLACES | {"en": "English", "es": "Spanish", "ar": "Arabic", "so": "Somali"}
NAMES |= {"web": "Phone or computer", "paper": "Paper"}
JOINED = {"school": "Other schools", "language": "Other languages", "mode": "Other ways"}
DIMENSIONS = ("school", "language", "mode")


@pytest.fixture
def frozen(engine, planned, settings, today):
    """The checkpoint, frozen and published without a promise."""
    with write_session(engine) as session:
        checkpoint = session.get(Checkpoint, planned)
        freeze(checkpoint, count_figures(session, checkpoint, settings.data_dir, today), today)
        publish(checkpoint, today, without_promise=True)
        session.commit()
    return planned


@pytest.fixture
def taken(settings, monkeypatch, frozen):
    """The output of `engage checkpoint figures`, by format and audience."""
    monkeypatch.setenv("ENGAGE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("ENGAGE_DATABASE_URL", settings.database)

    def take(kind, audience):
        result = CliRunner().invoke(main, ["checkpoint", "figures", frozen, "--format", kind, "--audience", audience])
        assert result.exit_code == 0, result.output
        return result.stdout_bytes

    return take


class Cells:
    """The JSON rows of one audience, indexed by their subject."""

    def __init__(self, body):
        self.document = json.loads(body)
        self.rows = self.document["rows"]
        self.at = {self._key(row): row for row in self.rows}
        assert len(self.at) == len(self.rows)

    @staticmethod
    def _key(row):
        return row["wave"], row["question"], row["breakdown"], row["group"] or "", row["answer"]

    def questions(self):
        """Yield (wave, question) in survey order, with whether it has a chart."""
        for wave, survey in sorted(SURVEYS.items()):
            for _, question in survey.questions():
                if question.kind != "note" and question.asks != "question":  # a thread, not a figure
                    answers = self.answers(wave, question.id)
                    yield wave, question, answers != ["answered"]

    def answers(self, wave, question):
        return [row["answer"] for row in self._of(wave, question) if row["answer"] not in APART]

    def apart(self, wave, question):
        given = [row["answer"] for row in self._of(wave, question)]
        return [code for code in APART if code in given]

    def groups(self, wave, question, dimension):
        found = [
            row["group"]
            for row in self.rows
            if (row["wave"], row["question"], row["breakdown"]) == (wave, question, dimension)
        ]
        return list(dict.fromkeys(found))

    def _of(self, wave, question, breakdown="all"):
        place = (wave, question, breakdown)
        return [row for row in self.rows if (row["wave"], row["question"], row["breakdown"]) == place]

    def short(self, wave, question, dimension, group, answer):
        """Return a cell of a breakdown as it must be shown."""
        row = self.at[wave, question, dimension, group, answer]
        if row["count"] is None:
            return BRIEF
        return f"{row['count']} ({row['shown']})" if row["share"] is not None else str(row["count"])

    def cut(self, wave, question, dimension):
        """Return a breakdown's cells, row by row, without the labels."""
        groups = self.groups(wave, question, dimension)
        some = self.answers(wave, question)[0]
        answered = [self.at[wave, question, dimension, group, some]["answered"] for group in groups]
        lines = [[BRIEF if each is None else str(each) for each in answered]]
        for answer in [*self.answers(wave, question), *self.apart(wave, question)]:
            lines.append([self.short(wave, question, dimension, group, answer) for group in groups])
        return lines


def likely(row):
    low, high = (f"{int(row[each] * 100 + 0.5)}%" for each in ("low", "high"))
    return f"{low} to {high}"


def heard(document, row):
    """Return how many could have answered and did, in a row's group; None if not published."""
    wave = next(each for each in document["waves"] if each["id"] == row["wave"])
    for told in (wave["households"], wave["responses"]):
        number = told["all"] if row["group"] is None else told.get(row["breakdown"], {}).get(row["group"])
        yield number if isinstance(number, int) else None


def shares(row):
    return [None if row[each] is None else round(row[each], 4) for each in ("share", "low", "high")]


def whole(cells, wave, question):
    """Return the overall table as it must be shown to leaders: (label, cells)."""
    for answer in cells.answers(wave, question.id):
        row = cells.at[wave, question.id, "all", "", answer]
        choice = question.choice(answer)
        label = choice.text if choice else answer
        if row["count"] is None:
            yield label, [HIDDEN]
        elif row["share"] is None:
            yield label, [str(row["count"]), "–", "–"]
        else:
            yield label, [str(row["count"]), row["shown"], likely(row)]


def table(element):
    """Return a page's table as (first heading of the row, other cells)."""
    body = next(element.all("tbody"))
    for line in body.all("tr"):
        yield next(line.all("th")).text, [cell.text for cell in line.all("td")]


def test_something_is_hidden_and_something_is_shown(taken):
    for audience in ("leaders", "public"):
        rows = Cells(taken("json", audience)).rows
        hidden = sum(row["count"] is None for row in rows)
        assert 50 < hidden < len(rows) - 50


@pytest.mark.parametrize("audience", ["leaders", "public"])
def test_csv_and_workbook_hold_the_rows(taken, audience):
    cells = Cells(taken("json", audience))
    heads, *lines = csv.reader(io.StringIO(taken("csv", audience).decode("utf-8-sig")))
    book = openpyxl.load_workbook(io.BytesIO(taken("xlsx", audience)))
    sheet = [["" if cell is None else cell for cell in line] for line in book["Figures"].iter_rows(values_only=True)]
    assert list(sheet[0]) == heads
    assert len(lines) == len(sheet) - 1 == len(cells.rows)
    for line, cell_line in zip(lines, sheet[1:], strict=True):
        wave, _, question, _, _, breakdown, group, _, answer, _, *numbers, shown = line
        row = cells.at[wave, question, breakdown, group, answer]
        counts = [*heard(cells.document, row), *(row[name] for name in ("base", "answered", "count"))]
        assert [float(each) if each else None for each in numbers] == [*counts, *shares(row)]
        assert [each if each != "" else None for each in cell_line[10:18]] == [*counts, *shares(row)]
        told = row["shown"] or (HIDDEN if row["count"] is None else str(row["count"]))
        assert shown == cell_line[18] == told


def test_the_leaders_page_shows_the_rows(leader, taken, frozen):
    cells = Cells(taken("json", "leaders"))
    leader.opens(f"/staff/district/checkpoints/{frozen}")
    sections = [each for each in leader.page.all("div") if each.get("class") == "finding"]
    asked = list(cells.questions())
    assert [next(each.all("h3")).text for each in sections] == [question.text for _, question, _ in asked]
    for section, (wave, question, drawn) in zip(sections, asked, strict=True):
        tables = list(section.all("table"))
        if drawn:
            assert list(table(tables.pop(0))) == list(whole(cells, wave, question))
        for dimension, shown in zip(DIMENSIONS, tables, strict=True):
            heads = [each.text for each in next(shown.all("thead")).all("th")]
            assert heads[1:] == [
                JOINED[dimension] if group == "mul" else NAMES[group]
                for group in cells.groups(wave, question.id, dimension)
            ]
            assert [line for _, line in table(shown)] == cells.cut(wave, question.id, dimension)


def test_the_families_page_shows_the_rows(site, taken, frozen):
    cells = Cells(taken("json", "public"))
    family = Family(site).opens(f"/en/results/{frozen}")
    tables = list(family.page.all("table"))
    for wave, question, drawn in cells.questions():
        if not drawn:
            continue
        shown = list(table(tables.pop(0)))
        assert shown == [(label, line[:2]) for label, line in whole(cells, wave, question)]
        if tables and next(tables[0].all("th")).text == "By school":
            assert [line for _, line in table(tables.pop(0))] == cells.cut(wave, question.id, "school")
    assert tables == []


def drawing(svg, steps):
    """Return a chart as [(label, text below it, {step: width})] by group, with widths relative to the bar."""
    marks = [each for each in svg.inside if each.tag in ("rect", "text", "line")]
    start = [place for place, each in enumerate(marks) if each.tag == "rect"][-len(steps)]
    legend = [each.get("fill") for each in marks[start:] if each.tag == "rect"]
    assert [each.text for each in marks[start:] if each.tag == "text"] == steps
    assert len(set(legend)) == len(steps)
    groups = []
    for each in marks[:start]:
        if each.tag == "text" and each.get("font-weight"):
            groups.append((each.text, [], {}))
        elif each.tag == "text":
            groups[-1][1].append(each.text)
        elif each.tag == "rect":
            groups[-1][2][steps[legend.index(each.get("fill"))]] = float(each.get("width"))
    wide = max((sum(bars.values()) for _, _, bars in groups), default=0)
    return [(label, said, {step: width / wide for step, width in bars.items()}) for label, said, bars in groups]


def said_by(heads, lines, steps):
    """Return the same triples from the cells of a table, as the chart must show them."""
    cells = dict(lines)
    for place, group in enumerate(heads):
        answered, own = cells["Answered"][place], {step: cells[step][place] for step in steps}
        hidden = BRIEF in own.values()
        counts = {} if hidden else {step: int(own[step].split()[0]) for step in steps}
        words = [] if answered == BRIEF else [f"Answered: {answered}"]
        bars = {step: count / int(answered) for step, count in counts.items() if count}
        yield group, [*words, HIDDEN] if hidden else words, bars


def compare(details, question):
    """Check that each chart is followed by a table with its numbers. Returns the numbers of groups drawn and hidden."""
    drawn = hidden = 0
    steps = [choice.text for choice in question.choices]
    parts = list(details.all("svg", "table"))
    for svg, below in ((svg, parts[place + 1]) for place, svg in enumerate(parts) if svg.tag == "svg"):
        heads = [each.text for each in next(below.all("thead")).all("th")][1:]
        shown, wanted = drawing(svg, steps), list(said_by(heads, table(below), steps))
        assert [each[:2] for each in shown] == [each[:2] for each in wanted]
        for (_, _, bars), (_, _, shares) in zip(shown, wanted, strict=True):
            assert bars == pytest.approx(shares, abs=0.002)
            drawn, hidden = drawn + bool(bars), hidden + (not bars)
    return drawn, hidden


def charts(page, audience_questions):
    """Compare the page's charts with their tables. Returns the numbers of groups drawn and hidden."""
    asked = {question.text: question for _, question, _ in audience_questions}
    heading, found = "", [(0, 0)]
    for part in page.all("h3", "details"):
        heading = part.text if part.tag == "h3" else heading
        if any(each.get("class") == "chart" for each in part.all("svg")):
            assert asked[heading].kind == "scale"
            found.append(compare(part, asked[heading]))
    ids = [each.get("id") for each in page.all() if each.get("id")]
    assert len(ids) == len(set(ids))
    return [sum(each) for each in zip(*found, strict=True)]


def test_the_leaders_charts_draw_the_tables_below_them(leader, taken, frozen):
    questions = Cells(taken("json", "leaders")).questions()
    drawn, hidden = charts(leader.opens(f"/staff/district/checkpoints/{frozen}").page, questions)
    assert drawn
    assert hidden
    leader.sees("An answer in the middle of the scale is on the line.")


def test_the_families_charts_draw_the_tables_below_them(site, taken, frozen, monkeypatch):
    # With so few families, nothing could be drawn for the public, so the page gets the figures for leaders.
    monkeypatch.setattr("engage.sites.family.results.AUDIENCE", "leaders")
    questions = Cells(taken("json", "leaders")).questions()
    family = Family(site).opens(f"/en/results/{frozen}")
    drawn, hidden = charts(family.page, questions)
    assert drawn
    assert hidden
    family.sees("An answer in the middle of the scale is on the line.")


@pytest.mark.parametrize("audience", ["leaders", "public"])
def test_the_packet_prints_the_rows(taken, audience):
    cells = Cells(taken("json", audience))
    text = words_of(taken("pdf", audience))
    at = 0
    for wave, question, drawn in cells.questions():
        for _, line in whole(cells, wave, question) if drawn else ():
            bar = f"{line[0]} · {line[1]} ({line[2]})" if len(line) == 3 and line[1] != "–" else line[0]
            at = found(text, bar, at)
    for wave, question, _ in cells.questions():
        for dimension in DIMENSIONS:
            for line in cells.cut(wave, question.id, dimension):
                at = found(text, "".join(line), at)


def test_every_output_says_who_answered(leader, taken, frozen):
    document = json.loads(taken("json", "leaders"))
    leader.opens(f"/staff/district/checkpoints/{frozen}")
    first = next(each for each in leader.page.all("div") if each.get("class") == "beside")
    wave = document["waves"][0]
    told = dict(table(next(first.all("table"))))["All"]
    everybody, homes = wave["responses"]["all"], wave["households"]["all"]
    assert told == [str(everybody), str(homes), f"{int(Fraction(100 * everybody, homes) + Fraction(1, 2))}%"]
    schools = dict(table([*first.all("table")][1]))
    assert {name: line[0] for name, line in schools.items()} == {
        PLACES[code]: HIDDEN if number is None else str(number) for code, number in wave["responses"]["school"].items()
    }


def test_downloads_are_the_command_lines_files(leader, taken, frozen):
    for kind, path in (("csv", "figures.csv"), ("xlsx", "figures.xlsx"), ("pdf", "packet.pdf")):
        leader.client.get(f"/staff/district/checkpoints/{frozen}/{path}?language=en")
        got = leader.client.get(f"/staff/district/checkpoints/{frozen}/{path}?language=en")
        assert got.status_code == 200
        assert got.headers["Content-Disposition"].startswith(f'attachment; filename="{frozen}-leaders-en.')
        assert got.data == taken(kind, "leaders")


def test_the_html_file_stands_alone_and_says_the_same(taken):
    cells = Cells(taken("json", "leaders"))
    html = taken("html", "leaders").decode()
    assert "src=" not in html
    assert "href=" not in html
    assert "<b>River</b>" not in html
    at = 0
    for wave, question, drawn in cells.questions():
        for _, line in whole(cells, wave, question) if drawn else ():
            bar = f"{line[0]} · {line[1]} ({line[2]})" if len(line) == 3 and line[1] != "–" else line[0]
            at = html.index(f"<td>{bar}</td>", at)


def words_of(pdf):
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[number].get_textpage().get_text_range() for number in range(len(document))]
    document.close()
    return "".join("".join(pages).split()).replace("\ufffe", "-")


def found(text, wanted, start):
    wanted = "".join(wanted.split())
    at = text.find(wanted, start)
    assert at >= 0, f"{wanted!r} is not in the packet after …{text[max(0, start - 60) : start + 120]}…"
    return at + len(wanted)
