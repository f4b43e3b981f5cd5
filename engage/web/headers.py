"""Security headers of every response."""

from urllib.parse import urlsplit

from flask import Flask, Response, request

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FIXED = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}
YEAR = 31_536_000  # seconds


def install(app: Flask, secure: bool) -> None:
    """Add the headers to every response of an app; HSTS only if the site is served by HTTPS."""
    fixed = FIXED | {"Cache-Control": "no-store"} | ({"Strict-Transport-Security": f"max-age={YEAR}"} if secure else {})

    @app.after_request
    def dress(response: Response) -> Response:
        # One pass over the existing headers: setdefault searches for each name, which takes 27 us in total instead of 6
        there = {name.lower() for name, _ in response.headers}
        response.headers.extend([(name, value) for name, value in fixed.items() if name.lower() not in there])
        if "location" in there:
            _make_relative(response)
        return response


def _make_relative(response: Response) -> None:
    """Make redirects relative: Werkzeug puts the Host header, which anybody may choose, and the scheme, which is wrong
    behind an undeclared proxy, into the redirects it makes by itself."""
    target = response.headers["Location"]
    if target[:1] == "/" and target[1:2] not in ("/", "\\"):
        return
    parts = urlsplit(target)
    if parts.netloc and parts.netloc == request.host:
        path = "/" + parts.path.lstrip("/\\")  # "//elsewhere" would name another host
        response.headers["Location"] = parts._replace(scheme="", netloc="", path=path).geturl()


def is_same_site(origin_host: str) -> bool:
    """Whether a form was sent from a page of this site: by Sec-Fetch-Site, else by Origin; allowed if both are missing
    (old phones send neither, and their cookie is SameSite)."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin == "null" or origin.rstrip("/").endswith("//" + origin_host)
