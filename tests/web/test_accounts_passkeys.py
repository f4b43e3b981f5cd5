"""Passkeys with a software authenticator, which can also misbehave."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given
from hypothesis import settings as testing
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from engage import create_app
from engage.base.config import Settings
from engage.domain.mail.outbox import OutgoingMail, open_mail
from engage.domain.security.encryption import Sealer, load_keys
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.mail import Mail
from engage.storage.models.staff import Passkey, Staff
from tests.conftest import close
from tests.hygiene import Element
from tests.makers import PASSWORD, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

EMAIL, OTHER = "ada@district.example", "ben@district.example"
ORIGIN, HOST = "http://engage.sites.district.example", "engage.sites.district.example"
PAGE = "/staff/me/second-factor/passkey"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Device:
    """An authenticator with one passkey (W3C WebAuthn level 3, sections 6.1 and 6.5)."""

    origin: str = ORIGIN
    host: str = HOST
    flags: int = PRESENT | VERIFIED
    count: int = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: str = ""

    def makes(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the result of navigator.credentials.create()."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        held = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        made = {"fmt": "none", "attStmt": {}, "authData": self._data(self.flags | ATTESTED) + held}
        told = {"attestationObject": b64(cbor2.dumps(made)), "clientDataJSON": self._client("create", options)}
        return self._answer(told | {"transports": ["internal"]})

    def opens(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the result of navigator.credentials.get()."""
        self.count += 1
        data, client = self._data(self.flags), self._client("get", options)
        signed = data + hashlib.sha256(base64.urlsafe_b64decode(client + "==")).digest()
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256()))
        told = {"authenticatorData": b64(data), "clientDataJSON": client, "signature": b64(signature)}
        return self._answer(told | {"userHandle": self.handle})

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any]) -> str:
        told = {"type": f"webauthn.{kind}", "challenge": options["challenge"], "origin": self.origin}
        return b64(json.dumps(told).encode())

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": response}


@pytest.fixture
def door(settings: Settings, engine: Engine, moment: list[datetime]) -> Iterator[Any]:
    """A site with a host name that passkeys accept."""
    with write_session(engine) as session:
        staff(session, "leader", email=EMAIL)
        staff(session, "leader", email=OTHER)
        session.commit()
    made = create_app(replace(settings, base_url=ORIGIN, second_factor="required"), lambda: moment[0])
    yield made
    close(made)


def comes(door: Any) -> StaffMember:
    return StaffMember(door, ORIGIN)


def form(person: StaffMember) -> Element:
    return next(one for one in person.page.all("form") if "data-passkey" in one.attributes)


def options(person: StaffMember) -> dict[str, Any]:
    return dict(json.loads(form(person).attributes["data-options"]))


def registers(door: Any, device: Device, email: str = EMAIL, status: int = 200) -> StaffMember:
    person = comes(door).signs_in(email, PASSWORD)
    person.opens(PAGE)
    answer = json.dumps(device.makes(options(person)))
    return person.sends(button="Create a passkey", name="My phone", credential=answer, status=status)


def opens(door: Any, device: Device, status: int = 200, **more: Any) -> StaffMember:
    person = comes(door).opens("/staff/login?next=/staff/me")
    answer = json.dumps(device.opens(options(person)))
    return person.sends(button="Sign in with a passkey", status=status, **{"credential": answer} | more)


def keys(engine: Engine) -> list[Passkey]:
    with read_session(engine) as session:
        return list(session.scalars(select(Passkey)))


def test_one_is_made_and_is_enough(door: Any, engine: Engine) -> None:
    device = Device()
    registers(door, device).sees("They are shown only once")
    person = opens(door, device)
    assert person.path == "/staff/me"
    person.sees("Passkey", "You have 1 passkey.", "this browser")
    (key,) = keys(engine)
    assert (key.name, key.sign_count, key.transports, key.usage) == ("My phone", 1, "internal", "first")
    half = comes(door).opens("/staff/login").sends(email=EMAIL, password=PASSWORD)
    half.sees("One more step")


