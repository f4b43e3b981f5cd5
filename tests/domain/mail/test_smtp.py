"""An email arrives as written, and its content cannot become anything but text."""

import smtplib
import socket
import ssl
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from engage.base.config import Settings
from engage.domain.mail import smtp
from engage.domain.mail.outbox import OutgoingMail
from engage.domain.mail.smtp import (
    MailDeferred,
    MailRejected,
    MailServer,
    MailSettingProblem,
    build_message,
    submit_message,
)
from tests.postbox import Postbox, a_postbox

pytestmark = pytest.mark.slow

NOW = datetime(2026, 10, 14, 18, 30, tzinfo=UTC)
ID = "0123456789abcdef" * 2
LINK = "https://engage.sites.district.example/es/c/" + "abc-" * 30
LETTER = OutgoingMail(
    "ana@district.example", "Bienvenida — مرحبا 你好", f"Hola Ana,\n\n{LINK}\n\n.\nمرحبا\n从这里开始\n"
)
HOSTILE = [
    "a@b.example\r\nBcc: x@evil.example",
    "a@b.example\nRCPT TO:<x@evil.example>",
    "a@b.example, x@evil.example",
    "a@b.example;x@evil.example",
    "<a@b.example> x@evil.example",
    "Ana <a@b.example>",
    "a@b.example\x00",
    "a b@c.example",
    "@b.example",
    "a@",
    "",
    "nobody",
    "a" * 300 + "@b.example",
    "a@" + "b" * 70 + ".example",
    "undisclosed-recipients:;",
    "\ud800@b.example",
    "añá@b.example",
]
WORDS = ["Hello\r\nBcc: x@evil.example", "a\n\nb", "\r\n.\r\nMAIL FROM:<x>", "a\u2028b\x85c", "\x00", "", "x" * 99]


def sent(letter: OutgoingMail, server: MailServer, id: str = ID) -> list[str]:
    told: list[str] = []
    submit_message(build_message(letter, id, server, "Our district", NOW), server, lambda: told.append(id))
    return told


def test_it_arrives_as_it_was_written(postbox: Postbox, server: MailServer) -> None:
    assert sent(LETTER, server) == [ID]
    (got,) = postbox.arrived
    assert got["From"] == "Our district <surveys@district.example>"
    assert got["To"] == "ana@district.example"
    assert got["Subject"] == LETTER.subject
    assert got["Message-ID"] == f"<{ID}@engage.sites.district.example>"
    assert got["Date"].datetime == NOW
    assert got["Auto-Submitted"] == "auto-generated"
    assert got.get_content_type() == "text/plain"
    assert got.get_content_charset() == "utf-8"
    assert got.get_content().replace("\r\n", "\n") == LETTER.text
    assert postbox.receivers == ["ana@district.example"]


@pytest.mark.parametrize("to", HOSTILE)
def test_an_address_that_is_none_reaches_nobody(postbox: Postbox, server: MailServer, to: str) -> None:
    with pytest.raises(MailRejected):
        sent(replace(LETTER, to=to), server)
    assert postbox.begun == 0


@pytest.mark.parametrize("words", WORDS)
def test_words_never_become_headers(postbox: Postbox, server: MailServer, words: str) -> None:
    sent(OutgoingMail("ana@district.example", words, words), server)
    (got,) = postbox.arrived
    known = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}
    assert set(got.keys()) == known | {"Content-Type", "Content-Transfer-Encoding"}
    assert postbox.receivers == ["ana@district.example"]


@given(to=st.text() | st.just("ana@district.example"), subject=st.text(), text=st.text(), name=st.text())
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_is_one_message_to_one_receiver(to: str, subject: str, text: str, name: str) -> None:
    server = MailServer("mail", 25, "none", "", "", "surveys@district.example", "engage.sites.district.example")
    try:
        made = build_message(OutgoingMail(to, subject, text), ID, server, name, NOW)
    except MailRejected:
        assert to != "ana@district.example"
        return
    head, _, _body = made.as_bytes().partition(b"\r\n\r\n")
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")]
    assert len(names) == len(set(names)) == 9
    assert len(made["To"].addresses) == len(made["From"].addresses) == 1
    assert b"\n" not in head.replace(b"\r\n", b"")


def test_a_domain_may_have_letters_of_any_script(postbox: Postbox, server: MailServer) -> None:
    sent(replace(LETTER, to="ana@bücher.example"), server)
    assert postbox.receivers == ["ana@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("word", "answer", "kind"),
    [
        ("RCPT", "550 5.1.1 <ana@district.example>: no such person", MailRejected),
        ("RCPT", "450 4.2.1 come back later", MailDeferred),
        ("DATA", "554 5.7.1 this looks like spam", MailRejected),
        ("DATA", "452 4.3.1 out of room", MailDeferred),
    ],
)
def test_what_the_server_says_is_kept_without_the_address(
    postbox: Postbox, server: MailServer, word: str, answer: str, kind: type[Exception]
) -> None:
    postbox.answers[word] = answer
    with pytest.raises(kind) as told:
        sent(LETTER, server)
    assert str(told.value) == answer.replace("ana@district.example", "…")
    assert postbox.arrived == []


