"""Fuzzing: random malformed requests to every URL of the site: `python -m tests.fuzz --requests 10000 --seed 1`.

The demo district is built once. Requests of every method, content type, and role, with malicious values, existing ids,
and the fields of the site's own forms, go to rules of both URL maps and to unknown URLs. No response may be 5xx, show a
traceback, or take more than SLOW seconds of CPU. The district is restored every ROUND requests, since requests change
it: they sign people out, freeze figures, and reset passwords.
"""

import argparse
import io
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sqlalchemy import func, insert, select
from werkzeug.test import run_wsgi_app

from engage.base.config import Settings
from engage.domain.security.permissions import PUBLIC, has_permission
from engage.storage.engine import connect, read_session
from engage.storage.models.base import Base
from engage.web.permissions import MARK

ROUND = 400  # requests between restores of the district
SLOW = 2.0  # seconds of CPU time
DOOR = "http://127.0.0.1:8000"
PEOPLE = {
    "administrator": "admin@riverbend.example",
    "leader": "leader@riverbend.example",
    "liaison": "liaison@riverbend.example",
    "translator": "translator@riverbend.example",
}
METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]
KINDS = ["form"] * 5 + ["json", "multipart", "text", "none", "other"]
LONG = "x" * 1_000_000
HOSTILE: list[bytes] = [
    b"",
    b" ",
    b"\x00",
    b"a\x00b",
    b"\xff\xfe\xfd",
    b"\xed\xa0\x80",  # a lone surrogate
    b"\xc0\xaf..",  # an overlong slash
    "\u202egnp.exe\u2066".encode(),
    "متى تبدأ المدرسة؟".encode(),
    "👩‍👩‍👧‍👦".encode() * 20,
    "\ufdfa".encode() * 300,  # expands eighteenfold under NFKC
    "a\u0301\u0327".encode() * 500,
    "ß\u0130\u0149ﬁ".encode(),
    b"'; drop table responses; --",
    b'" or 1=1 --',
    b"%' or '%'='",
    b"../../../../etc/passwd",
    b"..%2f..%2fetc%2fpasswd",
    b"/etc/passwd",
    b"file:///etc/passwd",
    b"//evil.example/x",
    b"https://evil.example",
    b"javascript:alert(1)",
    b"<script>alert(1)</script>",
    b"{{ 7*7 }}{% include 'x' %}",
    b"${7*7}%(x)s%s%n{0.__class__}",
    b'=HYPERLINK("http://evil.example")',
    b"\r\nSet-Cookie: a=b\r\n\r\n",
    b"a\nb",
    b"0",
    b"-1",
    b"1e999",
    b"NaN",
    b"inf",
    b"2147483648",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"9" * 400,
    b"9" * 5000,  # more digits than int() accepts
    "٢٣".encode(),
    "²".encode(),
    b"0x10",
    b"1_000",
    b"2026-02-30",
    b"0000-00-00",
    b"9999-12-31",
    b"99999-01-01",
    b"true",
    b"null",
    b"None",
    b"[]",
    b"{}",
    b"x" * 300,
    b"x" * 70_000,
    b"en",
    b"zh-Hans",
    b"xx",
    b"EN",
    b"EN-us",
]
BODIES = [
    b"[" * 100_000,
    b'{"a":' * 5_000,
    b'{"a":1e999,"b":NaN}',
    b"9" * 10_000,
    b"\xff\xfe",
    b"null",
    b"[]",
    b'"x"',
    b"",
    b"--x--",
    b"&" * 3_000,
    b"=&=&=",
    b"%",
    b"%zz=%f",
    b"a=1&" * 3_000,
    LONG.encode(),
]


@dataclass
class Answer:
    """A response."""

    status: int
    text: str
    headers: Any
    busy: float
    """Seconds of CPU time, of all threads."""


