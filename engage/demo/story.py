"""The demo's history from its first day to today, built in order with the functions that the pages use."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from sqlalchemy.orm import Session

from engage.base.catalogs import catalogue, survey_catalogues, translation_gaps
from engage.base.languages import LANGUAGES
from engage.demo.district import SCHOOLS, SEED, STAFF, WHO_ASKS, DemoHousehold, generate_households
from engage.demo.families import add_families
from engage.demo.voices import ANSWER_SHARE, PAPER_SHARE, raw_answers
from engage.domain.intake.form_data import serialize_draft
from engage.domain.intake.group_assignment import assign_due_groups
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.intake.submission import Submission, accept_response, filter_keyed_values
from engage.domain.security import access_codes as codes
from engage.domain.security import accounts
from engage.domain.security.form_serials import generate_serials as serials
from engage.questionnaire.editions import build_edition, load_edition
from engage.questionnaire.library import earlier_surveys, shipped_survey, shipped_surveys
from engage.questionnaire.model import Survey
from engage.services.data_entry.duplicates import submission_key
from engage.services.data_entry.retention import delete_keyings, keying_cutoff
from engage.services.waves import privacy_notice
from engage.services.waves.opening import NewWave, OpeningConditions, open_wave
from engage.services.waves.screening import NONE, Decision, load_decisions, screening_items, store_decisions
from engage.storage.language_groups import store_language_groups
from engage.storage.models.invitations import Invitation
from engage.storage.models.paper import Keying, Packet, PrintRun, Sheet
from engage.storage.models.schools import Household, School
from engage.storage.models.staff import Staff
from engage.storage.models.waves import Wave

SPRING = timedelta(days=180)  # before today: when last spring's waves opened
SCREENED = timedelta(days=10)  # before the first waves
LASTED = timedelta(days=28)
OPENED = timedelta(days=6)  # before today: when this season's waves opened
LASTS = timedelta(days=60)
ANSWERED_ALREADY = 230  # households that have answered the open wave so far
BELIEFS_SHARE = 0.62  # of the households that answered home-access
IDENTITY = {"home-access": "confidential", "family-beliefs": "anonymous"}
PRINTED = 12  # sheets at the liaison's school
ADMINISTRATOR = "admin@riverbend.example"
PASSWORD = "riverbend-demo-2026"  # noqa: S105  an invented district has no secrets

Secret = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What a visitor of the demo needs: access codes by language, and the ids of the waves."""

    codes: dict[str, str]
    coded_wave: str
    open_wave: str
    spring: list[str]
    serial: str


@dataclass(frozen=True, slots=True)
class DemoContext:
    """The demo's context: today, its random numbers, and the site's keys."""

    today: date
    rng: Random
    secret: Secret
    timezone: str


@dataclass(frozen=True, slots=True)
class DemoIntake:
    """The context for storing the spring's responses."""

    session: Session
    author: DemoContext
    staff: dict[str, Staff]
    runs: dict[tuple[str, str, str], PrintRun]


def create_rng() -> Random:
    """The demo's random number generator, with a fixed seed."""
    return Random(SEED)


def build_demo(session: Session, author: DemoContext) -> DemoSummary:
    """Build Riverbend in an empty database, the same each time for the same day. Never commits."""
    session.add_all(School(id=id, name=name) for id, name in SCHOOLS.items())
    session.flush()
    staff = _add_staff(session, author)
    households = _add_households(session, author)
    for survey in (*shipped_surveys(), *earlier_surveys()):
        _screen_survey(session, author, survey, staff[ADMINISTRATOR])
    before = author.today - SPRING - SCREENED
    privacy_notice.store_district_texts(session, "who_asks", WHO_ASKS, staff[ADMINISTRATOR].id, before)
    spring = {slug: _open_spring_wave(session, author, slug) for slug in ("home-access", "family-beliefs")}
    for wave in spring.values():
        _store_language_groups(session, wave, households)
    desk = DemoIntake(session, author, staff, {})
    for home in households:
        _answer_spring_waves(desk, home, spring)
    _run_nightly_tasks(session, author)
    now_open = _open_current_wave(session, author, "family-beliefs", "open")
    _store_language_groups(session, now_open, households)
    coded = _open_current_wave(session, author, "home-access", "code")
    for home in _choose_early_households(households, author.rng):
        submit_response(
            desk, home, now_open, author.today - timedelta(days=author.rng.randrange(OPENED.days)), paper=False
        )
    printed_codes = _create_invitations(session, author, coded, households)
    blank = _add_blank_sheets(desk, DemoHousehold("", "lincoln", "so"), now_open)
    return DemoSummary(printed_codes, coded.id, now_open.id, sorted(wave.id for wave in spring.values()), blank)


