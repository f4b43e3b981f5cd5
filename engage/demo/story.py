"""Riverbend from its first day to this one: built in order, by the same deeds that people do in the browser."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from sqlalchemy.orm import Session

from engage.base.languages import LANGUAGES, catalogue, survey_catalogues
from engage.demo.district import SCHOOLS, SEED, STAFF, Home, homes
from engage.demo.families import settle
from engage.demo.notice import WHO_ASKS
from engage.demo.voices import ANSWER_SHARE, PAPER_SHARE, raw_answers
from engage.domain.intake.accept import accept, keyed
from engage.domain.intake.form_data import packed
from engage.domain.intake.group_assignment import settle_groups
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.security import access_codes as codes
from engage.domain.security import accounts
from engage.domain.security.form_serials import mint as serials
from engage.questionnaire.editions import Edition, edition_of, load
from engage.questionnaire.library import shipped_survey
from engage.services.data_entry.duplicates import submission_key
from engage.services.data_entry.retention import cut_before, delete_keyings
from engage.services.waves import privacy_notice
from engage.services.waves.opening import NewWave, open_wave
from engage.services.waves.screening import NONE, Decision, decide, decisions, items
from engage.services.waves.translation_readiness import gaps
from engage.storage.language_groups import keep_strata
from engage.storage.models.paper import Keying, Packet, PrintRun, Sheet
from engage.storage.models.responses import Invitation
from engage.storage.models.schools import Household, School, Wave
from engage.storage.models.staff import Staff

SPRING = timedelta(days=180)  # before today: when last spring's waves opened
SCREENED = timedelta(days=10)  # before the first waves
LASTED = timedelta(days=28)
OPENED = timedelta(days=6)  # before today: when this season's waves opened
LASTS = timedelta(days=60)
ANSWERED_ALREADY = 40  # households that have answered the open wave by now
BELIEFS_SHARE = 0.62  # of the households that answered home-access
IDENTITY = {"home-access": "confidential", "family-beliefs": "anonymous"}
PRINTED = 12  # sheets on the liaison's desk
ADMINISTRATOR = "admin@riverbend.example"
PASSWORD = "riverbend-demo-2026"  # noqa: S105  an invented district has no secrets

Secret = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Built:
    """What a visitor of Riverbend needs to know: access codes by language, and where the waves are."""

    codes: dict[str, str]
    coded_wave: str
    open_wave: str
    spring: list[str]
    serial: str


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes the story: the day it is told, its chance, and the keys of this site."""

    today: date
    rng: Random
    secret: Secret
    timezone: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the spring's answers come in."""

    session: Session
    author: Author
    staff: dict[str, Staff]
    runs: dict[tuple[str, str, str], PrintRun]


def chance() -> Random:
    """The story's own chance: the same each time it is told."""
    return Random(SEED)


def build(session: Session, author: Author) -> Built:
    """Riverbend in an empty database, the same for the same day. Never commits."""
    session.add_all(School(id=id, name=name) for id, name in SCHOOLS.items())
    session.flush()
    staff = _staff(session, author)
    households = _households(session, author)
    for slug in IDENTITY:
        _screen(session, author, slug, staff[ADMINISTRATOR])
    before = author.today - SPRING - SCREENED
    privacy_notice.store(session, "who_asks", WHO_ASKS, staff[ADMINISTRATOR].id, before)
    spring = {slug: _spring(session, author, slug) for slug in ("home-access", "family-beliefs")}
    for wave in spring.values():
        _keep_strata(session, wave, households)
    desk = Desk(session, author, staff, {})
    for home in households:
        _answer_spring(desk, home, spring)
    _end(session, author)
    now_open = _now(session, author, "family-beliefs", "open")
    _keep_strata(session, now_open, households)
    coded = _now(session, author, "home-access", "code")
    for home in author.rng.sample(households, ANSWERED_ALREADY):
        answer(desk, home, now_open, author.today - timedelta(days=author.rng.randrange(OPENED.days)), paper=False)
    shown = _invite(session, author, coded, households)
    blank = _blank_sheets(desk, Home("", "lincoln", "so"), now_open)
    return Built(shown, coded.id, now_open.id, sorted(wave.id for wave in spring.values()), blank)


