"""Bytes that a family's phone downloads: 30 kB up to the first question, 10 kB for each later page."""

import gzip
from html.parser import HTMLParser
from random import Random

import pytest

from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from tests.makers import a_slip_wave
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
    total, weights, seen = weigh(site, f"/{lang}/w/{wave}", {"school": "lincoln"})
    print(f"{slug} {lang}: first {total + weights[0]} bytes, later {weights[1:]}, {len(seen)} files")


@pytest.mark.parametrize("lang", ["en", "es", "ar"])
@pytest.mark.parametrize("population", ["educator", "student"])
def test_pages_after_a_code_are_light(site, arrange, population, lang):
    code = generate_access_code(Random(7))
    key = site.family.extensions["engage"].secret(ACCESS_KEY)
    arrange(lambda session: a_slip_wave(session, population, [digest(code, key)]))
    total, weights, _ = weigh(site, f"/{lang}/c/{code}", {})
    print(f"{population} {lang}: first {total + weights[0]} bytes, later {weights[1:]}")


def weigh(site, start, data):
    """The bytes of beginning and of each page, and the style sheets and scripts; asserts the limits."""
    client = Family(site).client

    def fetch(path, method="GET", **more):
        return client.open(path, method=method, headers={"Accept-Encoding": "gzip"}, **more)

    begun = fetch(start, "POST", data=data)
    total, where, seen, weights = weight(begun), begun.location, set(), []
    while "/thanks" not in where:
        page = fetch(where)
        if page.location:
            total, where = total + weight(page), page.location
            continue
        parts = set(Parts(gzip.decompress(page.data).decode()).found) - seen
        seen |= parts
        sent = fetch(where.partition("?")[0], "POST", data={"children": "2"})
        weights.append(weight(page) + weight(sent) + sum(weight(fetch(part)) for part in parts))
        where = sent.location
    assert total + weights[0] <= FIRST
    assert max(weights[1:]) <= LATER
    assert all(part.startswith("/static/") for part in seen)
    return total, weights, seen
