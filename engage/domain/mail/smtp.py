"""Delivery of one email to a mail server (RFC 5321), with contents escaped so that they cannot change the format (RFC
5322)."""

import re
import smtplib
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from engage.base.config import Settings
from engage.domain.mail.outbox import OutgoingMail

TIMEOUT = 15.0  # seconds the server may be silent
DEADLINE = 90.0  # seconds for a whole email, so that a server that responds very slowly does not block others
PORTS = {"starttls": 587, "tls": 465, "none": 25}
LONGEST_SUBJECT = 200  # characters
LONGEST_ADDRESS = 254  # octets, RFC 5321 with its erratum 1690
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
POLICY = SMTP.clone(cte_type="7bit")  # no mail server on the way needs to support 8 bits


class MailRejected(Exception):
    """The email can never be sent. The message is the server's response, without the address."""


class MailDeferred(Exception):
    """The email could not be sent now. The message says why."""


class MailSettingProblem(Exception):
    """A mail setting that cannot be used. The message names the setting and the remedy."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server for submission. `security` is starttls, tls, or none; `own_host` is the name of this site in
    ids."""

    host: str
    port: int
    security: str
    user: str
    password: str
    sender: str
    own_host: str

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """Return the mail server of the settings, or None if there is none. Raises MailSettingProblem."""
        if not settings.mail_server:
            return None
        try:
            place = urlsplit("//" + settings.mail_server)
            host, port = place.hostname, place.port or PORTS[settings.mail_security]
        except ValueError:
            host, port = None, 0
        if not host or "/" in settings.mail_server or "@" in settings.mail_server:
            raise MailSettingProblem(f"ENGAGE_MAIL_SERVER must be host or host:port, not {settings.mail_server!r}")
        sender_host = _to_ascii_host(urlsplit(settings.base_url).hostname or "localhost")
        sender = settings.mail_from or f"engage@{sender_host}"
        if _parse_address(sender) is None:
            raise MailSettingProblem(f"ENGAGE_MAIL_FROM must be an e-mail address, not {sender!r}")
        account = (settings.mail_security, settings.mail_user, settings.mail_password)
        return cls(host, port, *account, sender, sender_host)


def build_message(letter: OutgoingMail, id: str, server: MailServer, sender_name: str, now: datetime) -> EmailMessage:
    """Build the email in plain text. No content can become a header. Raises MailRejected for an invalid address."""
    to = _parse_address(letter.to)
    if to is None:
        raise MailRejected("this is not an e-mail address that letters can be sent to")
    message = EmailMessage(POLICY)
    message["From"] = Address(_single_line(sender_name), addr_spec=server.sender)
    message["To"] = to
    message["Subject"] = _single_line(letter.subject)[:LONGEST_SUBJECT] or "-"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(id, server.own_host)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: suppresses automatic replies
    message.set_content(_body_lines(letter.text), charset="utf-8")
    return message


def message_id(id: str, host: str) -> str:
    """Return the Message-ID, which is the same in every attempt, so that a receiver recognizes duplicates."""
    return f"<{id}@{f'[IPv6:{host}]' if ':' in host else host}>"


def submit_message(message: EmailMessage, server: MailServer, accepted: Callable[[], None]) -> None:
    """Submit a message. `accepted` is called at the moment the server accepts it. Raises MailRejected, MailDeferred."""
    to = message["To"].addresses[0].addr_spec
    try:
        with _Deadline() as deadline:
            line = _connect(server, deadline)
            try:
                line.sendmail(server.sender, [to], message.as_bytes())
                accepted()
            finally:
                _disconnect(line)
    except (smtplib.SMTPException, OSError, UnicodeError) as problem:
        raise _classify_error(problem, to) from problem


def check_connection(server: MailServer) -> None:
    """Connect, and sign in if configured, without sending a message. Raises MailDeferred."""
    try:
        with _Deadline() as deadline:
            _disconnect(_connect(server, deadline))
    except (smtplib.SMTPException, OSError, UnicodeError) as problem:
        raise _classify_error(problem, "") from problem