@dataclass
class Visitor:
    """A minimal browser, which keeps cookies."""

    app: Any
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def send(self, method: str, path: bytes, query: bytes = b"", body: bytes = b"", **headers: str) -> Answer:
        """Send a request, byte for byte; `path` is already quoted."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "REQUEST_URI": path.decode("latin-1"),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if self.cookies:
            environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        environ |= headers
        began = time.process_time()
        found, status, answered = run_wsgi_app(self.app, environ, buffered=True)
        text = b"".join(found).decode("utf-8", "replace")
        busy = time.process_time() - began
        self._keep(answered.getlist("Set-Cookie"))
        return Answer(int(status.split()[0]), text, answered, busy)

    def _keep(self, given: list[str]) -> None:
        for line in given:
            try:
                for name, morsel in SimpleCookie(line).items():
                    self.cookies[name] = morsel.coded_value
            except CookieError:
                raise AssertionError(f"a cookie that is none: {line!r}") from None

    def signs_in(self, email: str, password: str) -> None:
        """Sign in as a person, and store a CSRF token for forms."""
        page = self.send("GET", b"/staff/login").text
        data = {"email": email, "password": password, "csrf_token": token_of(page)}
        answer = self.send("POST", b"/staff/login", body=form(data), CONTENT_TYPE=FORM)
        assert answer.status == 302, f"{email} did not get in: {answer.status}"
        self.token = token_of(self.send("GET", b"/staff/").text)
        assert self.token, f"{email} did not get in"


FORM = "application/x-www-form-urlencoded"


def token_of(page: str) -> str:
    """Return the CSRF token in a page; empty if there is none."""
    found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page)
    return found.group(1) if found else ""


def form(data: dict[str, str]) -> bytes:
    """Encode fields as a form does."""
    return b"&".join(quoted(name.encode()) + b"=" + quoted(value.encode()) for name, value in data.items())


def quoted(value: bytes) -> bytes:
    """Percent-encode a value."""
    return quote_from_bytes(value, safe="").encode()


@dataclass
class Request:
    """One request and its sender."""

    role: str
    method: str
    rule: str
    path: bytes
    query: bytes
    body: bytes
    headers: dict[str, str]


@dataclass
class Finding:
    """A request with an invalid response."""

    number: int
    request: Request
    what: str
    trace: str = ""

    def __str__(self) -> str:
        sent = self.request
        head = f"#{self.number} {sent.role} {sent.method} {sent.rule}: {self.what}"
        more = f"path {sent.path[:200]!r} query {sent.query[:300]!r} body {sent.body[:300]!r} {sent.headers}"
        return f"{head}\n  {more}\n{self.trace[-3000:]}"


@dataclass
class Report:
    """The results of a run."""

    requests: int
    findings: list[Finding]
    statuses: Counter[int]
    routes: Counter[str]
    slowest: list[tuple[float, str]]


class Errors(logging.Handler):
    """Collects the site's log messages."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


