"""Proof of typesetting: sentences in every script set by our engine, compared with Chromium's rendering of the same
text.

    python -m tests.domain.paper.proof FOLDER

writes FOLDER/proof.pdf (ours, every language), FOLDER/<tag>.png (ours left, Chromium's right), and FOLDER/proof.txt
(differences, and the overlap of the ink).
"""

import base64
import html
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw
from playwright.sync_api import BrowserType, Page, sync_playwright

from engage.domain.paper.form.elements import POINT
from engage.domain.paper.pdf.canvas import open_canvas, save_canvas
from engage.domain.paper.typesetting.canvas_text import draw_paragraph
from engage.domain.paper.typesetting.fonts import Face
from engage.domain.paper.typesetting.paragraph import LaidParagraph, ParagraphStyle, lay_out_paragraph
from tests.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.domain.paper.specimens import SPECIMENS, Specimen

COLUMN, SIZE = 240.0, 11.0  # points
ZOOM = 4  # pixels per point (288 per inch), so that a misplaced dot is several pixels off
ROOM = 20.0  # points around a sample: ink may extend beyond its column
DARK = 128  # gray levels darker than this are ink
APART = 48.0  # points between two baselines for comparing ink
REACH = 2  # pixels (half a point): tolerance for drawing the same outline
CSS = 96 / 72  # CSS pixels in a point


@dataclass(frozen=True)
class Seen:
    """One rendering: the text of each line, and ink (True) by pixel, `ZOOM` per point, with ROOM on every side."""

    lines: tuple[str, ...]
    ink: np.ndarray


def ours(specimen: Specimen, apart: bool = False) -> LaidParagraph:
    """Return the text set by our engine. `apart` sets lines so far apart that no ink reaches the next."""
    laid = lay_out_paragraph(
        specimen.text, COLUMN, ParagraphStyle(SIZE, specimen.faces, specimen.direction, specimen.tag)
    )
    return replace(laid, leading=APART, baseline=APART * 0.6) if apart else laid


def pdf_of(laid: Iterable[tuple[str, LaidParagraph]], language: str = "en", side: float = COLUMN + 2 * ROOM) -> bytes:
    """Return a PDF of samples (name, paragraph), one page each, as high as the sample."""
    out = BytesIO()
    canvas = open_canvas(out, (side * POINT, 100), language, "Proof", "Engage")
    for _, each in laid:
        canvas.setPageSize((side, each.height + 2 * ROOM))
        canvas._preamble = "1 0 0 1 0 0 cm"  # a new size resets the preamble, and with it ReportLab's own font
        canvas.setFillGray(0)
        draw_paragraph(canvas, each, ROOM, each.height + ROOM)
        canvas.showPage()
    save_canvas(canvas)
    return out.getvalue()


def our_view(specimen: Specimen, apart: bool = True) -> Seen:
    laid = ours(specimen, apart)
    (page,) = pypdfium2.PdfDocument(pdf_of([("", laid)]))
    image = page.render(scale=ZOOM, grayscale=True).to_pil().convert("L")
    return Seen(tuple(line.text for line in laid.lines), np.asarray(image) < DARK)


@contextmanager
def browser_page(chromium: BrowserType) -> Iterator[Page]:
    """A page with the same pixels per point as ours, and without hinting."""
    arguments = [*CHROMIUM_ARGUMENTS, "--font-render-hinting=none", "--disable-lcd-text"]
    browser = chromium.launch(executable_path=CHROMIUM, args=arguments)
    context = browser.new_context(device_scale_factor=ZOOM / CSS, viewport={"width": 600, "height": 400})
    yield context.new_page()
    browser.close()


LINES = """() => {
  const walker = document.createTreeWalker(document.querySelector('p'), NodeFilter.SHOW_TEXT), rows = [];
  for (let node; node = walker.nextNode();) {
    const text = node.data, range = document.createRange();
    for (let at = 0; at < text.length;) {
      const end = at + (text.codePointAt(at) > 0xffff ? 2 : 1);
      range.setStart(node, at); range.setEnd(node, end);
      const box = [...range.getClientRects()].find(each => each.width > 0), said = text.slice(at, end);
      const row = box ? Math.floor((box.top + box.height / 2 - TOP) / LEADING) : null;
      if (row !== null) rows[row] = (rows[row] || '') + said;
      else if (rows.length) rows[rows.length - 1] += said;
      at = end;
    }
  }
  return rows;
}"""