def _connect(server: MailServer, deadline: "_Deadline") -> smtplib.SMTP:
    context = ssl.create_default_context() if server.security != "none" else None
    name = _address_literal(server.own_host)  # otherwise smtplib looks up our host name by DNS, which may be slow
    if server.security == "tls":
        line: smtplib.SMTP = smtplib.SMTP_SSL(local_hostname=name, timeout=TIMEOUT, context=context)
    else:
        line = smtplib.SMTP(local_hostname=name, timeout=TIMEOUT)
    line._host = server.host  # type: ignore[attr-defined]  # the name its certificate is checked for
    try:
        deadline.watch(line)
        code, words = line.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)
        if server.security == "starttls":
            line.starttls(context=context)
        if server.user:
            line.login(server.user, server.password)
    except BaseException:
        _disconnect(line)
        raise
    return line


def _disconnect(line: smtplib.SMTP) -> None:
    """Close the connection. Errors here do not affect the email."""
    with suppress(smtplib.SMTPException, OSError):
        line.quit()
    with suppress(OSError):
        line.close()


class _Deadline:
    """Shuts down the connection when an email takes longer than DEADLINE."""

    def __init__(self) -> None:
        self._timer = threading.Timer(DEADLINE, self._cut)
        self._timer.daemon = True
        self._line: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, line: smtplib.SMTP) -> None:
        self._line = line

    def _cut(self) -> None:
        if self._line is not None and self._line.sock is not None:
            with suppress(OSError):
                self._line.sock.shutdown(2)


def _classify_error(problem: Exception, to: str) -> MailRejected | MailDeferred:
    """Return the error with the server's text. MailRejected is a permanent refusal of this recipient or this email."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(problem.recipients.values()))
        return _error_by_code(code, words, to)
    if isinstance(problem, smtplib.SMTPDataError):
        return _error_by_code(problem.smtp_code, problem.smtp_error, to)
    if isinstance(problem, smtplib.SMTPResponseException):
        return MailDeferred(_server_sentence(problem.smtp_code, problem.smtp_error, to))
    if isinstance(problem, smtplib.SMTPNotSupportedError):
        return MailDeferred(
            f"the mail server does not offer what the settings ask for: {_redact_sentence(str(problem), to)}"
        )
    if isinstance(problem, TimeoutError) or isinstance(problem.__context__, TimeoutError):
        return MailDeferred(f"the mail server was silent for {TIMEOUT:.0f} seconds")
    return MailDeferred(
        f"the mail server cannot be reached: {_redact_sentence(str(problem) or type(problem).__name__, to)}"
    )


def _error_by_code(code: int, words: bytes | str, to: str) -> MailRejected | MailDeferred:
    sentence = _server_sentence(code, words, to)
    return MailRejected(sentence) if 500 <= code <= 599 else MailDeferred(sentence)


def _server_sentence(code: int, words: bytes | str, to: str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {_redact_sentence(text, to)}"


def _redact_sentence(sentence: str, to: str) -> str:
    """Return a server's text on one line without the recipient's address, since problems are stored unencrypted."""
    return re.sub(re.escape(to), "…", _single_line(sentence), flags=re.IGNORECASE) if to else _single_line(sentence)


def _parse_address(text: str) -> Address | None:
    """Return the address of one recipient for headers and server; None if it is invalid or not ASCII before the @,
    which few servers accept (RFC 6531)."""
    if CONTROLS.search(text) or len(text.encode("utf-8", "replace")) > LONGEST_ADDRESS:
        return None
    try:
        address = Address(addr_spec=text.strip())
        domain = address.domain.encode("idna").decode("ascii")
        return Address(username=address.username, domain=domain) if address.username and domain else None
    except (ValueError, MessageError, IndexError, AttributeError, TypeError):
        return None


def _to_ascii_host(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return "localhost"


def _single_line(text: str) -> str:
    return CONTROLS.sub(" ", _without_surrogates(text)).strip()


def _body_lines(text: str) -> str:
    return (
        "\n".join(re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", line) for line in _without_surrogates(text).splitlines())
        + "\n"
    )


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be encoded


def _address_literal(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[{host}]" if address.version == 4 else f"[IPv6:{host}]"
