"""A OneRoster server for tests, 1.1 or 1.2: tokens, pages, filters, and what real servers do wrong."""

import base64
import csv
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

CLIENT, SECRET = "engage of the district", "a secret: with signs % and ü"
REFERENCES = {
    "schoolSourcedId": "school",
    "classSourcedId": "class",
    "userSourcedId": "user",
    "primaryOrgSourcedId": "primaryOrg",
    "orgSourcedId": "org",
}
LISTS = {"orgSourcedIds": "orgs", "agentSourcedIds": "agents"}
Json = dict[str, Any]


@dataclass
class RosterServer:
    """A server with `records` by collection. `paging` is "link", "total", or "none"; `most` is its largest page;
    `modified` is the moment of all records that have none. `instead` answers a request in place of the server: it
    returns status, headers, and body, or None."""

    version: str = "v1p1"
    records: dict[str, list[Json]] = field(default_factory=dict)
    paging: str = "link"
    most: int = 100
    modified: str = "2026-01-01T00:00:00.000Z"
    instead: Callable[["RosterServer", str], tuple[int, dict[str, str], bytes] | None] = lambda _server, _path: None
    url: str = ""
    tokens: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)

    def reads(self, folder: Path) -> None:
        """Take the records from OneRoster CSV files, with the fields that the import must not read."""
        for path in sorted(folder.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as page:
                self.records[path.stem] = [_record(row) for row in csv.DictReader(page)]
        roles = {}
        for role in self.records.pop("roles", []):
            roles.setdefault(role["user"]["sourcedId"], []).append({**role, "userProfile": "x"})
        if roles:
            self.version = "v1p2"
        for user in self.records["users"]:
            user |= {"password": "secret", "birthDate": "2018-01-01"}
            if roles:
                user["roles"] = roles.get(user["sourcedId"], [])
        self.records.pop("manifest", None)

    @property
    def base(self) -> str:
        return f"{self.url}/ims/oneroster/{self.version}"

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, Json, bytes]:
        """Return status, headers, and body of the answer to a request."""
        self.seen.append(f"{method} {path}")
        if changed := self.instead(self, path):
            return changed
        if path == "/token":
            return self._token(headers, body)
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {"WWW-Authenticate": "Bearer"}, b"{}"
        return self._page(path)

    def _token(self, headers: Mapping[str, str], body: str) -> tuple[int, Json, bytes]:
        pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        asked = {name: values[0] for name, values in parse_qs(body).items()}
        assert asked["grant_type"] == "client_credentials"
        if tuple(map(unquote, pair.split(":"))) != (CLIENT, SECRET):
            return 401, {}, b'{"error": "invalid_client"}'
        self.scopes.append(asked["scope"])
        token = secrets.token_urlsafe(16)
        self.tokens.add(token)
        return 200, {}, json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600}).encode()

    def _page(self, path: str) -> tuple[int, Json, bytes]:
        parts = urlsplit(path)
        collection = parts.path.rpartition("/")[2]
        if collection not in self.records:
            return 404, {}, b"{}"
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        records = [each for each in self.records[collection] if self._is_wanted(each, query.get("filter", ""))]
        offset, limit = int(query["offset"]), min(int(query["limit"]), self.most)
        headers = {"X-Total-Count": str(len(records))} if self.paging == "total" else {}
        if self.paging == "link":
            links = [("first", 0)] + ([("next", offset + limit)] if offset + limit < len(records) else [])
            page = [f'<{self.url}{parts.path}?{urlencode(query | {"offset": to})}>; rel="{rel}"' for rel, to in links]
            headers["Link"] = ", ".join(page)
        return 200, headers, json.dumps({collection: records[offset : offset + limit]}).encode()

    def _is_wanted(self, record: Json, condition: str) -> bool:
        return not condition or record.get("dateLastModified", self.modified) > condition.split("'")[1]


def _record(row: Mapping[str, str]) -> Json:
    """Return a row of a CSV file as a record of the REST binding."""
    record: Json = {"status": "active", "metadata": {}}
    for name, cell in row.items():
        if name.startswith("metadata."):
            record["metadata"] |= {name.removeprefix("metadata."): cell} if cell else {}
        elif name in REFERENCES:
            record |= {REFERENCES[name]: {"href": "x", "sourcedId": cell, "type": "org"}} if cell else {}
        elif name in LISTS:
            record[LISTS[name]] = [{"sourcedId": each} for each in cell.split(",") if each]
        elif name == "grades":
            record[name] = [cell] if cell else []
        elif cell:
            record[name] = cell
    return record


@contextmanager
def serving(server: RosterServer) -> Iterator[RosterServer]:
    """Serve on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, headers, content = server.answer(self.command, self.path, self.headers, body)
            if status == 0:  # it stops half way
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + content)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_words: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
