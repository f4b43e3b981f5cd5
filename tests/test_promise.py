"""Attack on an anonymous wave: someone who has the whole database, its log, its backups, and the list of codes, but not
the site's key, cannot link a response to an invitation better than by chance.

The attacker is tested too: it finds the links on sites with leaks.
"""

import base64
import json
import logging
from dataclasses import replace
from datetime import date
from random import Random, SystemRandom

import numpy as np
import pytest
from sqlalchemy import bindparam, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from engage import create_app
from engage.cli.backup import copy_database
from engage.domain.intake import drafts
from engage.domain.intake.draft_encryption import DraftContent
from engage.domain.security.access_codes import ACCESS_KEY, digest, format_access_code, generate_access_code
from engage.services.waves.opening import add_unnamed_invitations
from engage.storage.engine import write_session
from engage.storage.models.base import Base
from engage.storage.models.invitations import Invitation, UsedCode
from engage.storage.models.paper import SheetLink
from engage.storage.models.responses import Response, ResponseLink
from engage.storage.models.schools import Household
from engage.storage.models.waves import Wave
from tests.attack.chance import Jury, Verdict
from tests.attack.district import ANSWERS, FIRST, LEAKS, play, soundly, wave_in
from tests.attack.loot import Invited, Loot, tables
from tests.attack.pages import Watcher
from tests.attack.strategies import EVIDENCE, every
from tests.conftest import close
from tests.makers import a_wave, printed_sheets, staff
from tests.people import Family

pytestmark = pytest.mark.slow

RNG = SystemRandom()

SEEDS = 60  # waves; 200 in the long form
SEEDS_OF_A_LEAK = 12
LEVEL = 0.01


def judged(migrated_file, folder, seeds, send=soundly) -> Verdict:
    """Simulate waves, attack each, and return the verdict on the links."""
    jury, template = Jury(np.random.default_rng(1)), wave_in(migrated_file, folder)
    for seed in range(seeds):
        loot, truth = play(template, folder, seed, send)
        assert len(truth) == len(loot.commit_of) == ANSWERS, "the attacker sees every response come"
        jury.hear(truth, loot.stratum, dict(every(loot)))
    return jury.verdict()


@pytest.mark.parametrize("waves", [SEEDS, pytest.param(200, marks=pytest.mark.thorough)])
def test_links_are_no_better_than_chance(migrated_file, tmp_path, capsys, waves):
    verdict = judged(migrated_file, tmp_path, waves)
    with capsys.disabled():
        print(f"\n  sound site, {waves} waves: {verdict}")
    assert verdict.answered == waves * ANSWERS
    assert {verdict.guesses[name] for name in EVIDENCE} == {0}, "something names an invitation"
    assert verdict.p > LEVEL
    assert verdict.p_best > LEVEL


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_the_attacker_finds_a_leak(migrated_file, tmp_path, capsys, leak):
    verdict = judged(migrated_file, tmp_path, SEEDS_OF_A_LEAK, leak)
    with capsys.disabled():
        print(f"\n  {leak.__name__}, {SEEDS_OF_A_LEAK} waves: {verdict}")
    assert verdict.p_best < LEVEL


def test_the_attacker_finds_drafts_that_are_not_sealed(migrated_file, tmp_path, capsys, monkeypatch):
    def seal(_pocket, kept):
        return json.dumps([kept.school_id, kept.invitation, kept.spent, kept.raw]).encode()

    monkeypatch.setattr(drafts, "seal_draft", seal)
    monkeypatch.setattr(drafts, "open_draft", lambda _pocket, text: DraftContent(*json.loads(text)))
    verdict = judged(migrated_file, tmp_path, SEEDS_OF_A_LEAK)
    with capsys.disabled():
        print(f"\n  drafts in the clear, {SEEDS_OF_A_LEAK} waves: {verdict}")
    assert verdict.p_best < LEVEL


# Constraints of the database


@pytest.fixture
def both(engine):
    """An anonymous and a confidential wave, with an invitation and a response each."""
    with write_session(engine) as session:
        for id, identity in (("open", "anonymous"), ("known", "confidential")):
            wave = a_wave(session, id, identity=identity, entry="code")
            add_unnamed_invitations(session, wave, "lincoln", "en", [id.ljust(64, "d")])
            row = {"wave_id": id, "school_id": "lincoln", "language": "en", "mode": "web", "day": FIRST}
            session.add(Response(id=id.ljust(32, "0"), answers="{}", submission=id.ljust(64, "5"), **row))
        session.commit()