@pytest.mark.parametrize(
    "device",
    [
        Device(origin="http://engage.sites.district.example.evil.example"),
        Device(origin="https://engage.sites.district.example"),
        Device(host="evil.example"),
        Device(flags=PRESENT),
        Device(flags=VERIFIED),
    ],
    ids=["another site", "another scheme", "another host", "nobody verified", "nobody there"],
)
def test_what_proves_nothing_is_not_kept(door: Any, engine: Engine, device: Device) -> None:
    registers(door, device, status=422).sees("did not create a passkey that we can use")
    assert keys(engine) == []
    good = Device()
    registers(door, good)
    wrong = replace(device, id=good.id, key=good.key, handle=good.handle)
    opens(door, wrong, status=422).sees("This passkey does not open an account here.")


def test_another_key_behind_a_known_id_opens_nothing(door: Any) -> None:
    device = Device()
    registers(door, device)
    thief = Device(id=device.id, handle=device.handle)
    opens(door, thief, status=422)


def copies(engine: Engine) -> list[tuple[str, str, str]]:
    """The entries of the audit log about copied passkeys."""
    with read_session(engine) as session:
        found = session.scalars(select(AuditEvent).where(AuditEvent.deed == "refuse passkey"))
        return [(each.actor, each.about, each.detail) for each in found]


def letters(engine: Engine, settings: Settings) -> list[OutgoingMail]:
    """The messages about copied passkeys."""
    open_ = Sealer(load_keys(settings)).open
    with read_session(engine) as session:
        found = session.scalars(select(Mail).where(Mail.kind == "passkey refused"))
        return [open_mail(each, open_) for each in found]


@pytest.mark.parametrize("behind", [0, 1, 4])
def test_a_copied_key_is_noticed_by_its_count_and_its_owner_is_told(
    door: Any, engine: Engine, settings: Settings, behind: int
) -> None:
    device = Device()
    registers(door, device)
    for _ in range(5):
        opens(door, device)
    opens(door, replace(device, count=device.count - 1 - behind), status=422).sees(
        "This passkey does not open an account here."
    )
    assert copies(engine) == [(EMAIL, EMAIL, '{"passkey":"My phone"}')]
    (letter,) = letters(engine, settings)
    assert (letter.to, letter.subject) == (EMAIL, "A passkey for Our school district family surveys was refused")
    assert "“My phone”" in letter.text
    opens(door, device)
    assert keys(engine)[0].sign_count == device.count == 6


def test_the_owner_of_a_copied_key_is_told_once_an_hour(
    door: Any, engine: Engine, settings: Settings, moment: list[datetime]
) -> None:
    device = Device()
    registers(door, device)
    copied = replace(device)
    opens(door, device)
    for minutes, expected in ((0, 1), (59, 1), (61, 2)):
        moment[0] += timedelta(minutes=minutes)
        opens(door, replace(copied), status=422)
        assert len(letters(engine, settings)) == expected
    assert len(copies(engine)) == 3


def test_who_only_knows_the_id_of_a_key_raises_no_alarm(door: Any, engine: Engine, settings: Settings) -> None:
    device = Device()
    registers(door, device)
    opens(door, device)
    opens(door, Device(id=device.id, handle=device.handle), status=422)
    opens(door, replace(device, count=0, origin="http://evil.example"), status=422)
    assert (copies(engine), letters(engine, settings)) == ([], [])


def test_a_device_that_does_not_count_is_no_copy(door: Any, engine: Engine) -> None:
    device = Device()
    registers(door, device)
    for _ in range(3):
        opens(door, replace(device, count=-1))
    assert copies(engine) == []


def test_the_handle_must_be_the_owners(door: Any) -> None:
    device = Device()
    registers(door, device)
    opens(door, replace(device, handle=b64(b"somebody else")), status=422)


