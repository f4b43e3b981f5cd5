"""Codes of six digits from an authenticator app (RFC 6238), by way of Flask-Security's sealed secrets."""

from dataclasses import dataclass
from typing import Any

from flask_security.totp import Totp
from qrcode.main import QRCode

from engage.domain.security.access_codes import normalize_code
from engage.storage.models.staff import Staff
from engage.web.context import runtime

METHOD = "authenticator"
WINDOW = 30  # seconds: the code before and the code after are taken too, for clocks that differ
DIGITS = 6


class _SiteTotp(Totp):
    """Flask-Security's codes by the site's clock; each is taken once."""

    def __init__(self) -> None:
        issuer = runtime().settings.district_name.replace(":", " ")  # a colon ends the issuer's name in the address
        super().__init__({"1": runtime().secret("authenticator").hex()}, issuer)
        self._totp = self._totp.using(now=lambda: runtime().now().timestamp())

    def get_last_counter(self, user: Any) -> int:
        """The time step of the last code that was taken."""
        return _split_secret(user)[0]

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        """Take the code of this time step, and none of it or before it again."""
        user.tf_totp_secret = f"{tmatch.counter} {_split_secret(user)[1]}"


@dataclass(frozen=True, slots=True)
class AppSecret:
    """A secret as a person brings it into an app: `key` in groups of letters and digits, `address` (otpauth://), and
    the same as a QR code: an SVG path of squares of 1 in a field of `size`."""

    key: str
    address: str
    path: str
    size: int


def new_secret() -> str:
    """A new secret, sealed."""
    return str(_SiteTotp().generate_totp_secret())


def describe_secret(sealed: str, email: str) -> AppSecret:
    """A sealed secret for the person's eyes."""
    app = _SiteTotp()
    address = app.get_totp_uri(email, sealed)
    drawing: QRCode[Any] = QRCode(border=4)
    drawing.add_data(address)
    drawing.make(fit=True)
    rows = drawing.get_matrix()
    squares = [f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark]
    return AppSecret(app.get_totp_pretty_key(sealed), address, "".join(squares), len(rows))


def use_app(person: Staff, sealed: str) -> None:
    """Let the person's codes come from an app that holds this secret."""
    person.tf_totp_secret, person.tf_primary_method = f"0 {sealed}", METHOD


def has_app(person: Staff) -> bool:
    """Whether the person set up an app."""
    return bool(person.tf_totp_secret)


def forget_app(person: Staff) -> None:
    """Take the app away."""
    person.tf_totp_secret = person.tf_primary_method = None


def verify_code(person: Staff, typed: str) -> bool:
    """Whether this is the code of now, and was not used before. Written on the person: commit it."""
    token = _digits(typed)
    if not has_app(person) or len(token) != DIGITS:
        return False
    user: Any = person  # Flask-Security wants its own kind of user, and only hands it back
    return bool(_SiteTotp().verify_totp(token, _split_secret(person)[1], user, window=WINDOW))


def _split_secret(person: Staff) -> tuple[int, str]:
    """The last time step used, and the sealed secret."""
    last, _, sealed = (person.tf_totp_secret or "").partition(" ")
    return int(last or 0), sealed


def _digits(typed: str) -> str:
    """The digits of any script; a letter makes it no code."""
    digits = normalize_code(typed[:40])
    return digits if digits.isascii() and digits.isdecimal() else ""
