"""Every staff route, requested by every role at its own school and at another one: the response follows the permission.

A new route is included automatically. It fails here if its URL has a parameter that is not described below.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.test import Client

from engage import create_app
from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.domain.conversations.threads import NewMessage, add_message, open_thread
from engage.domain.security.permissions import DISTRICT_WIDE, PUBLIC, ROLES, STRONG, has_permission
from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.engine import write_session
from engage.storage.models.checkpoints import Commitment
from engage.storage.models.jobs import Export
from engage.storage.models.mail import Mail
from engage.storage.models.paper import Keying, Packet, Sheet
from engage.storage.models.roster import OptOut
from engage.storage.models.schools import Household
from engage.storage.models.staff import Organisation, Passkey, StaffSession
from engage.storage.models.wave_drafts import WaveDraft
from engage.web.auth.sessions import digest
from engage.web.permissions import MARK
from tests.conftest import close
from tests.hygiene import read
from tests.makers import PASSWORD, a_school, a_wave, printed_sheets, staff

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

STRANGER = "stranger"
PLACES = {"own": "lincoln", "foreign": "cedar"}
WAVES = {"own": "fall", "foreign": "away"}

# Parameters of URLs. Things of a school are "not found" to staff of other schools, and a person's own things to all
# others; everything else belongs to the whole district.
OF_A_SCHOOL = {"school_id", "wave_id", "thread_id", "serial", "run_id", "packet_id", "name", "household_id"}
OF_A_PERSON = {"session_id", "key_id", "export_id", "draft_id"}
OF_THE_DISTRICT = {
    "action": "save",
    "checkpoint_id": "meeting",
    "number": "1",
    "staff_id": "spare",
    "organisation_id": "1",
    "deed": "on",
    "tag": "es",
    "slug": "home-access",
    "step": "dates",
    "statement": "who_asks",
    "id": "letter",
    "provider": "nobody",
    "token": "none",
}

# Responses to permitted requests that are not a page, a form error, or a redirect.
OTHERWISE = {
    "GET /staff/administration/roster/<token>": {404},  # no uploaded roster is waiting
    "GET /staff/administration/roster/<token>/refused.csv": {404},
    "POST /staff/administration/roster/<token>/drop": {404},
    "POST /staff/administration/roster/<token>/import": {404},
    "POST /staff/district/waves/<wave_id>/answered/<school_id>/answers": {404},  # the form names no household
    "POST /staff/district/waves/<wave_id>/codes/households": {400},  # the form is empty
    "GET /staff/district/waves/<wave_id>/bursts": {404},  # families enter that wave with codes
    "POST /staff/district/waves/<wave_id>/bursts": {404},
    "GET /staff/district/waves/<wave_id>/events": {404},
    "POST /staff/district/waves/<wave_id>/events": {404},
    "GET /staff/district/waves/<wave_id>/slips": {404},  # families answer that wave
    "POST /staff/district/waves/<wave_id>/slips": {404},
    "POST /staff/district/waves/<wave_id>/slips/notice": {404},
    "GET /staff/district/waves/<wave_id>/slips/<school_id>/students.csv": {404},
    "POST /staff/liaison/keying/sheets/<serial>/autosave": {204},
    "POST /staff/liaison/keying/papers/<name>/autosave": {204},
    "GET /staff/sso/<provider>": {404},  # no provider is configured
    "GET /staff/sso/<provider>/callback": {404},
    "GET /staff/welcome/<token>": {410},  # the link is invalid
    "POST /staff/welcome/<token>": {410},
}

# A packet's page is open to more people than its file, unless they requested it; these were made by the command line.
NARROWER = {
    "/staff/liaison/packets/<packet_id>.pdf": "print for households",
    "/staff/liaison/packets/<packet_id>/cancel": "print for households",
    "/staff/liaison/packets/<packet_id>/again": "print for households",
}


@dataclass(frozen=True)
class Case:
    """One request, by a role, at a place."""

    method: str
    rule: str
    permission: str
    names: frozenset[str]
    role: str
    place: str

    def __str__(self) -> str:
        return f"{self.method} {self.rule} ({self.permission}) by a {self.role}, {self.place}"


def cases(app: Any) -> Iterator[Case]:
    """Yield each route, method, and role, also at another school if the URL has one. Signing out is last."""
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule == "/staff/logout", rule.rule))
    for rule in rules:
        permission = getattr(app.view_functions[rule.endpoint], MARK)
        names = frozenset(rule.arguments)
        places = ("own", "foreign") if names & (OF_A_SCHOOL | OF_A_PERSON) else ("own",)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            for role in (*sorted(ROLES), STRANGER):
                yield from (Case(method, rule.rule, permission, names, role, place) for place in places)


def expected(case: Case, settings: Settings) -> str:
    """Return what the permission requires: in, login, refused, hidden, or second step."""
    if case.permission == PUBLIC:
        return "in"
    if case.role == STRANGER:
        return "login"
    if not has_permission([case.role], case.permission):
        return "refused"
    if not has_permission([case.role], NARROWER.get(case.rule, case.permission)):
        return "refused"
    if case.permission in STRONG and settings.second_factor == "required":
        return "second step"
    foreign = case.place == "foreign"
    if foreign and (case.names & OF_A_PERSON or (case.names & OF_A_SCHOOL and case.role not in DISTRICT_WIDE)):
        return "hidden"
    return "in"


def came(case: Case, answer: Any) -> str:
    """Return the same for the actual response."""
    status, where = answer.status_code, answer.headers.get("Location", "")
    if status == 302 and where.startswith("/staff/login?") and case.permission != PUBLIC:
        return "login"
    if status == 302 and where.startswith("/staff/me/second-factor?next="):
        return "second step"
    if status == 403:
        return "second step" if "requires a second step" in answer.text else "refused"
    if status in OTHERWISE.get(f"{case.method} {case.rule}", {200, 302, 303, 409, 422}):
        return "in"
    return "hidden" if status == 404 else f"{status}"


@pytest.fixture
def things(engine: Engine, today: date) -> SimpleNamespace:
    """Two schools, a person of each role at the first, and one of each thing that a URL can contain."""
    with write_session(engine) as session:
        made = _things(session, today)
        session.commit()
    return made


def _things(session: Session, today: date) -> SimpleNamespace:
    schools = {"own": a_school(session), "foreign": a_school(session, "cedar", "Cedar Middle School")}
    people = {
        role: staff(session, role, [schools["own"]] if role == "liaison" else [], f"{role}@district.example").id
        for role in sorted(ROLES)
    }
    spare = staff(session, "liaison", [schools["foreign"]], "spare@district.example")
    session.add(Organisation(id=1, name="Harbor House"))
    now = datetime.combine(today, datetime.min.time())
    session.add(Mail(id="a" * 32, kind="invitation", sealed=b"", written_at=now))
    found: dict[str, dict[str, str]] = {name: {} for name in OF_A_SCHOOL}
    for place, school in schools.items():
        wave = a_wave(session, WAVES[place], [school], entry="code", identity="confidential")
        (serial,) = printed_sheets(session, wave, spare, 1, school=school.id)
        run = session.get_one(Sheet, serial).run_id
        said = {"text": "When?", "language": "es", "today": today, "rng": Random(place)}
        about = {"wave_id": wave.id, "school_id": school.id, "kind": "question"}
        thread = open_thread(session.connection(), **about, **said)
        message = NewMessage("staff", "Soon.", "es", staff_id=spare.id)
        add_message(session.connection(), thread, message, today=today, rng=said["rng"])
        home = Household(id=f"{place:0>32}", school_id=school.id, language="es")
        session.add(home)
        paper = _keyed(session, wave.id, school.id, spare.id, today)
        known = {
            "school_id": school.id,
            "wave_id": wave.id,
            "thread_id": thread,
            "serial": serial,
            "run_id": run,
            "packet_id": _packet(session, wave.id, school.id, today),
            "name": paper,
        }
        for name, value in (known | {"household_id": home.id}).items():
            found[name][place] = value
    words = catalogue("en")
    meeting = create_checkpoint(session, "A meeting", today, list(WAVES.values()), words)
    meeting.commitments.append(Commitment(position=1, owner="The office"))
    return SimpleNamespace(found=found, people=people, spare=spare.id, meeting=meeting.id, now=now)


def _keyed(session: Session, wave: str, school: str, by: int, today: date) -> str:
    """Add a keyed sheet without serial; returns its name."""
    name = digest(wave)[:32]
    at = datetime.combine(today, datetime.min.time())
    given = {"wave_id": wave, "school_id": school, "language": "en", "mode": "paper", "keyed_by": by, "keyed_at": at}
    session.add(Keying(id=name, raw="{}", **given))
    session.flush()
    return name


def _packet(session: Session, wave: str, school: str, today: date) -> str:
    """Add a packet of requested blank forms; returns its id."""
    looks = {"outside": "code", "paper": "letter", "style": "standard", "arrangement": "under"}
    made = {"contents": "blanks", "asked": "{}", "classes": "{}", "state": "waiting", "made_on": today}
    packet = Packet(id=digest(wave)[:32], wave_id=wave, school_id=school, **looks, **made)
    session.add(packet)
    session.flush()
    return packet.id


@dataclass
class Desk:
    """Sends the requests to one site."""

    site: Any
    engine: Engine
    things: Any
    cookies: dict[str, str]

    def ask(self, case: Case) -> Any:
        """Return the response to a case, for a browser with this role's cookie."""
        client = Client(self.site)
        if cookie := self._cookie(case.role):
            client.set_cookie("staff", cookie, path="/")
        address = case.rule
        for name in case.names:
            value = self._value(case, name)
            address = "/".join(
                value if _is(part, name) else part.replace(f"<{name}>", value) for part in address.split("/")
            )
        assert "<" not in address, f"{case}: nobody has stated what {address} names"
        if case.method == "GET":
            return client.get(address)
        page = client.get("/staff/login" if case.role == STRANGER else "/staff/me")
        token = next(one.get("value") for one in read(page.text).all("input") if one.get("name") == "csrf_token")
        return client.post(address, data={"csrf_token": token})

    def _cookie(self, role: str) -> str:
        if role == STRANGER:
            return ""
        if role not in self.cookies:
            client = Client(self.site)
            page = read(client.get("/staff/login").text)
            token = next(one.get("value") for one in page.all("input") if one.get("name") == "csrf_token")
            form = {"csrf_token": token, "email": f"{role}@district.example", "password": PASSWORD}
            assert client.post("/staff/login", data=form).status_code == 302
            self.cookies[role] = client.get_cookie("staff").value
        return self.cookies[role]

    def _value(self, case: Case, name: str) -> str:
        if name == "household_id":
            self._opt_out(self.things.found[name][case.place])
        if name in OF_A_SCHOOL:
            return str(self.things.found[name][case.place])
        if name in OF_A_PERSON:
            owner = self.things.people.get(case.role, self.things.spare)
            return self._personal(name, owner if case.place == "own" else self.things.spare)
        stated = OF_THE_DISTRICT[name]
        return str({"meeting": self.things.meeting, "spare": self.things.spare, "letter": "a" * 32}.get(stated, stated))

    def _opt_out(self, household: str) -> None:
        """Opt out the household again, since another request may have ended that."""
        with write_session(self.engine) as session:
            session.merge(OptOut(household_id=household, recorded_on=self.things.now.date()))
            session.commit()

    def _personal(self, name: str, owner: int) -> str:
        """Return a new session or passkey of a person."""
        now = self.things.now
        with write_session(self.engine) as session:
            number = session.query(Passkey).count() + session.query(StaffSession).count() + len(self.cookies)
            if name == "export_id":
                id: Any = digest(f"{owner} {Random().random()}")[:32]
                about = {"kind": "csv", "checkpoint_id": self.things.meeting, "language": "en", "state": "waiting"}
                session.add(Export(id=id, asked_by=owner, asked_at=now, **about))
            elif name == "draft_id":
                id = digest(f"{owner} {Random().random()}")[:32]
                session.add(WaveDraft(id=id, staff_id=owner, fields="{}", changed_on=now.date()))
            elif name == "session_id":
                id = digest(f"{owner} {number} {Random().random()}")
                session.add(StaffSession(id=id, staff_id=owner, began_at=now, seen_at=now))
            else:
                key = Passkey(user_id=owner, name="key", credential_id=Random().randbytes(16), public_key=b"")
                key.backup_state, key.device_type, key.usage = False, "single_device", "first"
                key.create_datetime = key.lastuse_datetime = now
                session.add(key)
                session.flush()
                id = key.id
            session.commit()
        return str(id)