class Riverbend:
    """The demo district as built, and a working copy: a file, or an empty PostgreSQL database at head."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        from click.testing import CliRunner

        from engage.cli.demo import demo
        from engage.demo.story import PASSWORD

        made = CliRunner().invoke(demo, ["--build-only"], env={"ENGAGE_DATA_DIR": str(folder / "built")})
        assert made.exit_code == 0, f"{made.output}{made.exception}"
        self.folder, self.password, self.url = folder, PASSWORD, database_url
        self.built = folder / "built" / "demo"
        self.known = json.loads(next(self.built.glob("*.json")).read_text("utf-8"))
        self.ids = list(self._ids())
        self.named = self._named()
        self.site: Any = None

    def _ids(self) -> Iterator[bytes]:
        """Yield keys of rows of every table, as values for URLs and fields."""
        engine = connect(f"sqlite:///{self.built / 'engage.db'}")
        with read_session(engine) as session:
            for table in Base.metadata.sorted_tables:
                for column in (*table.primary_key.columns, *(each for each in table.columns if each.foreign_keys)):
                    for value in session.scalars(select(column).distinct().limit(8)):
                        yield value if isinstance(value, bytes) else str(value).encode()
        engine.dispose()
        told = [self.known["reply_code"], self.known["serial"], *self.known["codes"].values()]
        yield from (str(each).encode() for each in told)

    def _named(self) -> dict[str, list[bytes]]:
        """Return valid values for URL parameters and fields, by name."""
        found: dict[str, list[bytes]] = {}
        engine = connect(f"sqlite:///{self.built / 'engage.db'}")
        with read_session(engine) as session:
            for table in Base.metadata.sorted_tables:
                one, keys = table.name.removesuffix("s"), list(table.primary_key.columns)
                values = [
                    each.hex() if isinstance(each, bytes) else str(each)
                    for each in session.scalars(select(keys[0]).limit(12))
                ]
                for name in (one, f"{one}_id", f"{table.name}", keys[0].name if keys[0].name != "id" else one):
                    found.setdefault(name, []).extend(each.encode() for each in values)
        engine.dispose()
        return found | {
            "code": [str(each).encode() for each in (*self.known["codes"].values(), self.known["reply_code"])],
            "deed": [b"off", b"on", b"out", b"password"],
            "action": [b"autosave", b"draft", b"add-block", b"save", b"withdraw", b"spoil", b"restore"],
            "language": [b"en", b"es", b"ar"],
            "email": [each.encode() for each in PEOPLE.values()],
            "password": [self.password.encode()],
        }

    def fresh(self) -> dict[str, Visitor]:
        """Restore the district and return its visitors, signed in."""
        from engage import create_app

        self.close()
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.built, copy)
        if self.url:
            self._fill(self.url)
        self.site = create_app(Settings(data_dir=copy, base_url=DOOR, second_factor="offered", database_url=self.url))
        visitors = {role: Visitor(self.site) for role in ("stranger", "family", *PEOPLE)}
        for role, email in PEOPLE.items():
            visitors[role].signs_in(email, self.password)
        visitors["family"].send("POST", f"/en/c/{self.known['codes']['en']}".encode(), CONTENT_TYPE=FORM)
        return visitors

    def _fill(self, url: str) -> None:
        """Replace the content of the database at this URL by all rows of the built one."""
        tables = Base.metadata.sorted_tables
        one, other = connect(f"sqlite:///{self.built / 'engage.db'}"), connect(url)
        with one.connect() as built, other.begin() as copy:
            copy.exec_driver_sql(f"truncate {', '.join(each.name for each in tables)} restart identity cascade")
            for table in tables:
                if rows := [dict(row._mapping) for row in built.execute(select(table))]:
                    copy.execute(insert(table), rows)
                counted = table.autoincrement_column
                if counted is not None and rows:
                    copy.execute(func.setval(func.pg_get_serial_sequence(table.name, counted.name), 1000))
        one.dispose()
        other.dispose()

    def close(self) -> None:
        """Close the copy."""
        if self.site is not None:
            state = self.site.staff.extensions["engage"]
            state.writer.stop()
            state.engine.dispose()

    def rules(self) -> list[tuple[str, list[str], list[str]]]:
        """Every rule of both apps, with its methods and the roles that may use it."""
        return [
            (str(each.rule), sorted(each.methods - {"HEAD", "OPTIONS"}) or ["GET"], self._open_to(app, each.endpoint))
            for app in (self.site.family, self.site.staff)
            for each in app.url_map.iter_rules()
        ]

    def _open_to(self, app: Any, endpoint: str) -> list[str]:
        permission = getattr(app.view_functions[endpoint], MARK)
        return (
            ["stranger", "family"]
            if permission == PUBLIC
            else [role for role in PEOPLE if has_permission([role], permission)]
        )


class Chance:
    """Generates requests."""

    def __init__(self, rng: Random, district: Riverbend, fields: dict[str, list[bytes]]) -> None:
        self.rng, self.district, self.fields = rng, district, fields
        self.all_fields = sorted({name for names in fields.values() for name in names})

    def request(self) -> Request:
        """Return one request."""
        rng = self.rng
        rule, known, roles = self._rule()
        if rng.random() < 0.3 or not roles:  # without permission there is little to test
            roles = ["stranger", "family", *PEOPLE]
        role = rng.choice(roles)
        method = rng.choice(METHODS) if rng.random() < 0.15 else rng.choice(known)
        headers = self._headers()
        body = b""
        if method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            body, kind = self._body(rule)
            if kind:
                headers["CONTENT_TYPE"] = kind
        query = self._query(rule) if rng.random() < 0.5 else b""
        return Request(role, method, rule, self._path(rule), query, body, headers)

    def _rule(self) -> tuple[str, list[str], list[str]]:
        """Return a rule, its methods (HEAD and OPTIONS are always possible), and the roles that may use it."""
        if self.rng.random() < 0.03:
            none = ["/<path:p>", "/staff/<path:p>", "/en/<path:p>", "//", "/static/<path:p>", "/%", "*"]
            return self.rng.choice(none), ["GET", "POST"], []
        return self.rng.choice(self.district.rules())

    def _path(self, rule: str) -> bytes:
        def filled(found: re.Match[str]) -> str:
            converter, name = (found.group(1) or "").split("(")[0], found.group(2)
            if converter == "lang" and self.rng.random() < 0.9:
                return self.rng.choice(["en", "es", "ar", "zh-Hans"])
            if converter == "int" and self.rng.random() < 0.6:
                return self.rng.choice(["0", "1", "2", "5", "99", "2147483647", "2147483648", "9" * 30])
            return quoted(self._value(name, 0.7)[:3000]).decode()

        return re.sub(r"<(?:([^:>]+):)?([^>]+)>", filled, rule).encode()

    def _value(self, name: str = "", known: float = 0.3) -> bytes:
        likely = self.district.named.get(name.rpartition("-")[2])
        if likely and self.rng.random() < 0.7:
            return self.rng.choice(likely)
        if self.rng.random() < known:
            return self.rng.choice(self.district.ids)
        return self.rng.choice(HOSTILE)

    def _names(self, rule: str) -> list[bytes]:
        own = self.fields.get(rule) or self.all_fields
        names = self.rng.sample(own, min(len(own), self.rng.randint(0, 12)))
        if self.rng.random() < 0.1:
            names.append(self._value())
        return names

    def _query(self, rule: str) -> bytes:
        if self.rng.random() < 0.1:
            return self.rng.choice([b"%ff=%00&=&&%", b"a=1&" * 500, b"?", b"x" * 5000, b"\xff\xfe"])
        return b"&".join(
            quoted(name) + b"=" + quoted(self._value(name.decode("latin-1"))[:3000]) for name in self._names(rule)[:5]
        )

    def _body(self, rule: str) -> tuple[bytes, str]:
        kind, rng = self.rng.choice(KINDS), self.rng
        pairs = [
            (name, self._value(name.decode("latin-1")))
            for name in self._names(rule)
            for _ in range(rng.choice([1, 1, 1, 2]))
        ]
        if kind == "form":
            if rng.random() < 0.02:
                pairs.append((rng.choice(self.all_fields), LONG.encode()))
            return b"&".join(quoted(name) + b"=" + quoted(value) for name, value in pairs), FORM
        if kind == "json":
            told = {name.decode("utf-8", "replace"): value.decode("utf-8", "replace") for name, value in pairs}
            return rng.choice([json.dumps(told).encode(), rng.choice(BODIES)]), "application/json"
        if kind == "multipart":
            return self._multipart(pairs), rng.choice(["multipart/form-data; boundary=x", "multipart/form-data"])
        if kind == "text":
            return rng.choice(BODIES), rng.choice(["text/plain", "text/plain; charset=nonsense", "\xff"])
        if kind == "other":
            return rng.choice(BODIES), rng.choice(
                [FORM, "application/xml", "application/pdf", "multipart/x; boundary="]
            )
        return b"", ""

    def _multipart(self, pairs: list[tuple[bytes, bytes]]) -> bytes:
        parts = []
        for name, value in pairs:
            file = self.rng.random() < 0.3
            named = b'; filename="' + self.rng.choice(HOSTILE)[:200].replace(b"\n", b"") + b'"' if file else b""
            disposition = b'Content-Disposition: form-data; name="' + name.replace(b"\n", b"") + b'"' + named
            parts.append(b"--x\r\n" + disposition + b"\r\n\r\n" + value)
        whole = b"\r\n".join([*parts, b"--x--\r\n"])
        return whole if self.rng.random() < 0.8 else whole[: self.rng.randint(0, len(whole))]

    def _headers(self) -> dict[str, str]:
        if self.rng.random() < 0.7:
            return {}
        value = self.rng.choice(HOSTILE)[:500].decode("latin-1").replace("\r", "").replace("\n", "")
        names = ["ACCEPT_LANGUAGE", "ACCEPT", "REFERER", "USER_AGENT", "X_FORWARDED_FOR", "RANGE", "IF_NONE_MATCH"]
        names += ["HOST", "ORIGIN", "AUTHORIZATION", "IF_MODIFIED_SINCE", "X_CSRFTOKEN", "X_HTTP_METHOD_OVERRIDE"]
        return {f"HTTP_{self.rng.choice(names)}": value}


def gathered(district: Riverbend, visitors: dict[str, Visitor]) -> dict[str, list[bytes]]:
    """Return the names of fields in all pages' forms, by the rule to which they are sent."""
    names: dict[str, set[bytes]] = {}
    maps = [app.url_map.bind("127.0.0.1:8000") for app in (district.site.family, district.site.staff)]
    queue = [b"/", b"/en/", b"/en/c", b"/en/reply", b"/staff/", b"/staff/login"]
    queue += [f"/en/w/{district.known['open_wave']}".encode(), f"/en/results/{district.known['checkpoint']}".encode()]
    queue += [f"/staff/liaison/keying/sheets/{district.known['serial']}".encode(), b"/en/w/home-access/1"]
    seen: set[str] = set()
    while queue and len(seen) < 150:
        path = queue.pop(0)
        rule = _rule_of(maps, path)
        if not rule or rule in seen:
            continue
        seen.add(rule)
        staffs = path.startswith(b"/staff")
        for visitor in [each for role, each in visitors.items() if (role in PEOPLE) == staffs]:
            page = visitor.send("GET", path).text
            for shown in re.findall(r"<form.*?</form>", page, re.S):
                actions = re.findall(r'<(?:form|button)[^>]* (?:form)?action="([^"]+)"', shown)
                sent_to = {_rule_of(maps, each.split("?")[0].encode(), ("POST", "GET")) for each in actions}
                found = re.findall(r'<(?:input|select|textarea|button)[^>]* name="([^"]+)"', shown)
                for to in sent_to or {rule}:
                    names.setdefault(to or rule, set()).update(each.encode() for each in found)
            queue += [each.split("?")[0].encode() for each in re.findall(r'href="(/[^"#]*)', page)]
    return {rule: sorted(found - {b"csrf_token"}) for rule, found in names.items() if found - {b"csrf_token"}}