def test_an_old_answer_opens_nothing(door: Any, moment: list[datetime]) -> None:
    device = Device()
    registers(door, device)
    person = comes(door).opens("/staff/login")
    answer = json.dumps(device.opens(options(person)))
    moment[0] += timedelta(minutes=11)
    person.sends(button="Sign in with a passkey", credential=answer, status=422)


def test_a_page_that_was_open_too_long_says_so_and_asks_again(
    door: Any, engine: Engine, moment: list[datetime]
) -> None:
    device = Device()
    registers(door, device)
    person = comes(door).opens("/staff/login?next=/staff/me/second-factor")
    before = options(person)
    moment[0] += timedelta(minutes=10, seconds=1)
    person.sends(button="Sign in with a passkey", credential=json.dumps(device.opens(before)), status=422)
    person.sees("This page was open for more than 10 minutes, so your passkey was not used. Try again.")
    person.sees_no("does not open an account")
    assert options(person)["challenge"] != before["challenge"]
    person.sends(button="Sign in with a passkey", credential=json.dumps(device.opens(options(person))))
    assert person.path == "/staff/me/second-factor"
    assert copies(engine) == []


def test_a_second_step_that_was_open_too_long_says_so(door: Any, moment: list[datetime]) -> None:
    device = Device()
    registers(door, device)
    half = comes(door).opens("/staff/login").sends(email=EMAIL, password=PASSWORD)
    answer = json.dumps(device.opens(options(half)))
    moment[0] += timedelta(minutes=11)
    half.sends(button="Sign in with a passkey", credential=answer, status=422).sees("open for more than 10 minutes")
    half.sends(button="Sign in with a passkey", credential=json.dumps(device.opens(options(half)))).sees("Sign out")


def test_a_passkey_that_is_made_too_late_is_asked_for_again(door: Any, engine: Engine, moment: list[datetime]) -> None:
    device = Device()
    ada = comes(door).signs_in(EMAIL, PASSWORD)
    ada.opens(PAGE)
    answer = json.dumps(device.makes(options(ada)))
    moment[0] += timedelta(minutes=11)
    ada.sends(button="Create a passkey", name="My phone", credential=answer, status=422)
    ada.sees("open for more than 10 minutes")
    ada.sends(button="Create a passkey", name="My phone", credential=json.dumps(device.makes(options(ada))))
    assert [each.name for each in keys(engine)] == ["My phone"]


def test_an_answer_is_taken_once(door: Any) -> None:
    """Even without a counter: some authenticators always report 0."""
    device = Device()
    registers(door, device)
    person = comes(door).opens("/staff/login")
    sent = {one.get("name"): one.get("value") for one in form(person).all("input") if one.get("name")}
    sent["credential"] = json.dumps(device.opens(options(person)))
    stranger = comes(door).opens("/staff/login")
    theirs = sent | {"csrf_token": stranger.field("csrf_token")}
    assert stranger.client.post("/staff/login/passkey", data=theirs, base_url=ORIGIN).status_code == 422
    assert person.client.post("/staff/login/passkey", data=sent, base_url=ORIGIN).status_code == 302
    person.opens("/staff/me").sends(button="Sign out").opens("/staff/login")
    again = sent | {"csrf_token": person.field("csrf_token")}
    assert person.client.post("/staff/login/passkey", data=again, base_url=ORIGIN).status_code == 422


def test_an_answer_to_another_page_opens_nothing(door: Any) -> None:
    device = Device()
    registers(door, device)
    heard = json.dumps(device.opens(options(comes(door).opens("/staff/login"))))
    opens(door, device, status=422, credential=heard)


def test_nobody_registers_for_another(door: Any, engine: Engine) -> None:
    device = Device()
    ada = comes(door).signs_in(EMAIL, PASSWORD)
    ada.opens(PAGE)
    token = form(ada).all("input")
    hers = next(one.attributes["value"] for one in token if one.get("name") == "token")
    answer = json.dumps(device.makes(options(ada)))
    ben = comes(door).signs_in(OTHER, PASSWORD)
    ben.opens(PAGE).sends(button="Create a passkey", name="x", token=hers, credential=answer, status=422)
    assert keys(engine) == []


