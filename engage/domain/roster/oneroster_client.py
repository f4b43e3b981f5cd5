"""Client of the district's OneRoster server (REST, 1.1 and 1.2), with OAuth 2 client credentials.

It connects to the hosts of the two addresses in the settings and to no other: without proxies, without redirects to
another host, and with verified certificates. A token is in memory only."""

import base64
import hashlib
import http.client
import json
import os
import ssl
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urljoin, urlsplit

from engage.domain.roster.update_messages import UpdateProblem

TIMEOUT = 60.0  # seconds without any byte from the server
LONGEST = 300.0  # seconds of one answer
LARGEST_PAGE = 64 << 20  # bytes of one answer
LARGEST_ALL = 4 << 30  # bytes of all answers of an update
LIMIT = 1000  # records asked for in one page; a server may send fewer
ATTEMPTS = 5
PAUSES = (1.0, 4.0, 16.0, 60.0)  # seconds before each further attempt
RETRIED = (429, 500, 502, 503, 504)
REDIRECTS = 3
CORE_SCOPE = "https://purl.imsglobal.org/spec/or/{}/scope/roster-core.readonly"

Record = Mapping[str, object]


class ServerProblem(UpdateProblem):
    """The server cannot be used, or not now."""


class _Unauthorized(Exception):
    """The token is no longer valid."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """How a OneRoster server is reached. `url` ends with the version; `scope` may be empty."""

    url: str
    token_url: str
    client_id: str
    secret: str = field(repr=False)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server."""

    status: int
    headers: Message
    body: bytes


def read_secret(path: str) -> str:
    """Return the client secret from its file. Raises ServerProblem if others can read it."""
    try:
        with open(path, encoding="utf-8") as file:
            if not stat.S_ISREG(mode := os.fstat(file.fileno()).st_mode) or mode & 0o077:
                raise ServerProblem("secret_open", path)
            secret = file.read(4096).strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise ServerProblem("secret_missing", path) from problem
    if not secret:
        raise ServerProblem("secret_missing", path)
    return secret