def _rule_of(maps: list[Any], path: bytes, methods: tuple[str, ...] = ("GET", "POST")) -> str:
    for adapter in maps:
        for method in methods:
            try:
                return str(adapter.match(path.decode(), method, return_rule=True)[0].rule)
            except Exception:  # unknown URL, other method, or redirect
                continue
    return ""


def run(
    folder: Path, requests: int, seed: int, database_url: str = "", slow: float = SLOW, echo: bool = False
) -> Report:
    """Send requests to a district that is built in an empty folder, or in the database at `database_url`."""
    errors, report = Errors(), Report(0, [], Counter(), Counter(), [])
    log = logging.getLogger("engage")
    log.addHandler(errors)
    log.propagate, before = False, log.propagate
    with mock.patch.dict(os.environ, clear=False):
        district = Riverbend(folder, database_url)
        try:
            visitors = district.fresh()
            chance = Chance(Random(seed), district, gathered(district, visitors))
            for number in range(requests):
                if number % ROUND == 0:
                    visitors = district.fresh()
                    if echo:
                        print(f"{number:>6} requests, {len(report.findings)} findings", flush=True)
                _one(number, chance.request(), visitors, errors, report, slow)
        finally:
            district.close()
            log.removeHandler(errors)
            log.propagate = before
    return report