def test_one_key_has_one_owner(door: Any, engine: Engine) -> None:
    device = Device()
    registers(door, device)
    registers(door, replace(device), email=OTHER, status=422)
    assert len(keys(engine)) == 1


def test_someone_who_left_is_not_let_in(door: Any, engine: Engine) -> None:
    device = Device()
    registers(door, device)
    with write_session(engine) as session:
        session.scalars(select(Staff).where(Staff.email == EMAIL)).one().active = False
        session.commit()
    opens(door, device, status=422)


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "\x00"])
def test_a_passkey_needs_a_name(door: Any, name: str) -> None:
    ada = comes(door).signs_in(EMAIL, PASSWORD)
    ada.opens(PAGE).sends(button="Create a passkey", name=name, status=422).sees("Enter a name of")


def test_two_passkeys_have_two_names_and_each_is_removed_alone(door: Any, engine: Engine) -> None:
    first, second = Device(), Device()
    ada = registers(door, first)
    ada.opens(PAGE)
    assert options(ada)["excludeCredentials"][0]["id"] == b64(first.id)
    answer = json.dumps(second.makes(options(ada)))
    ada.sends(button="Create a passkey", name="My phone", credential=answer, status=422).sees("with this name")
    answer = json.dumps(second.makes(options(ada)))
    ada.sends(button="Create a passkey", name="My key ring", credential=answer).sees("Done.")
    ada.opens("/staff/me/second-factor").sends(button="Remove My phone").sees("no longer opens your account")
    opens(door, first, status=422)
    opens(door, second)


def test_an_address_that_is_a_number_offers_none(settings: Settings, engine: Engine, clock: Any) -> None:
    with write_session(engine) as session:
        staff(session, "leader", email=EMAIL)
        session.commit()
    made = create_app(settings, clock)
    try:
        ada = StaffMember(made).signs_in(EMAIL, PASSWORD)
        ada.opens("/staff/me/second-factor").sees("Passkeys do not work at this address")
        ada.opens(PAGE, status=404)
    finally:
        close(made)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=40).map(b64),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["attestationObject", "clientDataJSON", "authenticatorData", "signature", "userHandle", "transports"]


@pytest.mark.sqlite
@testing(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.thorough
def test_no_answer_breaks_the_page(door: Any, engine: Engine, data: st.DataObject) -> None:
    device, person = Device(handle=b64(b"x")), comes(door)
    kind, new = data.draw(st.sampled_from(["known", "junk", "text"])), data.draw(st.booleans())
    if new:
        person.signs_in(EMAIL, PASSWORD).opens(PAGE)
    else:
        person.opens("/staff/login")
    answer: Any = device.makes(options(person)) if new else device.opens(options(person))
    if kind == "known":
        answer["response"][data.draw(st.sampled_from(FIELDS))] = data.draw(JUNK)
    else:
        answer = data.draw(JUNK if kind == "junk" else st.text(max_size=50))
    sent = {one.attributes["name"]: one.get("value") or "" for one in form(person).all("input")}
    sent |= {"credential": answer if isinstance(answer, str) else json.dumps(answer)}
    sent |= {"name": secrets.token_hex(4)} if new else {}
    place = {"REMOTE_ADDR": f"192.0.2.{secrets.randbelow(250)}"}  # otherwise there are too many tries
    address = form(person).attributes["action"]
    answered = person.client.post(address, data=sent, base_url=ORIGIN, environ_base=place)
    assert answered.status_code in (200, 302, 422), answered.text
    with write_session(engine) as session:
        session.execute(delete(Passkey))  # an unreadable passkey does not affect a valid one
        session.commit()