def _add_staff(session: Session, author: DemoContext) -> dict[str, Staff]:
    now = datetime.combine(author.today, time(), UTC)
    added = {}
    for person in STAFF:
        new = accounts.NewStaff(person.email, person.name, (person.role,), person.schools, PASSWORD)
        added[person.email] = accounts.create_staff(session, new, now)
        session.flush()
    return added


def _add_households(session: Session, author: DemoContext) -> list[DemoHousehold]:
    generated = generate_households(author.rng)
    session.add_all(Household(id=home.id, school_id=home.school, language=home.language) for home in generated)
    session.flush()
    add_families(session, generated)
    return generated


def open_demo_wave(session: Session, author: DemoContext, survey: Survey, new: NewWave) -> Wave:
    """Open a wave with all the checks that a page makes."""
    edition = build_edition(survey, survey_catalogues())
    screened = load_decisions(session, screening_items(edition.survey("en")))
    today = new.opens or author.today
    conditions = OpeningConditions(translation_gaps(new.languages), screened)
    return open_wave(session, edition, new, today, conditions, catalogue("en"))


def _screen_survey(session: Session, author: DemoContext, survey: Survey, administrator: Staff) -> None:
    """Record that no question of a shipped survey asks about a protected area."""
    items = screening_items(survey)
    store_decisions(session, dict.fromkeys(items, Decision(NONE)), administrator.id, author.today - SPRING - SCREENED)


def _open_spring_wave(session: Session, author: DemoContext, slug: str) -> Wave:
    """Open a wave of version 1, which was in use then."""
    opens, survey = author.today - SPRING, shipped_survey(slug, version=1)
    new = NewWave(
        title=f"{survey.title}, last spring",
        schools=tuple(SCHOOLS),
        languages=tuple(LANGUAGES),
        opens=opens,
        closes=opens + LASTED,
        results_on=opens + LASTED + timedelta(days=21),
        identity=IDENTITY[slug],
        id=f"{slug}-spring",
    )
    return open_demo_wave(session, author, survey, new)


def _open_current_wave(session: Session, author: DemoContext, slug: str, entry: str) -> Wave:
    opens, survey = author.today - OPENED, shipped_survey(slug)
    new = NewWave(
        title=f"{survey.title}, this season",
        schools=tuple(SCHOOLS),
        languages=tuple(LANGUAGES),
        opens=opens,
        closes=opens + LASTS,
        results_on=opens + LASTS + timedelta(days=21),
        identity=IDENTITY[slug],
        entry=entry,
        id=slug,
    )
    return open_demo_wave(session, author, survey, new)


def _store_language_groups(session: Session, wave: Wave, households: list[DemoHousehold]) -> None:
    """Store which languages of each school are named, as when an anonymous wave with an open link is opened."""
    if wave.identity == "anonymous":
        store_language_groups(
            session.connection(), wave.id, Counter((home.school, home.language) for home in households)
        )


def _choose_early_households(households: list[DemoHousehold], rng: Random) -> list[DemoHousehold]:
    """The households that have answered the open wave, in random order; as in spring, by the language they read."""
    willing = [home for home in rng.sample(households, len(households)) if rng.random() < ANSWER_SHARE[home.language]]
    return willing[:ANSWERED_ALREADY]


def _answer_spring_waves(desk: DemoIntake, home: DemoHousehold, spring: dict[str, Wave]) -> None:
    rng = desk.author.rng
    if rng.random() >= ANSWER_SHARE[home.language]:
        return
    answered = ["home-access"] + (["family-beliefs"] if rng.random() < BELIEFS_SHARE else [])
    paper = rng.random() < PAPER_SHARE[home.language]
    for slug in answered:
        submit_response(
            desk, home, spring[slug], spring[slug].opens + timedelta(days=rng.randrange(LASTED.days)), paper
        )