def test_a_server_that_is_not_there(server: MailServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(MailDeferred, match="cannot be reached"):
        sent(LETTER, replace(server, port=port))
    with pytest.raises(MailDeferred, match="cannot be reached"):
        sent(LETTER, replace(server, host="no-such-host.invalid"))


def test_a_server_that_says_nothing(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailDeferred, match="silent"):
        sent(LETTER, replace(server, port=silent.getsockname()[1]))


def test_a_server_that_drips(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "DEADLINE", 0.5)

    def drip() -> None:
        line, _ = dripping.accept()
        try:
            for _ in range(200):
                line.sendall(b"2")
                time.sleep(0.05)
        except OSError:
            pass
        line.close()

    with socket.create_server(("127.0.0.1", 0)) as dripping:
        thread = threading.Thread(target=drip)
        thread.start()
        start = time.monotonic()
        with pytest.raises(MailDeferred):
            sent(LETTER, replace(server, port=dripping.getsockname()[1]))
        assert time.monotonic() - start < 5
        thread.join()


def test_a_server_that_speaks_something_else(server: MailServer) -> None:
    def speak() -> None:
        line, _ = other.accept()
        line.sendall(b"SSH-2.0-OpenSSH\r\n\xff\xfe\r\n")
        line.close()

    with socket.create_server(("127.0.0.1", 0)) as other:
        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(MailDeferred):
            sent(LETTER, replace(server, port=other.getsockname()[1]))
        thread.join()


def test_what_goes_wrong_after_it_was_taken_changes_nothing(
    postbox: Postbox, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: smtplib.SMTP) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(smtplib.SMTP, "quit", broken)
    assert sent(LETTER, server) == [ID]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    plain = NoEncryption()
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, plain))
    return folder


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return made


@pytest.fixture
def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))


def opens(_server: object, _session: object, _envelope: object, _how: str, data: object) -> AuthResult:
    known = data.login == b"ana" and data.password == b"otters"  # type: ignore[attr-defined]
    return AuthResult(success=known, handled=False)


def test_starttls_with_a_password(server: MailServer, context: ssl.SSLContext, trusting: None) -> None:
    how = {"tls_context": context, "require_starttls": True, "authenticator": opens, "auth_required": True}
    with a_postbox(**how) as box:
        given = replace(server, host="localhost", port=box.port, security="starttls", user="ana", password="otters")
        assert sent(LETTER, given) == [ID]
        with pytest.raises(MailDeferred, match="535"):
            sent(LETTER, replace(given, password="wrong"))
        with pytest.raises(MailDeferred, match="certificate verify failed"):
            sent(LETTER, replace(given, host="127.0.0.1"))
        assert len(box.arrived) == 1


def test_tls_from_the_start(server: MailServer, context: ssl.SSLContext, trusting: None) -> None:
    with a_postbox(tls=context) as box:
        given = replace(server, host="localhost", port=box.port, security="tls")
        assert sent(LETTER, given) == [ID]


def test_a_server_nobody_vouches_for_gets_nothing(server: MailServer, context: ssl.SSLContext) -> None:
    with a_postbox(tls=context) as box:
        with pytest.raises(MailDeferred, match="certificate"):
            sent(LETTER, replace(server, host="localhost", port=box.port, security="tls"))
        assert box.arrived == []


def test_no_letter_goes_readable_where_the_setting_says_starttls(postbox: Postbox, server: MailServer) -> None:
    with pytest.raises(MailDeferred, match="STARTTLS"):
        sent(LETTER, replace(server, security="starttls", user="ana", password="otters"))
    assert postbox.begun == 0


@pytest.mark.parametrize("place", ["mail.example:x", "smtp://mail.example", "ana@mail.example", ":25", "m:99999"])
def test_a_server_that_is_not_named_rightly_is_told(place: str) -> None:
    with pytest.raises(MailSettingProblem, match="ENGAGE_MAIL_SERVER"):
        MailServer.of(Settings(mail_server=place))


def test_the_ports_of_the_three_ways() -> None:
    for security, port in (("starttls", 587), ("tls", 465), ("none", 25)):
        found = MailServer.of(Settings(mail_server="mail.example", mail_security=security))
        assert found is not None
        assert found.port == port
    assert MailServer.of(Settings()) is None
    with pytest.raises(MailSettingProblem, match="ENGAGE_MAIL_FROM"):
        MailServer.of(Settings(mail_server="mail.example", mail_from="The district"))