def _staff(session: Session, author: Author) -> dict[str, Staff]:
    now = datetime.combine(author.today, time(), UTC)
    added = {}
    for person in STAFF:
        added[person.email] = accounts.add(
            session, person.email, person.name, person.role, person.schools, PASSWORD, now
        )
        session.flush()
    return added


def _households(session: Session, author: Author) -> list[Home]:
    found = homes(author.rng)
    session.add_all(Household(id=home.id, school_id=home.school, language=home.language) for home in found)
    session.flush()
    settle(session, found)
    return found


def _edition(slug: str) -> Edition:
    return edition_of(shipped_survey(slug), survey_catalogues())


def _open(session: Session, author: Author, slug: str, new: NewWave) -> Wave:
    edition = _edition(slug)
    screened = decisions(session, items(edition.survey("en")))
    today = new.opens or author.today
    return open_wave(session, edition, new, today, gaps(new.languages), catalogue("en"), screened=screened)


def _screen(session: Session, author: Author, slug: str, administrator: Staff) -> None:
    """No question of the shipped surveys asks about an area that the law protects."""
    asked = items(_edition(slug).survey("en"))
    decide(session, dict.fromkeys(asked, Decision(NONE)), administrator.id, author.today - SPRING - SCREENED)


def _spring(session: Session, author: Author, slug: str) -> Wave:
    opens = author.today - SPRING
    new = NewWave(
        title=f"{shipped_survey(slug).title}, last spring",
        schools=tuple(SCHOOLS),
        languages=tuple(LANGUAGES),
        opens=opens,
        closes=opens + LASTED,
        results_on=opens + LASTED + timedelta(days=21),
        identity=IDENTITY[slug],
        id=f"{slug}-spring",
    )
    return _open(session, author, slug, new)


def _now(session: Session, author: Author, slug: str, entry: str) -> Wave:
    opens = author.today - OPENED
    new = NewWave(
        title=f"{shipped_survey(slug).title}, this season",
        schools=tuple(SCHOOLS),
        languages=tuple(LANGUAGES),
        opens=opens,
        closes=opens + LASTS,
        results_on=opens + LASTS + timedelta(days=21),
        identity=IDENTITY[slug],
        entry=entry,
        id=slug,
    )
    return _open(session, author, slug, new)


def _keep_strata(session: Session, wave: Wave, households: list[Home]) -> None:
    """Which languages of each school are named, as it is decided when an anonymous wave with an open link is opened."""
    if wave.identity == "anonymous":
        keep_strata(session.connection(), wave.id, Counter((home.school, home.language) for home in households))


def _answer_spring(desk: Desk, home: Home, spring: dict[str, Wave]) -> None:
    rng = desk.author.rng
    if rng.random() >= ANSWER_SHARE[home.language]:
        return
    answered = ["home-access"] + (["family-beliefs"] if rng.random() < BELIEFS_SHARE else [])
    paper = rng.random() < PAPER_SHARE[home.language]
    for slug in answered:
        answer(desk, home, spring[slug], spring[slug].opens + timedelta(days=rng.randrange(LASTED.days)), paper)


def answer(desk: Desk, home: Home, wave: Wave, day: date, paper: bool) -> None:
    """One household's answers come in by the gate, from a phone or from a keyed sheet."""
    rng = desk.author.rng
    survey = load(wave.edition.document).survey("en")
    raw = raw_answers(survey, home.language, rng)
    own = f"{rng.getrandbits(256):064x}"  # drawn for paper too, so that the rest of the story stays as it is
    keying = _key(desk, home, wave, raw, day) if paper else None
    accept(
        desk.session.connection(),
        survey,
        wave,
        school_id=home.school,
        language=home.language,
        mode="paper" if paper else "web",
        raw=raw,
        submission_key=own if keying is None else submission_key(keying),
        today=day,
        rng=rng,
        provenance=keying,
        group_key=desk.author.secret(GROUP_KEY),
    )