class OneRosterServer:
    """A OneRoster server. `wait` pauses before another attempt; it may raise to stop."""

    def __init__(self, address: ServerAddress, wait: Callable[[float], None] = time.sleep) -> None:
        self._address, self._wait = address, wait
        self._connections: dict[str, http.client.HTTPConnection] = {}
        self._token, self._bytes = "", 0

    def __enter__(self) -> "OneRosterServer":
        return self

    def __exit__(self, *_problem: object) -> None:
        for connection in self._connections.values():
            connection.close()

    @property
    def scope(self) -> str:
        """The scope to ask for."""
        version = "v1p2" if "v1p2" in self._address.url else "v1p1"
        return self._address.scope or CORE_SCOPE.format(version)

    def list_records(self, collection: str, since: datetime | None = None, fields: str = "") -> Iterator[Record]:
        """Yield the records of a collection, page by page; with `since`, those modified since. Raises ServerProblem,
        also if the server sends fewer than it announced: someone who is missing would be deleted."""
        url, received, firsts = self._first_url(collection, since, fields), 0, set[str]()
        while url:
            self._wait(0)  # it raises to stop
            reply = self._get(url, collection)
            records = _parse_records(reply.body, collection)
            first = hashlib.sha256(json.dumps(records[:1], sort_keys=True).encode()).hexdigest()
            if records and first in firsts:
                raise ServerProblem("server_repeats", collection)
            firsts.add(first)
            yield from records
            received += len(records)
            url = self._next_url(url, reply, len(records), received)
            total = reply.headers.get("X-Total-Count", "")
            if not url and total.isdecimal() and received < int(total):
                raise ServerProblem("server_short", f"{collection}: {received} / {total}")

    def _first_url(self, collection: str, since: datetime | None, fields: str) -> str:
        query = {"limit": str(LIMIT), "offset": "0", "sort": "sourcedId", "orderBy": "asc"}
        if since is not None:
            query["filter"] = f"dateLastModified>'{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z'"
        if fields:
            query["fields"] = fields
        return f"{self._address.url.rstrip('/')}/{collection}?{urlencode(query)}"

    def _next_url(self, url: str, reply: Reply, count: int, received: int) -> str:
        """Return the address of the next page; empty at the end. Without links and a total number, only an empty page
        is the end, since a server may send fewer records than were asked for."""
        links = _parse_links(", ".join(reply.headers.get_all("Link", [])))
        if links and count:
            following = links.get("next", "")
            return self._checked(urljoin(url, following)) if following else ""
        total = reply.headers.get("X-Total-Count", "")
        if not count or (total.isdecimal() and received >= int(total)):
            return ""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query)) | {"offset": str(received)}
        return parts._replace(query=urlencode(query)).geturl()

    def _checked(self, url: str) -> str:
        """Return an address that the server named. Raises ServerProblem if it is on another host."""
        if _origin(urlsplit(url)) != _origin(urlsplit(self._address.url)):
            raise ServerProblem("server_redirect", urlsplit(url).netloc)
        return url

    def _get(self, url: str, collection: str) -> Reply:
        """Return a page, with a new token if the server does not accept the one so far."""
        for is_last in (False, True):
            self._token = self._token or self._fetch_token()
            try:
                reply = self._follow(url)
            except _Unauthorized:
                self._token = ""
                if is_last:
                    raise ServerProblem("server_forbidden", collection) from None
                continue
            if reply.status == 403:
                raise ServerProblem("server_forbidden", collection)
            if reply.status == 404:
                raise ServerProblem("server_missing", collection)
            if reply.status != 200:
                raise ServerProblem("server_status", f"{collection}: {reply.status}")
            return reply
        raise AssertionError

    def _follow(self, url: str) -> Reply:
        """Send a request and follow redirects on the same host."""
        for _ in range(REDIRECTS):
            reply = self._send("GET", url, {"Authorization": f"Bearer {self._token}"})
            if reply.status == 401:
                _refuse_oauth1(reply)
                raise _Unauthorized
            if reply.status not in (301, 302, 303, 307, 308):
                return reply
            url = self._checked(urljoin(url, reply.headers.get("Location", "")))
        raise ServerProblem("server_redirect", urlsplit(url).netloc)

    def _fetch_token(self) -> str:
        address = self._address
        pair = f"{quote(address.client_id, safe='')}:{quote(address.secret, safe='')}"  # RFC 6749, section 2.3.1
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({"grant_type": "client_credentials", "scope": self.scope})
        reply = self._send("POST", address.token_url, headers, body)
        if reply.status != 200:
            _refuse_oauth1(reply)
            is_redirect = 300 <= reply.status < 400
            code = "server_credentials" if reply.status in (400, 401, 403) else "server_token"
            raise ServerProblem("server_redirect" if is_redirect else code, urlsplit(address.token_url).netloc)
        try:
            token = json.loads(reply.body)["access_token"]
        except (ValueError, KeyError, TypeError) as problem:
            raise ServerProblem("server_token", urlsplit(address.token_url).netloc) from problem
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ServerProblem("server_token", urlsplit(address.token_url).netloc)
        return token

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> Reply:
        """Send a request, several times if the server does not answer or is busy."""
        host, reply = urlsplit(url).netloc, None
        for attempt in range(ATTEMPTS):
            if attempt:
                self._wait(_pause(attempt, reply))
            try:
                reply = self._send_once(method, url, headers, body)
            except ssl.SSLCertVerificationError as problem:
                raise ServerProblem("server_certificate", host) from problem
            except (OSError, http.client.HTTPException):
                self._close(host)
                reply = None
            if reply is not None and reply.status not in RETRIED:
                return reply
        raise (
            ServerProblem("server_away", host)
            if reply is None
            else ServerProblem("server_status", f"{host}: {reply.status}")
        )

    def _send_once(self, method: str, url: str, headers: Mapping[str, str], body: str | None) -> Reply:
        parts = urlsplit(url)
        connection = self._connections.get(parts.netloc) or _connect(parts)
        self._connections[parts.netloc] = connection
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        connection.request(method, target, body, {"Accept": "application/json", **headers})
        response = connection.getresponse()
        content = self._read_body(response)
        return Reply(response.status, response.headers, content)

    def _read_body(self, response: http.client.HTTPResponse) -> bytes:
        end, pieces, size = time.monotonic() + LONGEST, list[bytes](), 0
        while piece := response.read1(1 << 16):
            pieces.append(piece)
            size += len(piece)
            self._bytes += len(piece)
            if size > LARGEST_PAGE or self._bytes > LARGEST_ALL:
                raise ServerProblem("server_large")
            if time.monotonic() > end:
                raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()  # only then can the connection be used again
        return b"".join(pieces)

    def _close(self, host: str) -> None:
        connection = self._connections.pop(host, None)
        if connection is not None:
            connection.close()


def _connect(parts: SplitResult) -> http.client.HTTPConnection:
    """A connection; the settings allow http:// for this machine only."""
    assert parts.hostname is not None
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=TIMEOUT, context=context)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _pause(attempt: int, reply: Reply | None) -> float:
    """Seconds before the next attempt, as the server asks, within limits."""
    delay = reply.headers.get("Retry-After", "") if reply else ""
    return min(float(delay), PAUSES[-1]) if delay.isdecimal() else PAUSES[min(attempt, len(PAUSES)) - 1]


def _refuse_oauth1(reply: Reply) -> None:
    """Raise ServerProblem if a server asks for OAuth 1.0a, whose signatures are obsolete."""
    challenge = reply.headers.get("WWW-Authenticate", "").lower()
    if challenge.startswith("oauth") or b"oauth_" in reply.body[:2000].lower():
        raise ServerProblem("server_oauth1")


def _parse_records(body: bytes, collection: str) -> list[Record]:
    try:
        content = json.loads(body)
    except ValueError as problem:
        raise ServerProblem("server_not_json", collection) from problem
    records = content.get(collection) if isinstance(content, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ServerProblem("server_not_json", collection)
    return records


def _parse_links(header: str) -> dict[str, str]:
    """Return the addresses of a Link header (RFC 8288) by relation."""
    links = {}
    for part in header.split(",<" if ",<" in header else ", <"):
        address, _, parameters = part.strip().lstrip("<").partition(">")
        for parameter in parameters.split(";"):
            name, _, relation = parameter.strip().partition("=")
            if name.lower() == "rel":
                links[relation.strip('" ').lower()] = address
    return links