def _one(number: int, sent: Request, visitors: dict[str, Visitor], errors: Errors, report: Report, slow: float) -> None:
    visitor = visitors[sent.role]
    if visitor.token and number % 5:  # most forms include their token, since otherwise no view would be reached
        if sent.headers.get("CONTENT_TYPE") == FORM:
            sent.body += b"&csrf_token=" + quoted(visitor.token.encode())
        else:
            sent.headers["HTTP_X_CSRFTOKEN"] = visitor.token
    errors.lines.clear()
    report.requests += 1
    try:
        answer = visitor.send(sent.method, sent.path, sent.query, sent.body, **sent.headers)
    except Exception as problem:  # any exception that reaches the server is a broken page
        report.findings.append(Finding(number, sent, f"raised {problem!r}", "\n".join(errors.lines)))
        return
    report.statuses[answer.status] += 1
    report.routes[sent.rule] += 1
    report.slowest = sorted([*report.slowest, (answer.busy, f"{sent.method} {sent.rule}")], reverse=True)[:5]
    if wrong := _wrong(answer, slow):
        report.findings.append(Finding(number, sent, wrong, "\n".join(errors.lines)))


def _wrong(answer: Answer, slow: float) -> str:
    if answer.status >= 500:
        return f"answered {answer.status}"
    if "Traceback (most recent call last)" in answer.text:
        return "shows a traceback"
    return f"took {answer.busy:.1f} s" if answer.busy > slow else ""


def told(report: Report, seconds: float) -> str:
    """Return a summary of a run in a few lines."""
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(report.statuses.items()))
    slow = "; ".join(f"{busy:.2f} s {what}" for busy, what in report.slowest)
    return (
        f"{report.requests:,} requests to {len(report.routes)} addresses in {seconds:.0f} s: "
        f"{len(report.findings)} findings\nanswers {statuses}\nslowest {slow}"
    )


def main() -> None:
    """Run it and print the findings. Exit code 1 if there are any."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--requests", type=int, default=10_000)
    given.add_argument("--seed", type=int, default=1)
    given.add_argument("--database-url", default="", help="A PostgreSQL database at head whose rows may go.")
    asked = given.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder), asked.requests, asked.seed, asked.database_url, echo=True)
    for each in report.findings[:40]:
        print(each)
    print(told(report, time.monotonic() - began))
    raise SystemExit(bool(report.findings))


if __name__ == "__main__":
    main()
