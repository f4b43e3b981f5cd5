"""Speed of writing a school's packet: `python -m tests.bench.bench_packet [--households 10000]`.

Prints a table and never fails because of time. It fails if a code on a sampled page has another serial or page than its
own, or if two runs differ. CPU seconds include layout, drawing, and writing, but not the start of Python. Each row is a
separate process, so that its peak memory can be measured.
"""

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pypdfium2
import zxingcpp

from engage.domain.paper.form.geometry import digest, geometry_json
from engage.questionnaire.numbering import encode_payload
from tests.bench.memory import peak
from tests.bench.packets import PAGES, SIX, by_pikepdf, filled, naive, ours, sheets, spread

NAIVE = 20  # households; the result is extrapolated
SAMPLE = 24  # pages checked
DPI = 150
OURS = {"one": ("en",), "six": SIX, "named": SIX}
GOAL = ("goal", ">= 8000", "<= 200", "<= 1000")

WAYS: dict[str, tuple[str, Callable[[BinaryIO, int], int]]] = {
    "one": ("ours, one language", lambda out, count: ours(out, count, ("en",))),
    "six": ("ours, six languages", lambda out, count: ours(out, count, SIX)),
    "named": ("ours, six languages, names outside", lambda out, count: ours(out, count, SIX, named=True)),
    "pikepdf": ("pikepdf, shared content streams", by_pikepdf),
    "naive": ("laid out again each time, ReportLab", naive),
}


def run(way: str, households: int, path: str) -> None:
    """Measure one row, in this process."""
    began = time.process_time()
    with open(path, "wb") as out:
        pages = WAYS[way][1](out, households)
    print(json.dumps({"pages": pages, "cpu": time.process_time() - began, "peak": peak()}))


def measured(way: str, households: int, path: Path, seed: str = "random") -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.bench_packet", "--way", way, "--out", str(path)]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        [*command, "--households", str(households)], env=environment, check=True, capture_output=True, text=True
    )
    return {**json.loads(done.stdout), "bytes": path.stat().st_size}


def looked_at(path: Path, households: int, languages: tuple[str, ...]) -> int:
    """Check the codes of a random sample of pages and return its size. Raises AssertionError for a wrong one."""
    digests = {language: digest(geometry_json(sheets(language), "0" * 64)) for language in languages}
    owner = dict(spread(households, languages))
    document = pypdfium2.PdfDocument(path)
    for index in random.sample(range(len(document)), min(SAMPLE, len(document))):
        number, page = divmod(index, PAGES)
        mine = filled(number, digests[owner[number]])
        expected = {encode_payload(mine.serial, page + 1, mine.digest)} | ({mine.phone} if page == 0 else set())
        picture = document[index].render(scale=DPI / 72, grayscale=True).to_numpy()
        said = {code.text for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)}
        assert said == expected, (index, said, expected)
    return min(SAMPLE, len(document))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=10_000)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--out")
    given = parser.parse_args()
    if given.way:
        run(given.way, given.households, given.out)
        return
    print(f"{'':38}{'households':>11}{'CPU s':>9}{'pages/s':>9}{'peak MB':>9}{'B/page':>8}{'x naive':>9}")
    print(f"{GOAL[0]:38}{'':>11}{'':>9}{GOAL[1]:>9}{GOAL[2]:>9}{GOAL[3]:>8}")
    with tempfile.TemporaryDirectory() as folder:
        table(given.households, Path(folder))


def table(households: int, folder: Path) -> None:
    rows, same = {}, []
    for way, (label, _) in WAYS.items():
        path, count = folder / f"{way}.pdf", min(NAIVE, households) if way == "naive" else households
        rows[way] = measured(way, count, path, seed="1")
        if way in OURS:
            again = folder / "again.pdf"
            measured(way, count, again, seed="2")
            assert digest_of(path) == digest_of(again), f"{label}: two runs differ"
            seen = looked_at(path, count, OURS[way])
            same.append(f"{label}: two runs equal; {seen} random pages at {DPI} dpi say their own serial and page")
    base = rows["naive"]["pages"] / rows["naive"]["cpu"]
    for way, row in rows.items():
        row_of(WAYS[way][0], row, base)
    spent = rows["naive"]["cpu"] * households / rows["naive"]["pages"] * PAGES / 60
    print(f"{WAYS['naive'][0]}: extrapolated to {households} households {spent:.0f} minutes")
    print("\n".join(same))


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def row_of(label: str, row: dict[str, float], base: float) -> None:
    speed, size = row["pages"] / row["cpu"], row["bytes"] / row["pages"]
    figures = f"{row['cpu']:>9.2f}{speed:>9.0f}{row['peak']:>9.0f}{size:>8.0f}{speed / base:>9.1f}"
    print(f"{label:38}{row['pages'] / PAGES:>11.0f}{figures}")


if __name__ == "__main__":
    main()
