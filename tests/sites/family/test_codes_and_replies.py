"""Entering codes, and returning for the answer."""

from random import Random, SystemRandom

import pytest
from sqlalchemy import select

from engage.domain.conversations.threads import NewMessage, add_message
from engage.domain.security.access_codes import format_access_code, generate_access_code
from engage.sites.family import context as limits
from engage.storage.models.conversations import Message, Thread
from tests.people import Family

pytestmark = pytest.mark.slow

BUSY = "Many people are sending at once. Nothing is lost. Wait one minute, then tap Send again."
WAIT = "Too many wrong codes came from this network. Wait one minute, then try again. Nothing is lost."


@pytest.fixture
def answers(arrange, today):
    """Writes the school's answer in the thread of a kind."""

    def say(text, kind="question", language="en"):
        def put(session):
            thread = session.scalars(select(Thread).where(Thread.kind == kind)).one()
            message = NewMessage("staff", text, language)
            add_message(session.connection(), thread.id, message, today=today, rng=SystemRandom())

        arrange(put)

    return say


def asked(family, wave, **given):
    family.begins(wave).walks({"question": "When does school start?", **given}).sends_answers()
    return family.reply_code


def test_a_code_is_typed_in_any_way(family, code):
    for typed in (code, format_access_code(code), f" {code[:5].lower()} – {code[5:].lower()} "):
        family.opens("/en/c").sends(code=typed).sees("A small survey", "Start")


def test_a_slip_is_told_at_once_and_stays_in_the_field(family, code):
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    family.opens("/en/c").sends(code=wrong, status=422).sees("This code has a mistake in it")
    assert family.field("code") == wrong
    family.opens(f"/en/c/{wrong}", 404).sees("This code has a mistake in it")


def test_an_unknown_code_says_so_and_after_many_a_network_must_wait(family, code):
    for seed in range(limits.WRONG_CODES):
        family.opens(f"/en/c/{generate_access_code(Random(100 + seed))}", 404).sees("We cannot find this code")
    family.opens(f"/en/c/{generate_access_code(Random(999))}", 429).sees("Too many wrong codes came from this network.")
    assert family.response.headers["Retry-After"]
    elsewhere = family.client.get(f"/en/c/{code}", environ_base={"REMOTE_ADDR": "10.0.0.9"})
    assert elsewhere.status_code == 200


def test_the_family_reads_the_answer_and_writes_back(family, small, answers, site, stored):
    code = asked(family, small)
    answers("On <b>August</b> 20.")
    other_phone = Family(site).comes_back_with(code)
    other_phone.sees("When does school start?", "On <b>August</b> 20.", "The school wrote on")
    other_phone.sends(text="Thank you. At what time?").sees("We received your message", "At what time?")
    other_phone.sends(text="Thank you. At what time?")
    assert [message.text for message in sorted(stored(Message), key=lambda one: one.position)] == [
        "When does school start?",
        "On <b>August</b> 20.",
        "Thank you. At what time?",
    ]


def test_an_answer_in_another_language_is_marked(family, small, answers, site):
    code = asked(family, small)
    answers("في شهر أغسطس", language="ar")
    page = Family(site).comes_back_with(code, "es").page
    [said] = [one for one in page.all("p") if one.text == "في شهر أغسطس"]
    assert (said.get("lang"), said.get("dir")) == ("ar", "auto")


def test_an_unknown_code_and_an_unanswered_one_look_the_same(family, small, site):
    code = asked(family, small)
    waiting = Family(site).comes_back_with(code).sees("There is no answer for this code yet").page.text
    unknown = Family(site).comes_back_with("0000 0000 0000 0000").page.text
    assert waiting.replace(code, "") == unknown.replace("0000 0000 0000 0000", "")


def test_a_wrong_digit_is_told_at_once(family, small, site):
    code = asked(family, small).replace(" ", "")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    Family(site).comes_back_with(wrong, status=422).sees("This code has a mistake in it")


def test_digits_of_any_script_are_read(family, small, answers, site):
    code = asked(family, small)
    answers("Soon.")
    typed = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    Family(site).comes_back_with(typed, "ar").sees("Soon.")


def test_help_and_question_are_both_found_and_told_apart(family, access, answers, site, stored):
    given = {"children": "1", "help_wanted": ["repair"], "question": "When?"}
    code = family.begins(access, school="lincoln").walks(given).sends_answers().reply_code
    answers("We will call you.", kind="help")
    visitor = Family(site).comes_back_with(code).sees("You asked for help", "We will call you.").sees_no("When?")
    answers("Soon.")
    visitor.comes_back_with(code).sees("Your question", "Your request for help").sends(kind="help", text="Good.")
    kinds = {thread.id: thread.kind for thread in stored(Thread)}
    assert [kinds[one.thread_id] for one in stored(Message) if one.text == "Good."] == ["help"]


def test_looking_up_replies_is_limited_since_each_costs_a_slow_hash(family, small, monkeypatch):
    monkeypatch.setattr("engage.sites.family.device_secret.reply_code_hash", lambda code: "0" * 64)
    for _ in range(limits.WRONG_REPLIES):
        family.comes_back_with("0000 0000 0000 0000")
    family.comes_back_with("0000 0000 0000 0000", status=429).sees(WAIT)
    assert family.field("code") == "0000 0000 0000 0000"
    assert family.response.headers["Retry-After"]


def test_what_a_family_wrote_stays_on_the_page_that_asks_it_to_wait(family, small, answers, site, monkeypatch):
    code = asked(family, small)
    answers("Soon.")
    visitor = Family(site).comes_back_with(code)
    replies = site.family.extensions["engage.sites.family"].replies
    monkeypatch.setattr(replies, "refuses", lambda network: True)
    visitor.sends(text="At what <b>time</b>?", status=429).sees(BUSY)
    assert visitor.field("text") == "At what <b>time</b>?"
    monkeypatch.undo()
    visitor.sends().sees("We received your message", "At what <b>time</b>?")


def test_a_hall_full_of_families_reads_its_answers_from_one_address(family, small, answers, site):
    """An evening event: one Wi-Fi network, 60 requests with a valid reply code."""
    code = asked(family, small)
    answers("Soon.")
    for _ in range(60):
        Family(site).comes_back_with(code).sees("Soon.")


def test_the_code_is_never_in_an_address(family, small, answers, site):
    code = asked(family, small)
    answers("Soon.")
    visitor = Family(site).comes_back_with(code)
    assert visitor.path == "/en/reply"
    assert code not in "".join(link.get("href") or "" for link in visitor.page.all("a"))
