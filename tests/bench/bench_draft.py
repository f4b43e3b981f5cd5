"""How long families wait while a leader works with a draft checkpoint of a large district.

    .venv/bin/python -m tests.bench.bench_draft [FOLDER] [S|M|L]

A district (`large_district`; created in FOLDER if it does not exist) is served by two processes. Eight phones answer
the wave with an open link, with a pause of up to half a second before each page, while a leader opens the draft, opens
it again, downloads the CSV, and freezes. For each action it prints how long the leader waits, how long families' POST
requests take, and the CPU use of the server. It works on a copy, since freezing changes the district.
"""

import asyncio
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import requests

from engage.base.catalogs import survey_catalogues
from engage.base.config import Settings
from engage.questionnaire.editions import build_edition
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.pages import build_plan
from tests.bench.families import Server, Tally, crowd, script
from tests.bench.large_district import DRAFT, OPEN_LINK, SIZES, WAVES, generate
from tests.bench.large_history import LEADER, PASSWORD, school

PHONES = 8
THINK = 0.5  # seconds of pause before each page, at most
QUIET = 5.0  # seconds without a leader, for comparison
PATIENCE = 600  # seconds a leader waits for a page
ADDRESS = f"/staff/district/checkpoints/{DRAFT}"


class Leader:
    """A leader's browser, signed in."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()
        self._sends("/staff/login", email=LEADER, password=PASSWORD)

    def opens(self, path: str) -> None:
        """Open a page or download a file."""
        self.session.get(self.url + path, timeout=PATIENCE).raise_for_status()

    def freezes(self) -> None:
        """Freeze the checkpoint."""
        self._sends(f"{ADDRESS}/freeze")

    def _sends(self, path: str, **fields: str) -> None:
        page = self.session.get(self.url + path, timeout=PATIENCE)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        assert token, f"{path}: {page.status_code}, no form"
        fields["csrf_token"] = token[1]
        self.session.post(self.url + path, data=fields, timeout=PATIENCE).raise_for_status()


def measure(server: Server, what: str, deed: Callable[[], None]) -> None:
    """Measure one action while families answer, and print a line."""
    survey = shipped_survey(next(each.slug for each in WAVES if each.id == OPEN_LINK))
    said = script(build_plan(build_edition(survey, survey_catalogues())), 0.1)
    said.begin, said.think = urlencode({"school": school(0)}).encode(), THINK
    tally, cpu = Tally(), server.cpu()

    async def both() -> tuple[float, float]:
        done = asyncio.Event()
        phones = asyncio.create_task(crowd(server.port, PHONES, said, tally, lambda: not done.is_set(), True))
        await asyncio.sleep(1)
        began = time.perf_counter()
        await asyncio.to_thread(deed)
        ended = time.perf_counter()
        done.set()
        await phones
        return began, ended

    began, ended = asyncio.run(both())
    posts = sorted(waited for at, waited in tally.posts if began <= at < ended)
    p50, p95 = (posts[int(len(posts) * share)] for share in (0.5, 0.95))
    print(
        f"{what:<14} {ended - began:>7.2f} s   POST p50 {p50:>7.0f}  p95 {p95:>7.0f}  max {posts[-1]:>7.0f} ms"
        f"  of {len(posts):>5}   sent again {tally.retries:>3}   {server.cpu() - cpu:>6.1f} s CPU",
        *tally.errors[:1],
        flush=True,
    )


def main() -> None:
    """Create the district if needed, serve a copy of it, and measure."""
    with tempfile.TemporaryDirectory() as place:
        made = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(place) / "made"
        size = sys.argv[2] if len(sys.argv) > 2 else "L"
        if not (made / "engage.db").exists():
            made.mkdir(parents=True, exist_ok=True)
            generate(Settings(data_dir=made), SIZES[size], date.today())
        folder = Path(place) / "served"
        shutil.copytree(made, folder)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = Server(folder, port)
        server.start()
        try:
            leader = Leader(f"http://127.0.0.1:{port}")
            measure(server, "nothing", lambda: time.sleep(QUIET))
            measure(server, "draft", lambda: leader.opens(ADDRESS))
            measure(server, "draft again", lambda: leader.opens(ADDRESS))
            measure(server, "figures.csv", lambda: leader.opens(f"{ADDRESS}/figures.csv"))
            measure(server, "freeze", leader.freezes)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