def refused(engine, statement, values=None):
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(statement, values or {})


def a_link(wave, identity):
    row = {"response_id": wave.ljust(32, "0"), "wave_id": wave, "identity": identity, "forget_on": date(2027, 1, 1)}
    return insert(ResponseLink).values(invitation=wave.ljust(64, "d"), **row)


def test_a_link_in_an_anonymous_wave_is_refused(engine, both):
    refused(engine, a_link("open", "anonymous"))  # by the CHECK
    refused(engine, a_link("open", "confidential"))  # by the reference to (waves.id, waves.identity)
    with engine.begin() as connection:
        connection.execute(a_link("known", "confidential"))


@pytest.fixture
def sheets(engine, both):
    """A printed sheet of each of the two waves, by wave."""
    with write_session(engine) as session:
        by = staff(session, "liaison")
        found = {id: printed_sheets(session, session.get_one(Wave, id), by, 1)[0] for id in ("open", "known")}
        session.commit()
    return found


def whose_sheet(serial, wave, identity):
    row = {"wave_id": wave, "identity": identity, "label": b"sealed", "forget_on": date(2027, 1, 1), "minted": False}
    return insert(SheetLink).values(serial=serial, invitation=wave.ljust(64, "d"), **row)


def test_a_sheet_of_an_anonymous_wave_belongs_to_nobody(engine, sheets):
    refused(engine, whose_sheet(sheets["open"], "open", "anonymous"))  # by the CHECK
    refused(engine, whose_sheet(sheets["open"], "open", "confidential"))  # by the reference to (waves.id, identity)
    with engine.begin() as connection:
        connection.execute(whose_sheet(sheets["known"], "known", "confidential"))
    moved = update(SheetLink).where(SheetLink.serial == sheets["known"])
    refused(engine, moved.values(wave_id="open"))
    refused(engine, moved.values(wave_id="open", identity="anonymous"))


def test_a_sheet_outlives_the_code_and_the_household_it_was_printed_for(engine, sheets):
    with write_session(engine) as session:
        session.add(Household(id="h" * 32, school_id="lincoln", language="en"))
        session.flush()
        session.execute(whose_sheet(sheets["known"], "known", "confidential").values(household_id="h" * 32))
        session.execute(delete(Invitation).where(Invitation.wave_id == "known"))
        session.execute(delete(Household))
        session.commit()
        link = session.get_one(SheetLink, sheets["known"])
        assert (link.invitation, link.household_id, link.label) == (None, None, b"sealed")


def test_a_used_day_on_an_anonymous_invitation_is_refused(engine, both):
    used = update(Invitation).where(Invitation.wave_id == bindparam("wave")).values(used=True, used_on=FIRST)
    refused(engine, used, {"wave": "open"})
    refused(engine, used.values(identity="confidential"), {"wave": "open"})
    row = {
        "digest": "e" * 64,
        "wave_id": "open",
        "school_id": "lincoln",
        "language": "en",
        "used_on": FIRST,
        "used": True,
    }
    refused(engine, insert(Invitation).values(identity="anonymous", **row))
    refused(engine, insert(Invitation).values(identity="confidential", **row))
    with engine.begin() as connection:
        connection.execute(used, {"wave": "known"})


def test_an_anonymous_wave_stays_one_once_codes_are_made(engine, both):
    refused(engine, update(Wave).where(Wave.id == "open").values(identity="confidential"))


# The real site


@pytest.fixture
def coded(engine, site):
    """An anonymous wave with 24 codes on a real site, in the order in which they were handed out."""
    key = site.family.extensions["engage"].secret(ACCESS_KEY)
    listed = [
        Invited(code, digest(code, key), "lincoln", "en") for code in (generate_access_code(RNG) for _ in range(24))
    ]
    with write_session(engine) as session:
        wave = a_wave(session, "small", entry="code")
        add_unnamed_invitations(session, wave, "lincoln", "en", sorted(one.digest for one in listed))
        session.commit()
    return listed