def chromium_view(page: Page, specimen: Specimen, apart: bool = True) -> Seen:
    """Return the text in the same fonts and measures, broken into lines and drawn by Chromium."""
    leading = APART if apart else ours(specimen).leading
    faces = list(specimen.faces.regular)
    families = ", ".join(f"F{number}" for number in range(len(faces)))
    page.goto("about:blank")
    page.set_content(
        f"""<!doctype html><html lang="{specimen.tag}"><style>body {{ margin: 0 }}
        {"".join(_font_face(number, face) for number, face in enumerate(faces))}
        p {{ margin: {ROOM}pt; width: {COLUMN}pt; font: {SIZE}pt/{leading}pt {families};
             text-rendering: geometricPrecision }}</style>
        <p dir="{specimen.direction}">{html.escape(specimen.text)}</p></html>"""
    )
    assert page.evaluate("document.fonts.ready.then(fonts => [...fonts].every(each => each.status !== 'error'))")
    lines = page.evaluate(LINES.replace("TOP", str(ROOM * CSS)).replace("LEADING", str(leading * CSS)))
    clip = {"x": 0, "y": 0, "width": (COLUMN + 2 * ROOM) * CSS, "height": (len(lines) * leading + 2 * ROOM) * CSS}
    image = Image.open(BytesIO(page.screenshot(clip=clip, full_page=True))).convert("L")
    return Seen(tuple(line.strip() for line in lines), np.asarray(image) < DARK)


def _font_face(number: int, face: Face) -> str:
    """Return the CSS for the same font file, embedded in the page; one face of a collection is found by its system
    name."""
    if face.path.suffix == ".ttc":
        return f"@font-face {{ font-family: F{number}; src: local('{face.postscript}') }}"
    data = base64.b64encode(face.path.read_bytes()).decode()
    return f"@font-face {{ font-family: F{number}; src: url(data:font/ttf;base64,{data}) }}"


def grown(ink: np.ndarray) -> np.ndarray:
    """Return the ink extended by REACH pixels on every side."""
    padded, (high, wide), both = np.pad(ink, REACH), ink.shape, range(2 * REACH + 1)
    rows = np.logical_or.reduce([padded[y : y + high] for y in both])
    return np.logical_or.reduce([rows[:, x : x + wide] for x in both])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return how much of each ink is covered by the other grown by REACH, at the best position and in the worst window.

    The other is moved vertically to where the rows of ink match best, then by single pixels, since only the position of
    the baseline in its line may differ. It is never moved horizontally by more than a pixel.
    """
    rows = np.correlate(one.sum(1), other.sum(1), "full")
    coarse = int(rows.argmax()) - (len(other) - 1)
    places = [(coarse + down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return max(_shared(one, np.roll(other, place, (0, 1))) for place in places)


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    return min(_least(one, one & grown(other)), _least(other, other & grown(one)))


def _least(ink: np.ndarray, covered: np.ndarray) -> float:
    """Return the smallest share of covered ink in any window as wide as the type is high, where a single dot
    matters."""
    wide = int(SIZE * ZOOM)
    whole, found = (np.convolve(each.sum(0), np.ones(wide), "valid") for each in (ink, covered))
    return float(np.min(found[whole > ZOOM**2] / whole[whole > ZOOM**2], initial=1.0))


def bands(seen: Seen) -> list[np.ndarray]:
    """Return the ink of each line, where lines are set apart."""
    edges = [int((ROOM + number * APART) * ZOOM) for number in range(len(seen.lines))]
    return [seen.ink[top : top + int(APART * ZOOM)] for top in edges]


def likeness(mine: Seen, theirs: Seen) -> list[float | None]:
    """Return the overlap of every line with the same text in both; None for different text."""
    pairs = zip(bands(mine), bands(theirs), mine.lines, theirs.lines, strict=False)
    return [overlap(a, b) if said == heard else None for a, b, said, heard in pairs]


def side_by_side(mine: Seen, theirs: Seen, title: str) -> Image.Image:
    """Return ours on the left and Chromium's on the right."""
    pictures = [Image.fromarray(np.where(each.ink, 0, 255).astype(np.uint8)) for each in (mine, theirs)]
    width, height = sum(each.width for each in pictures), max(each.height for each in pictures)
    sheet = Image.new("L", (width, height), 255)
    sheet.paste(pictures[0], (0, 0))
    sheet.paste(pictures[1], (pictures[0].width, 0))
    ImageDraw.Draw(sheet).text((10, 10), f"{title}: ours left, Chromium's right", fill=0, font_size=32)
    return sheet


def build(folder: Path, specimens: Mapping[str, Specimen] = SPECIMENS) -> list[str]:
    """Write the proof and return its report, a line per language."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "proof.pdf").write_bytes(pdf_of((tag, ours(each)) for tag, each in specimens.items()))
    report = []
    with sync_playwright() as playwright, browser_page(playwright.chromium) as page:
        for tag, specimen in specimens.items():
            views = our_view(specimen, apart=False), chromium_view(page, specimen, apart=False)
            side_by_side(*views, f"{specimen.english} ({tag})").save(folder / f"{tag}.png")
            mine, theirs = our_view(specimen), chromium_view(page, specimen)
            shares = likeness(mine, theirs)
            shown = " ".join("-" if share is None else f"{share:.3f}" for share in shares)
            report.append(f"{tag:8} {'same breaks' if mine.lines == theirs.lines else 'other breaks':13} {shown}")
    (folder / "proof.txt").write_text("\n".join(report) + "\n", "utf-8")
    return report


if __name__ == "__main__":
    print("\n".join(build(Path(sys.argv[1]))))
