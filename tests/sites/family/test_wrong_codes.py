"""Guessing of codes: what a guesser sees, how often, and how long it takes."""

import statistics
import time
from random import Random

import pytest

from engage.domain.security.access_codes import ALPHABET, check_symbol, format_access_code, generate_access_code
from engage.sites.family import context as limits
from engage.sites.family.context import EXTENSION
from tests.people import Family

pytestmark = pytest.mark.slow

LOOKS = 60
SLOWED = "Too many wrong codes came from this network."


@pytest.fixture
def limitless(site, monkeypatch):
    """Remove the limits, for measuring."""
    monkeypatch.setattr(site.family.extensions[EXTENSION].codes, "refuses", lambda network: False)


def unknown(seed):
    return format_access_code(generate_access_code(Random(seed)))


def odd(seed):
    """Return a code with a correct check symbol that is never generated: all its symbols are the same."""
    body = ALPHABET[seed % len(ALPHABET)] * 9
    return format_access_code(body + check_symbol(body))


def written_oddly(seed):
    return unknown(seed).lower().replace("-", " – ")


def page(family, code):
    began = time.thread_time()  # CPU time, which other processes on this machine do not affect
    response = family.client.get(f"/en/c/{code}")
    return response, time.thread_time() - began


def test_every_code_that_is_none_of_ours_gets_the_same_page_in_the_same_time(site, private, limitless, capsys):
    family = Family(site)
    kinds = {"unknown": unknown, "odd": odd, "written oddly": written_oddly}
    took = {kind: [] for kind in kinds}
    for seed in range(LOOKS + 5):
        texts = set()
        for kind in Random(seed).sample(list(kinds), len(kinds)):
            make = kinds[kind]
            code = make(5000 + seed)
            response, seconds = page(family, code)
            assert response.status_code == 404
            texts.add(response.text.replace(unknown(5000 + seed), "").replace(odd(5000 + seed), ""))
            if seed >= 5:
                took[kind].append(seconds)
        assert len(texts) == 1
    middle = {kind: statistics.median(times) * 1000 for kind, times in took.items()}
    noise = statistics.median(abs(t * 1000 - middle["unknown"]) for t in took["unknown"])
    with capsys.disabled():
        print(
            "\n  ms, median: " + ", ".join(f"{kind} {ms:.3f}" for kind, ms in middle.items()) + f", noise {noise:.3f}"
        )
    assert max(middle.values()) - min(middle.values()) < max(5 * noise, 0.3)


def test_thirty_wrong_codes_then_a_minute_of_waiting_and_the_typed_code_stays(site, private):
    family = Family(site)
    for seed in range(limits.WRONG_CODES):
        family.opens(f"/en/c/{unknown(100 + seed)}", 404).sees("We cannot find this code")
    assert limits.WRONG_CODES == 30
    for code in (unknown(999), format_access_code(private[0])):
        family.opens(f"/en/c/{code}", 429).sees(SLOWED)
        assert family.field("code") == code
    assert family.response.headers["Retry-After"]


def test_the_same_wrong_code_typed_again_and_again_shuts_nobody_out(site, private):
    family = Family(site)
    for _ in range(2 * limits.WRONG_CODES):
        family.opens(f"/en/c/{unknown(100)}", 404)
    family.opens(f"/en/c/{private[0]}").sees("Start")


def test_an_attack_from_many_places_shuts_no_family_out(site, private):
    """400 wrong codes from 200 IPv6 networks in a minute; afterwards every valid code works from other networks."""
    client = Family(site).client
    for seed in range(400):
        place = {"REMOTE_ADDR": f"2001:db8:{seed % 200:x}:{1}:{seed:x}::1"}
        client.get(f"/en/c/{unknown(10_000 + seed)}", environ_base=place)
    opened = [
        client.get(f"/en/c/{code}", environ_base={"REMOTE_ADDR": f"198.51.100.{number}"}).status_code
        for number, code in enumerate(private)
    ]
    assert set(opened) == {200}


def test_slips_of_the_finger_are_free(site, private):
    """The check symbol detects them without a database query, and attempts reveal nothing."""
    family, code = Family(site), private[0]
    for _ in range(30):
        family.opens(f"/en/c/{code[:-1]}{'2' if code[-1] != '2' else '3'}", 404).sees("This code has a mistake in it")
    family.opens(f"/en/c/{code}").sees("Start")


def test_whoever_asks_which_codes_are_used_must_wait_too(site, private):
    """Otherwise, repeated requests with the list of codes would reveal when each household answered."""
    Family(site).begins_with(private[0]).walks({}).sends_answers()
    watcher = Family(site)
    for _ in range(limits.WRONG_CODES):
        watcher.opens(f"/en/c/{private[0]}", 410).sees("This code has been used")
    watcher.opens(f"/en/c/{private[0]}", 429)
