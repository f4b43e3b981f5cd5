"""Six-digit codes from an authenticator app (RFC 6238), verified with pyotp."""

import logging
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import pyotp
from pyotp.exceptions import OTPVerificationError
from qrcode.main import QRCode

from engage.domain.security.access_codes import normalize_code
from engage.domain.security.encryption import SealBroken
from engage.domain.security.totp_secrets import is_passlib_form, open_app_secret, seal_app_secret
from engage.storage.models.staff import Staff
from engage.web.context import runtime

METHOD = "authenticator"
WINDOW = 1  # time steps of 30 s: the previous and the next code are accepted too, for clocks that differ
DIGITS = 6
GROUP = 4  # characters of a secret that are shown together

log = logging.getLogger("engage.auth")


@dataclass(frozen=True, slots=True)
class AppSecret:
    """A secret to enter into an app: `key` in groups of letters and digits, `address` (otpauth://), and the same as a
    QR code: an SVG path of squares of 1 in a field of `size`."""

    key: str
    address: str
    path: str
    size: int


def new_secret() -> str:
    """A new secret, sealed."""
    return seal_app_secret(pyotp.random_base32(), runtime().key)


def describe_secret(sealed: str, email: str) -> AppSecret:
    """Open a sealed secret to show it to the person. Raises SealBroken."""
    secret = open_app_secret(sealed, runtime().key)
    issuer = runtime().settings.district_name.replace(":", " ")  # a colon would end the issuer's name in the address
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)
    drawing: QRCode[Any] = QRCode(border=4)
    drawing.add_data(address)
    drawing.make(fit=True)
    rows = drawing.get_matrix()
    squares = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark]
    return AppSecret("-".join(wrap(secret, GROUP)), address, "".join(squares), len(rows))


def use_app(person: Staff, sealed: str) -> None:
    """Set the app with this secret as the source of the person's codes."""
    person.tf_totp_secret, person.tf_primary_method = f"0 {sealed}", METHOD


def has_app(person: Staff) -> bool:
    """Whether the person set up an app."""
    return bool(person.tf_totp_secret)


def forget_app(person: Staff) -> None:
    """Remove the person's app."""
    person.tf_totp_secret = person.tf_primary_method = None


def verify_code(person: Staff, typed: str) -> bool:
    """Whether this is a current code that was not used before. Updates the person: commit afterwards."""
    token = _digits(typed)
    if not has_app(person) or len(token) != DIGITS:
        return False
    last, sealed = _split_secret(person)
    try:
        secret = open_app_secret(sealed, runtime().key)
        step = pyotp.TOTP(secret).verify_and_get_timecode(token, for_time=runtime().now(), valid_window=WINDOW)
    except SealBroken:
        log.error("the app secret of staff member %s cannot be opened: was the site's secret changed?", person.id)
        return False
    except OTPVerificationError:
        return False
    if step <= last:
        return False
    person.tf_totp_secret = f"{step} {seal_app_secret(secret, runtime().key) if is_passlib_form(sealed) else sealed}"
    return True


def _split_secret(person: Staff) -> tuple[int, str]:
    """The last time step used, and the sealed secret."""
    last, _, sealed = (person.tf_totp_secret or "").partition(" ")
    return int(last or 0), sealed


def _digits(typed: str) -> str:
    """The digits, from any script; empty if there is a letter."""
    digits = normalize_code(typed[:40])
    return digits if digits.isascii() and digits.isdecimal() else ""
