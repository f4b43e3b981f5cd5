"""Passkeys (W3C Web Authentication), created and verified with py_webauthn. The device verifies a fingerprint, a face
or a PIN, so a passkey alone is enough to sign in."""

import hashlib
import ipaddress
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import session as cookie
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import base64url_to_bytes, parse_registration_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from engage.storage.engine import read_session
from engage.storage.models.staff import Passkey, Staff
from engage.web.auth.sessions import naive_utc
from engage.web.context import runtime
from engage.web.page_language import gettext

PATIENCE = timedelta(minutes=10)  # for a person to find the security key
CHALLENGES_KEY = "asked"  # in the cookie: digests of the challenges that this browser may still answer, each once
OPEN = 5  # pages with a challenge that a browser may have open
CHALLENGE = 32  # random bytes
HANDLE = 32  # random bytes, as hex the 64 that the column holds
NAME_MOST = 64  # characters
MOST = 20  # passkeys of one person
LONGEST = 20_000  # characters of a response; the longest valid one, with an attestation, is below 8,000
VERIFIED = UserVerificationRequirement.REQUIRED  # fingerprint, face or PIN: the second factor beside the device


class PasskeyRefused(Exception):
    """The browser's response is not valid. All errors from untrusted bytes become this one: the parsers (JSON, CBOR,
    ASN.1, elliptic curves) raise many types."""


class PasskeyExpired(PasskeyRefused):
    """The page was open for longer than `PATIENCE`. Nothing is wrong with the passkey."""


class PasskeyCopied(PasskeyRefused):
    """The response is signed with the right key, but the authenticator's counter did not go up: two devices have the
    key (W3C Web Authentication, section 6.1.1)."""

    def __init__(self, person_id: int, name: str) -> None:
        """`name` is the passkey's."""
        super().__init__(person_id)
        self.person_id, self.name = person_id, name


@dataclass(frozen=True, slots=True)
class PasskeyRequest:
    """The data of a page for the browser: the options (JSON) and a token that proves that this site created them."""

    options: str
    token: str


def expiry_message() -> str:
    """The sentence for a page that was open for longer than `PATIENCE`."""
    minutes = int(PATIENCE.total_seconds() // 60)
    # translators: a page that asks for a passkey is good for some minutes only; the passkey itself is fine
    return gettext(
        "This page was open for more than %(minutes)s minutes, so your passkey was not used. Try again.",
        minutes=minutes,
    )


def can_use_passkeys() -> bool:
    """Whether browsers can store passkeys for this site, which requires a domain name, not an IP address."""
    try:
        ipaddress.ip_address(_host())
    except ValueError:
        return True
    return False


def request_registration(person: Staff, handle: str) -> PasskeyRequest:
    """Create a request to register a passkey for a person. `handle` identifies the person to the browser."""
    challenge = secrets.token_bytes(CHALLENGE)
    options = generate_registration_options(
        rp_id=_host(),
        rp_name=runtime().settings.district_name,
        user_id=handle.encode(),
        user_name=person.email,
        user_display_name=person.name or person.email,
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(each.credential_id) for each in person_keys(person)],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED
        ),
    )
    return PasskeyRequest(options_to_json(options), _make_token("new", challenge, handle))


def request_authentication() -> PasskeyRequest:
    """Create a request for any passkey of this site."""
    challenge = secrets.token_bytes(CHALLENGE)
    options = generate_authentication_options(rp_id=_host(), challenge=challenge, user_verification=VERIFIED)
    return PasskeyRequest(options_to_json(options), _make_token("use", challenge, ""))


def store_passkey(session: Session, person: Staff, name: str, token: str, answer: str) -> Passkey:
    """Store the passkey that a browser created. Raises PasskeyRefused, PasskeyExpired."""
    challenge = _redeem_challenge("new", token, person.fs_webauthn_user_handle or "")
    try:
        credential = parse_registration_credential_json(answer[:LONGEST])
        checked = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_host(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except Exception as problem:
        raise PasskeyRefused from problem
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == checked.credential_id)):
        raise PasskeyRefused
    now = naive_utc(runtime().now())
    key = Passkey(
        user_id=person.id,
        name=name,
        credential_id=checked.credential_id,
        public_key=checked.credential_public_key,
        sign_count=checked.sign_count,
        transports=",".join(each.value for each in credential.response.transports or []) or None,
        backup_state=checked.credential_backed_up,
        device_type=checked.credential_device_type.value,
        usage="first",
        create_datetime=now,
        lastuse_datetime=now,
    )
    session.add(key)
    return key


