"""Bytes that a family's phone downloads: 30 kB up to the first question, 10 kB for each later page."""

import gzip
from html.parser import HTMLParser

import pytest

from tests.people import Family

FIRST, LATER = 30_000, 10_000  # bytes, headers included
CHOICES = {"family-beliefs": "beliefs", "home-access": "access"}


class Parts(HTMLParser):
    """Collects the URLs of style sheets and scripts."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "link" and given.get("rel") == "stylesheet":
            self.found.append(given["href"])
        if tag in ("script", "img") and given.get("src"):
            self.found.append(given["src"])


def weight(response):
    head = sum(len(name) + len(value) + 4 for name, value in response.headers)
    size = head + len(response.data) + 20  # the status line
    response.close()
    return size


@pytest.mark.parametrize("lang", ["en", "es", "ar"])
@pytest.mark.parametrize("slug", CHOICES)
def test_pages_are_light(site, request, slug, lang):
    wave = request.getfixturevalue(CHOICES[slug])
    client = Family(site).client

    def fetch(path, method="GET", **more):
        return client.open(path, method=method, headers={"Accept-Encoding": "gzip"}, **more)

    begun = fetch(f"/{lang}/w/{wave}", "POST", data={"school": "lincoln"})
    total, where, seen, weights = weight(begun), begun.location, set(), []
    while "/thanks" not in where:
        page = fetch(where)
        parts = set(Parts(gzip.decompress(page.data).decode()).found) - seen
        seen |= parts
        sent = fetch(where.partition("?")[0], "POST", data={"children": "2"})
        weights.append(weight(page) + weight(sent) + sum(weight(fetch(part)) for part in parts))
        where = sent.location
    print(f"{slug} {lang}: first {total + weights[0]} bytes, later {weights[1:]}, {len(seen)} files")
    assert total + weights[0] <= FIRST
    assert max(weights[1:]) <= LATER
    assert all(part.startswith("/static/") for part in seen)
