"""Every action of staff by two people at the same time: `python -m tests.pairs` (needs ENGAGE_TEST_DATABASE_URL).

The pages of the demo district are crawled for forms. For each action, two browsers open the page with its form, and
both send it: first one after the other, then at the same time, each held at its first commit until the other has come
as far, if it can. Both times the statuses, the rows of every table, and the positions of promises must be the same: two
at once are as good as one after the other. The oracle is the serial run on a fresh copy of the district.
"""

import os
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from werkzeug.test import Client, TestResponse

from engage.storage.engine import read_session
from engage.storage.models.base import Base
from engage.storage.models.checkpoints import Commitment
from engage.storage.models.wave_drafts import WaveDraft
from tests.fuzz import DOOR, PEOPLE, Riverbend
from tests.hygiene import Element, read
from tests.people import filled

HELD = 0.4  # seconds that a commit waits for the other; with one writer at a time the other cannot come
PAGES = 150  # of each role
NOT_SENT = {"sign_in.sign_out", "me.password", "forgotten.ask"}  # both browsers would be strangers to the check
TODAY = date.today()
TEXTS = {  # what a person types where the page shows an empty field; `%s` tells the two apart
    "email": "two%s@riverbend.example",
    "name": "Name %s",
    "title": "Two at once %s",
    "en-theme": "Buses",
    "en-you_said": "Late buses.",
    "en-we_will": "More buses %s.",
    "owner": "Transport",
    "text": "Thank you %s.",
    "meets_on": f"{TODAY + timedelta(days=30)}",
    "opens": f"{TODAY + timedelta(days=1)}",
    "closes": f"{TODAY + timedelta(days=20)}",
    "results_on": f"{TODAY + timedelta(days=40)}",
    "day": f"{TODAY}",
    "reason": "event",
    "roles": "translator",
    "number": "3",
}
DRAFT = "/staff/district/waves/drafts/{draft}"  # the draft of a survey that was stored last
FIRST = {"school"}  # lists of which the first entry that is one is chosen
_NEW_SURVEY = ["/staff/district/waves/new", f"{DRAFT}/dates"]
SCENES = {  # pages that a crawl of the demo does not reach: what has to be done before, by the forms of these pages
    "district.freeze_figures": (
        "leader",
        ["/staff/district/checkpoints/new"],
        "/staff/district/checkpoints/two-at-once-x/freeze",
    ),
    "district.save_wave_draft": ("leader", _NEW_SURVEY[:1], f"{DRAFT}/questionnaire"),
    "district.open_new_wave": ("leader", _NEW_SURVEY, f"{DRAFT}/check"),
    "district.delete_wave_draft": ("leader", _NEW_SURVEY[:1], "/staff/district/waves"),
    "district.publish_results": (
        "leader",
        ["/staff/district/checkpoints/new", "/staff/district/checkpoints/two-at-once-x/freeze"],
        "/staff/district/checkpoints/two-at-once-x/publish",
    ),
    "liaison.save_sheet": ("liaison", [], "/staff/liaison/keying?serial={serial}"),
    "liaison.save_draft": ("liaison", [], "/staff/liaison/keying?serial={serial}"),
    "liaison.spoil_sheet": ("liaison", [], "/staff/liaison/keying?serial={serial}"),
    "administration.rename_organisation": (
        "administrator",
        ["/staff/administration/organisations"],
        "/staff/administration/organisations",
    ),
}