def authenticate_person(session: Session, token: str, answer: str) -> Staff:
    """The person whose passkey responded. Updates the passkey: commit afterwards. Raises PasskeyRefused, and of its
    kinds PasskeyExpired and PasskeyCopied."""
    challenge = _redeem_challenge("use", token, "")
    credential, id = _parse_answer(answer)
    key = session.scalar(select(Passkey).where(Passkey.credential_id == id).with_for_update())
    person = session.get(Staff, key.user_id) if key else None
    if key is None or person is None or not person.active:
        raise PasskeyRefused
    try:
        _require_same_handle(person, credential)
        checked = _verify_answer(key, challenge, credential)
    except Exception as problem:
        raise PasskeyRefused from problem
    if key.sign_count and checked.new_sign_count <= key.sign_count:
        raise PasskeyCopied(person.id, key.name)
    key.sign_count, key.backup_state = checked.new_sign_count, checked.credential_backed_up
    key.lastuse_datetime = naive_utc(runtime().now())
    return person


def _parse_answer(answer: str) -> tuple[dict[str, Any], bytes]:
    try:
        credential: Any = json.loads(answer[:LONGEST])
        return credential, base64url_to_bytes(str(credential["rawId"]))
    except Exception as problem:
        raise PasskeyRefused from problem


def person_keys(person: Staff) -> list[Passkey]:
    """A person's passkeys, oldest first."""
    with read_session(runtime().engine) as session:
        return keys_of(session, person.id)


def keys_of(session: Session, staff_id: int) -> list[Passkey]:
    """A person's passkeys, oldest first."""
    return list(session.scalars(select(Passkey).where(Passkey.user_id == staff_id).order_by(Passkey.id)))


def new_handle() -> str:
    """A new user handle: random, so that it reveals nothing about the person."""
    return secrets.token_hex(HANDLE)


def _verify_answer(key: Passkey, challenge: bytes, credential: dict[str, Any]) -> VerifiedAuthentication:
    return verify_authentication_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=_host(),
        expected_origin=_origin(),
        credential_public_key=key.public_key,
        credential_current_sign_count=0,  # the library compares before it checks the signature; see the caller
        require_user_verification=True,
    )


def _require_same_handle(person: Staff, credential: dict[str, Any]) -> None:
    handle = base64url_to_bytes(str(credential["response"]["userHandle"]))
    if handle != (person.fs_webauthn_user_handle or "").encode():
        raise PasskeyRefused


def _make_token(purpose: str, challenge: bytes, handle: str) -> str:
    until = int((runtime().now() + PATIENCE).timestamp())
    challenges = cookie.get(CHALLENGES_KEY, [])
    cookie[CHALLENGES_KEY] = [*challenges[1 - OPEN :], _challenge_digest(challenge)]
    return str(_signer().dumps([purpose, challenge.hex(), handle, until]))


def _redeem_challenge(purpose: str, token: str, handle: str) -> bytes:
    try:
        payload = _signer().loads(token)
    except BadData as problem:
        raise PasskeyRefused from problem
    if payload[0] != purpose or payload[2] != handle:
        raise PasskeyRefused
    if payload[3] < runtime().now().timestamp():
        raise PasskeyExpired
    challenge = bytes.fromhex(payload[1])
    challenges = cookie.get(CHALLENGES_KEY, [])
    if _challenge_digest(challenge) not in challenges:
        raise PasskeyRefused
    cookie[CHALLENGES_KEY] = [each for each in challenges if each != _challenge_digest(challenge)]
    return challenge


def _challenge_digest(challenge: bytes) -> str:
    return hashlib.sha256(challenge).hexdigest()[:32]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(runtime().secret("passkey challenges"))


def _host() -> str:
    """The host of the site's own address, never the one in a request."""
    return urlsplit(runtime().settings.base_url).hostname or ""


def _origin() -> str:
    parts = urlsplit(runtime().settings.base_url)
    return f"{parts.scheme}://{parts.netloc}"