def submit_response(desk: DemoIntake, home: DemoHousehold, wave: Wave, day: date, paper: bool) -> None:
    """Store one household's answers, from a phone or from a keyed sheet."""
    rng = desk.author.rng
    survey = load_edition(wave.edition.document).survey("en")
    raw = raw_answers(survey, home.language, rng, home.school)
    draft_key = f"{rng.getrandbits(256):064x}"  # drawn for paper too: later random numbers stay the same
    keying = _key_sheet(desk, home, wave, raw, day) if paper else None
    submission = Submission(
        survey,
        wave,
        school_id=home.school,
        language=home.language,
        mode="paper" if paper else "web",
        raw=raw,
        submission_key=draft_key if keying is None else submission_key(keying),
        provenance=keying,
        group_key=desk.author.secret(GROUP_KEY),
    )
    accept_response(desk.session.connection(), submission, today=day, rng=rng)


def _run_nightly_tasks(session: Session, author: DemoContext) -> None:
    """Do what the nightly runs since last spring would have done: assign groups of responses, and delete keyings of
    anonymous waves."""
    assign_due_groups(session.connection(), author.secret(GROUP_KEY), author.today)
    delete_keyings(session, keying_cutoff(author.timezone, author.today), author.rng)


def _key_sheet(desk: DemoIntake, home: DemoHousehold, wave: Wave, raw: dict[str, list[str]], day: date) -> str:
    """Store a returned sheet's keying. Returns its id."""
    rng = desk.author.rng
    run = _ensure_print_run(desk, home, wave)
    run.copies += 1
    sheet = Sheet(serial=next(serials(rng, ())), run_id=run.id, state="keyed")
    keying = Keying(
        id=f"{rng.getrandbits(128):032x}",
        wave_id=wave.id,
        school_id=home.school,
        serial=sheet.serial,
        language=home.language,
        mode="paper",
        raw=serialize_draft(filter_keyed_values(load_edition(wave.edition.document).survey("en"), wave, raw)),
        keyed_by=run.printed_by,
        keyed_at=datetime.combine(day, time(15)),
    )
    for row in (sheet, keying):
        desk.session.add(row)
        desk.session.flush()
    return keying.id


def _add_blank_sheets(desk: DemoIntake, home: DemoHousehold, wave: Wave) -> str:
    """Add a packet of sheets that wait to be keyed, which the worker draws when it starts. Returns one serial."""
    run = _ensure_print_run(desk, home, wave, _add_packet(desk, home, wave))
    sheets = [
        Sheet(serial=serial, run_id=run.id)
        for serial, _ in zip(serials(desk.author.rng, ()), range(PRINTED), strict=False)
    ]
    run.copies += PRINTED
    desk.session.add_all(sheets)
    desk.session.flush()
    return sheets[0].serial


def _add_packet(desk: DemoIntake, home: DemoHousehold, wave: Wave) -> str:
    """Add a packet of blank sets requested when the wave opened. Returns its id."""
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
        made_by=_find_liaison(desk, home),
        made_on=wave.opens,
    )
    desk.session.add(packet)
    desk.session.flush()
    return packet.id


def _find_liaison(desk: DemoIntake, home: DemoHousehold) -> int:
    """The id of the liaison who prints for a school."""
    return next(desk.staff[each.email].id for each in STAFF if home.school in each.schools)


def _ensure_print_run(desk: DemoIntake, home: DemoHousehold, wave: Wave, packet: str | None = None) -> PrintRun:
    """The print run of a school, wave and language, created once."""
    place = (wave.id, home.school, home.language)
    if place not in desk.runs:
        run = PrintRun(
            id=f"{desk.author.rng.getrandbits(128):032x}",
            wave_id=wave.id,
            school_id=home.school,
            language=home.language,
            copies=0,
            paper="letter",
            printed_by=_find_liaison(desk, home),
            printed_on=wave.opens,
            packet_id=packet,
        )
        desk.session.add(run)
        desk.session.flush()
        desk.runs[place] = run
    return desk.runs[place]


def _create_invitations(
    session: Session, author: DemoContext, wave: Wave, households: list[DemoHousehold]
) -> dict[str, str]:
    """Create an invitation for each household. Returns one unused access code by language."""
    printed_codes: dict[str, str] = {}
    key = author.secret(codes.ACCESS_KEY)
    for home in households:
        code = codes.generate_access_code(author.rng)
        printed_codes.setdefault(home.language, codes.format_access_code(code))
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
    return printed_codes