def _end(session: Session, author: Author) -> None:
    """What the nights since last spring have done: groups of answers are assigned, and what was keyed from anonymous
    sheets is deleted."""
    settle_groups(session.connection(), author.secret(GROUP_KEY), author.today)
    delete_keyings(session, cut_before(author.timezone, author.today), author.rng)


def _key(desk: Desk, home: Home, wave: Wave, raw: dict[str, list[str]], day: date) -> str:
    """A sheet that came back and was keyed; returns the keying's id."""
    rng = desk.author.rng
    run = _print_run(desk, home, wave)
    run.copies += 1
    sheet = Sheet(serial=next(serials(rng, ())), run_id=run.id, state="keyed")
    keying = Keying(
        id=f"{rng.getrandbits(128):032x}",
        wave_id=wave.id,
        school_id=home.school,
        serial=sheet.serial,
        language=home.language,
        mode="paper",
        raw=packed(keyed(load(wave.edition.document).survey("en"), wave, raw)),
        keyed_by=run.printed_by,
        keyed_at=datetime.combine(day, time(15)),
    )
    for row in (sheet, keying):
        desk.session.add(row)
        desk.session.flush()
    return keying.id


def _blank_sheets(desk: Desk, home: Home, wave: Wave) -> str:
    """A packet of sheets that wait to be keyed, drawn by the worker when it starts; returns the serial of one."""
    run = _print_run(desk, home, wave, _packet(desk, home, wave))
    made = [
        Sheet(serial=serial, run_id=run.id)
        for serial, _ in zip(serials(desk.author.rng, ()), range(PRINTED), strict=False)
    ]
    run.copies += PRINTED
    desk.session.add_all(made)
    desk.session.flush()
    return made[0].serial


def _packet(desk: Desk, home: Home, wave: Wave) -> str:
    """Blank sets that were asked for when the wave opened. Its id."""
    packet = Packet(
        id=f"{desk.author.rng.getrandbits(128):032x}",
        wave_id=wave.id,
        school_id=home.school,
        contents="blanks",
        outside="code",
        paper="letter",
        style="standard",
        arrangement="under",
        asked=json.dumps({home.language: PRINTED}),
        classes="{}",
        state="waiting",
        made_by=_liaison(desk, home),
        made_on=wave.opens,
    )
    desk.session.add(packet)
    desk.session.flush()
    return packet.id


def _liaison(desk: Desk, home: Home) -> int:
    """Who prints at a school."""
    return next(desk.staff[each.email].id for each in STAFF if home.school in each.schools)


def _print_run(desk: Desk, home: Home, wave: Wave, packet: str | None = None) -> PrintRun:
    """The school's sheets of a wave in a language, printed once."""
    place = (wave.id, home.school, home.language)
    if place not in desk.runs:
        run = PrintRun(
            id=f"{desk.author.rng.getrandbits(128):032x}",
            wave_id=wave.id,
            school_id=home.school,
            language=home.language,
            copies=0,
            paper="letter",
            printed_by=_liaison(desk, home),
            printed_on=wave.opens,
            packet_id=packet,
        )
        desk.session.add(run)
        desk.session.flush()
        desk.runs[place] = run
    return desk.runs[place]


def _invite(session: Session, author: Author, wave: Wave, households: list[Home]) -> dict[str, str]:
    """An invitation for each household; returns one unused access code by language."""
    shown: dict[str, str] = {}
    key = author.secret(codes.ACCESS_KEY)
    for home in households:
        code = codes.mint(author.rng)
        shown.setdefault(home.language, codes.show(code))
        session.add(
            Invitation(
                digest=codes.digest(code, key),
                wave_id=wave.id,
                identity=wave.identity,
                school_id=home.school,
                language=home.language,
                household_id=home.id,
            )
        )
    session.flush()
    return shown