def invitations(engine, database_kind):
    """Return every available byte of the invitations; PostgreSQL also shows when and by whom a row was changed."""
    hidden = ", ctid, xmin, xmax" if database_kind == "postgres" else ""
    with engine.connect() as connection:
        return connection.execute(text(f"select invitations.*{hidden} from invitations order by digest")).all()


def test_an_invitation_is_the_same_row_before_and_after(engine, site, coded, database_kind):
    before = invitations(engine, database_kind)
    for one in coded[:3]:
        Family(site).begins_with(one.code).walks({"internet": "no"}).sends_answers().sees("Thank you")
        Family(site).opens(f"/en/c/{one.code}", 410)
    assert invitations(engine, database_kind) == before
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(UsedCode)).scalar_one() == 3


@pytest.mark.sqlite
def test_the_real_site_leaves_nothing_to_link_by(engine, site, coded, settings, tmp_path):
    """Sixteen families with interleaved requests, a question from every fourth, and a copy of file and log after every
    page."""
    path = settings.data_dir / "engage.db"
    watcher = Watcher(path)
    rng, copies = Random(5), []
    for number in rng.sample(range(len(coded)), ANSWERS):
        family = Family(site).begins_with(coded[number].code).answers(internet=rng.choice(["yes", "no"]))
        watcher.look()
        if number % 4 == 0:
            copy_database(path, tmp_path / f"{number}.backup")
            copies.append(tables(tmp_path / f"{number}.backup"))
        asks = {"question": "Is there a bus?"} if number % 4 == 0 else {}
        family.walks(asks).sends_answers()
        watcher.look()
    copy_database(path, tmp_path / "last.backup")
    [wave] = [row for row in tables(tmp_path / "last.backup")["waves"] if row["id"] == "small"]
    loot = Loot(coded, tables(tmp_path / "last.backup"), watcher.commits, watcher.pages, wave, copies)
    assert len(loot.commit_of) == len(loot.responses) == ANSWERS
    assert any(copy["drafts"] for copy in copies)
    strategies = dict(every(loot))
    assert not [name for name in EVIDENCE if strategies[name]]
    assert {row["day"] for row in loot.responses} == {"2026-10-01"}, "the wave's first day, whenever they came"
    assert {row["opened_on"] for row in loot.tables["threads"]} == {"2026-10-12"}, "the Monday of the week"


MARKS = ("Marked-Browser-7741", "203.0.113.77", "198.51.100.23", "Marked-Referer", "Marked-Language")


def test_nothing_of_a_computer_is_kept(settings, engine, clock, coded, caplog, capfd, database_kind):
    """No database, file, or log contains an IP address, a browser's name, or the code that was typed."""
    caplog.set_level(logging.DEBUG)
    site = create_app(replace(settings, proxy_count=1), clock)
    headers = {"User-Agent": MARKS[0], "X-Forwarded-For": MARKS[2], "Referer": f"http://x/{MARKS[3]}"}
    headers["Accept-Language"] = f"en, x-{MARKS[4]}"
    family = Family(site)
    go = family.client.open
    family.client.open = lambda *args, **more: go(
        *args, headers=headers, environ_overrides={"REMOTE_ADDR": MARKS[1]}, **more
    )
    code = coded[0].code
    family.begins_with(code).walks({"internet": "no", "question": "Is there a bus?"}).sends_answers()
    cookie = family.cookie("small")
    family.opens(f"/en/c/{code}", 410).opens("/en/c/nonsense", 404).opens("/en/nowhere", 404)
    for _ in range(30):
        family.client.get(f"/en/c/{generate_access_code(RNG)}")
    family.client.post("/en/w/small/1", data={"internet": "yes", "x" * 9: "y"})
    close(site)
    kept = [path.read_bytes() for path in settings.data_dir.rglob("*") if path.is_file()]
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            kept.append(repr(connection.execute(select(table)).all()).encode())
    out = capfd.readouterr()
    kept += [caplog.text.encode(), out.out.encode(), out.err.encode()]
    assert any(b"Is there a bus?" in each for each in kept), "the search finds what is there"
    secrets = [code, format_access_code(code), cookie, base64.urlsafe_b64decode(cookie + "=").hex()]
    for word in (*MARKS, *secrets):
        assert not any(word.encode() in each for each in kept), word