@dataclass(frozen=True)
class Found:
    """A form of a page: what it does, who sees it, where it is, and the forms that are sent before."""

    endpoint: str
    role: str
    page: str
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What two senders saw, and what is stored after them."""

    statuses: tuple[int, ...]
    rows: tuple[tuple[str, int], ...]
    positions_clash: bool


def browser(district: Riverbend, role: str) -> Client:
    """A browser in which somebody of this role is signed in."""
    client = Client(district.site, TestResponse)
    page = read(client.get("/staff/login", base_url=DOOR).text)
    form = next(each for each in page.all("form") if (each.get("action") or "").endswith("/login"))
    data = filled(form)
    data["email"], data["password"] = PEOPLE[role], district.password
    client.post("/staff/login", data=data, base_url=DOOR)
    return client


def crawl(district: Riverbend, role: str) -> Iterator[Found]:
    """Every form of every kind of page that this role reaches."""
    client, seen, waiting = browser(district, role), set[str](), ["/staff/"]
    adapter = district.site.staff.url_map.bind("localhost")
    kinds: Counter[str] = Counter()
    while waiting and len(seen) < PAGES:
        path = waiting.pop(0)
        kind = _endpoint(adapter, path, "GET")
        if path in seen or kinds[kind] >= 4:
            continue
        seen.add(path)
        kinds[kind] += 1
        answer = client.get(path, base_url=DOOR)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        page = read(answer.text)
        for form in page.all("form"):
            if (form.get("method") or "get").lower() == "post":
                action = urljoin(path, form.get("action") or path)
                yield Found(_endpoint(adapter, action, "POST"), role, path)
        for link in page.all("a"):
            target = urlsplit(urljoin(path, link.get("href") or ""))
            if target.path.startswith("/staff/") and not target.netloc:
                waiting.append(target.path)


def _endpoint(adapter: Any, path: str, method: str) -> str:
    try:
        return str(adapter.match(urlsplit(path).path, method=method)[0])
    except Exception:
        return ""


def forms_of(district: Riverbend) -> dict[str, Found]:
    """One form for each action, by endpoint."""
    found: dict[str, Found] = {}
    for role in PEOPLE:
        for each in crawl(district, role):
            if each.endpoint and each.endpoint not in NOT_SENT:
                found.setdefault(each.endpoint, each)
    for endpoint, (role, before, page) in SCENES.items():
        page = page.format(serial=district.known["serial"], draft="{draft}")
        found[endpoint] = Found(endpoint, role, page, tuple(before))
    return found


def prepared(district: Riverbend, found: Found, mark: str) -> Callable[[], int]:
    """Open the page in a browser of its own, fill in its form, and return what sends it."""
    client, adapter = browser(district, found.role), district.site.staff.url_map.bind("localhost")
    answer = client.get(_with_draft(district, found.page), base_url=DOOR, follow_redirects=True)
    here, buttons = answer.request.path, []
    for form in read(answer.text).all("form"):
        for button in form.all("button"):
            action = urljoin(here, button.get("formaction") or form.get("action") or here)
            buttons.append((form, button, action, _endpoint(adapter, action, "POST")))
    form, pressed, action, _ = next(each for each in buttons if found.endpoint in ("", each[3]))
    data = filled(form)
    for name, text in TEXTS.items():
        if _is_writable(form, name):
            data.setlist(name, [text % mark if "%s" in text else text])
    for name in FIRST & {each.get("name") for each in form.all("select")}:
        options = [each.get("value") for each in form.all("option") if each.get("value")]
        data.setlist(name, options[:1])
    for box in form.all("input"):
        if box.get("type") in ("radio", "checkbox") and box.get("name") not in data:
            data.setlist(str(box.get("name")), [box.get("value") or "yes"])
    if pressed.get("name"):
        data[str(pressed.get("name"))] = pressed.get("value") or ""
    return lambda: int(client.post(action, data=data, base_url=DOOR).status_code)


def _send_last_form(district: Riverbend, role: str, page: str) -> int:
    """Send the last form of a page, as the mark x."""
    page = _with_draft(district, page)
    found = list(crawl_page(browser(district, role), district, page))
    return prepared(district, Found(found[-1], role, page), "x")()


def _with_draft(district: Riverbend, page: str) -> str:
    """The address with the id of the only draft of a survey."""
    if "{draft}" not in page:
        return page
    with read_session(district.site.staff.extensions["engage"].engine) as session:
        return page.replace("{draft}", session.scalars(select(WaveDraft.id)).one())


def crawl_page(client: Client, district: Riverbend, path: str) -> Iterator[str]:
    """The endpoints of the forms in the main part of a page."""
    adapter = district.site.staff.url_map.bind("localhost")
    for form in next(read(client.get(path, base_url=DOOR).text).all("main")).all("form"):
        yield _endpoint(adapter, urljoin(path, form.get("action") or path), "POST")


def _is_writable(form: Element, name: str) -> bool:
    return any(
        each.get("name") == name and "readonly" not in each.attributes
        for each in form.all("input", "textarea", "select")
    )


@contextmanager
def held_commits() -> Iterator[None]:
    """Each thread's first commit waits until another thread has come as far."""
    barrier, done = threading.Barrier(2), set[int]()

    def hold(_session: Session) -> None:
        if threading.get_ident() not in done:
            done.add(threading.get_ident())
            try:
                barrier.wait(HELD)
            except threading.BrokenBarrierError:
                barrier.reset()

    event.listen(Session, "before_commit", hold)
    try:
        yield
    finally:
        event.remove(Session, "before_commit", hold)


def outcome(district: Riverbend, found: Found, at_once: bool) -> Outcome:
    """Two browsers send a form of a fresh district."""
    district.fresh()
    for page in found.before:
        assert _send_last_form(district, found.role, page) < 400, page
    senders = [prepared(district, found, mark) for mark in ("A", "B")]
    if at_once:
        with held_commits(), ThreadPoolExecutor(2) as pool:
            statuses = [each.result(60) for each in [pool.submit(send) for send in senders]]
    else:
        statuses = [send() for send in senders]
    return Outcome(tuple(sorted(statuses)), *_stored(district))


def _stored(district: Riverbend) -> tuple[tuple[tuple[str, int], ...], bool]:
    with read_session(district.site.staff.extensions["engage"].engine) as session:
        tables = Base.metadata.sorted_tables
        rows = tuple((each.name, session.scalar(select(func.count()).select_from(each)) or 0) for each in tables)
        places = session.execute(select(Commitment.checkpoint_id, Commitment.position)).all()
    return rows, len(set(places)) < len(places)


def fault(found: Found, serial: Outcome, at_once: Outcome) -> str:
    """What was wrong with two at once; empty if nothing."""
    if max(at_once.statuses) >= 500:
        return f"statuses {at_once.statuses}"
    if at_once.statuses != serial.statuses:
        return f"statuses {at_once.statuses}, one after the other {serial.statuses}"
    if at_once.rows != serial.rows:
        return f"rows {sorted(set(at_once.rows) ^ set(serial.rows))}"
    return "two promises have one position" if at_once.positions_clash else ""


def run(folder: Path, url: str) -> dict[str, tuple[Outcome, str]]:
    """Every action: what the serial run gave, and what was wrong with two at once."""
    district = Riverbend(folder, url)
    district.fresh()
    results: dict[str, tuple[Outcome, str]] = {}
    for endpoint, found in sorted(forms_of(district).items()):
        serial = outcome(district, found, at_once=False)
        results[endpoint] = serial, fault(found, serial, outcome(district, found, at_once=True))
    district.close()
    return results


def main() -> None:
    """Print a line for each action."""
    with tempfile.TemporaryDirectory() as folder:
        results = run(Path(folder), os.environ["ENGAGE_TEST_DATABASE_URL"])
    for endpoint, (serial, wrong) in results.items():
        print(f"{endpoint:40} {serial.statuses!s:12} {wrong or 'the same at once'}")
    print(f"{len(results)} actions, {sum(bool(wrong) for _, wrong in results.values())} faults")


if __name__ == "__main__":
    main()