def _is(part: str, name: str) -> bool:
    return part.startswith("<") and part.rstrip(">").rpartition(":")[2].lstrip("<") == name and part.endswith(">")


@pytest.mark.parametrize("second_factor", ["offered", "required"])
def test_every_route_answers_every_role_as_its_permission_says(
    settings: Settings, engine: Engine, things: Any, clock: Callable[[], datetime], second_factor: str
) -> None:
    settings = replace(settings, second_factor=second_factor, base_url="http://localhost")
    site = create_app(settings, clock)
    desk = Desk(site, engine, things, {})
    wrong, answers, seen = [], Counter[str](), set()
    for case in cases(site.staff):
        if case.rule == "/staff/logout":
            desk.cookies.pop(case.role, None)  # another request ended the session, or this one will
        got, wanted = came(case, desk.ask(case)), expected(case, settings)
        answers[wanted] += 1
        seen.add((case.method, case.rule))
        if got != wanted:
            wrong.append(f"{case}: {wanted}, but {got}")
    close(site)
    roles = len(ROLES) + 1
    print(f"\n{second_factor}: {len(seen)} routes x {roles} roles, {sum(answers.values())} requests: {dict(answers)}")
    assert not wrong, "\n".join(wrong)


def test_nothing_an_address_may_name_is_left_unstated(site: Any) -> None:
    stated = OF_A_SCHOOL | OF_A_PERSON | OF_THE_DISTRICT.keys()
    rules = list(site.staff.url_map.iter_rules())
    unstated = [rule.rule for rule in rules if not rule.arguments <= stated]
    print(f"\n{len(rules)} rules, {len(unstated)} unstated")
    assert not unstated
