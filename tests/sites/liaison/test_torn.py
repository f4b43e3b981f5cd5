"""The tear-off strip of a paper form: with its code, the answer to a question on paper can be read online."""

from typing import Any

import pytest

from engage.domain.security import access_codes, form_serials
from engage.questionnaire.library import shipped_survey
from engage.storage.models.conversations import Message, Thread
from tests.makers import a_school, a_wave
from tests.people import Family, Liaison
from tests.sites.liaison.conftest import Desk
from tests.sites.liaison.packets import a_packet

pytestmark = pytest.mark.slow

QUESTIONS = "/staff/liaison/questions"
NOTHING_YET = "There is no answer for this code yet"
PAPER = "we may not have typed in your form yet"
SCRIPTS = {
    "Arabic": "٠١٢٣٤٥٦٧٨٩",
    "Burmese": "၀၁၂၃၄၅၆၇၈၉",
    "Devanagari": "०१२३४५६७८९",
    "full width": "０１２３４５６７８９",
}


@pytest.fixture
def strip(site: Any) -> Any:
    """Returns the code that was printed for a serial, in groups of four: derived by the site's key from the serial
    alone."""
    key = site.family.extensions["engage"].secret(access_codes.REPLY_KEY)
    return lambda serial: access_codes.format_reply_code(
        access_codes.derive_reply_code(key, b"sheet" + serial.encode())
    )


@pytest.fixture
def torn(arrange: Any, desk: Desk) -> list[str]:
    """Sheets of a packet with strips: three of an anonymous wave, and three of a confidential one that asks about
    help."""

    def make(session: Any) -> list[str]:
        school = a_school(session)
        sheets = a_packet(session, a_wave(session, "torn", [school]), 3)
        needs = a_wave(session, "needs", [school], shipped_survey("home-access", version=1), identity="confidential")
        return [*sheets, *a_packet(session, needs, 3)]

    return arrange(make)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_answer_is_read_with_the_code_of_the_strip(
    liaison: Liaison, torn: list[str], site: Any, strip: Any, script: str
) -> None:
    liaison.takes(torn[0]).keys({"question": "When is the meeting?"})
    liaison.opens(QUESTIONS).sees(f"paper form {torn[0]}").follows("When is the meeting?")
    liaison.sees(
        f"This came on paper form {torn[0]}.",
        "with the reply code it tore off",
        "also print the answer and take it to the family",
    )
    liaison.answers("On Monday.", "en").follows("Print the answer").sees("Answer to deliver on paper", "On Monday.")
    typed = strip(torn[0]).translate({ord("0") + n: digit for n, digit in enumerate(SCRIPTS[script])})
    family = Family(site).comes_back_with(typed).sees("When is the meeting?", "On Monday.")
    family.sends(text="Thank you.").sees("Thank you.")
    liaison.opens(QUESTIONS).follows("When is the meeting?").sees("Thank you.")


def test_every_code_without_an_answer_gets_the_same_kind_words(
    liaison: Liaison, torn: list[str], site: Any, strip: Any, desk: Desk
) -> None:
    """Not keyed yet; keyed without a question; asked and not answered; never printed; a code that belongs to nobody."""
    liaison.takes(torn[1]).keys({"internet": "no"})
    liaison.takes(torn[2]).keys({"question": "When?"})
    nobody = access_codes.format_reply_code(access_codes.derive_reply_code(b"k" * 32, b"nobody"))
    seen = set()
    for code in (*map(strip, torn[:3]), strip(desk.english[0]), nobody):
        family = Family(site).comes_back_with(code).sees(NOTHING_YET, PAPER)
        seen.add((family.response.status_code, family.page.text.replace(code, "")))
    assert len(seen) == 1


def test_question_and_help_open_behind_one_code(
    liaison: Liaison, torn: list[str], site: Any, strip: Any, stored: Any
) -> None:
    sheet = torn[3]
    liaison.takes(sheet).keys({"help_wanted": ["device"], "question": "How?"})
    assert {one.kind for one in stored(Thread)} == {"question", "help"}
    assert len({one.reply_hash for one in stored(Thread)} - {None}) == 2
    for one in stored(Thread):
        liaison.opens(f"{QUESTIONS}/{one.id}").answers(f"Our word on the {one.kind}.", "en")
    Family(site).comes_back_with(strip(sheet)).sees("Our word on the question.", "Our word on the help.")


def test_correcting_and_taking_out_keep_the_code(
    liaison: Liaison, torn: list[str], site: Any, strip: Any, stored: Any
) -> None:
    sheet = torn[3]
    liaison.takes(sheet).keys({"question": "When"})
    [first] = stored(Thread)
    liaison.takes(sheet).keys({"question": "When is it?"})
    assert [(one.id, one.reply_hash) for one in stored(Thread)] == [(first.id, first.reply_hash)]
    liaison.takes(sheet).sends(button="Withdraw")
    assert stored(Thread) == stored(Message) == []
    liaison.sends(button="Save this form", question="When is it?")
    [again] = stored(Thread)
    assert again.reply_hash == first.reply_hash
    liaison.opens(f"{QUESTIONS}/{again.id}").answers("On Monday.", "en")
    liaison.takes(sheet).sends(button="Withdraw")  # an answered question stays
    liaison.sends(button="Save this form", question="Where is it?")
    Family(site).comes_back_with(strip(sheet)).sees("When is it?", "On Monday.", "Where is it?")
    assert len(stored(Thread)) == 1


def test_a_sheet_corrected_after_it_asked_nothing(liaison: Liaison, torn: list[str], stored: Any) -> None:
    liaison.takes(torn[3]).keys({"internet": "no"})
    assert stored(Thread) == []
    liaison.takes(torn[3]).keys({"question": "When?"})
    [thread] = stored(Thread)
    assert thread.reply_hash


def test_paper_without_a_strip_gets_no_code(
    liaison: Liaison, desk: Desk, torn: list[str], site: Any, strip: Any, stored: Any
) -> None:
    """Printed before packets existed; and a blank form without a print run, keyed without its serial."""
    liaison.takes(desk.english[0]).keys({"question": "When?"})
    liaison.opens("/staff/liaison/keying/unnumbered?wave=torn&school=lincoln&language=en&mode=paper")
    liaison.keys({"question": "Where?"})
    assert [one.reply_hash for one in stored(Thread)] == [None, None]
    for thread in stored(Thread):
        liaison.opens(f"{QUESTIONS}/{thread.id}").sees("family has no reply code").answers("On Monday.", "en")
    for serial in (desk.english[0], form_serials.unregistered_serial(0)):
        Family(site).comes_back_with(strip(serial)).sees(NOTHING_YET)


def test_the_slow_hash_is_made_only_where_something_is_asked(
    liaison: Liaison, desk: Desk, torn: list[str], monkeypatch: Any
) -> None:
    made, right = [], access_codes.hash_reply_code

    def counted(code: str, pepper: bytes) -> str:
        made.append(code)
        return right(code, pepper)

    monkeypatch.setattr(access_codes, "hash_reply_code", counted)
    liaison.takes(torn[0]).keys({"internet": "no"})
    liaison.takes(desk.english[0]).keys({"question": "When?"})
    liaison.takes(torn[1]).sends(button="Save draft and finish later", question="When?")
    assert made == []
    liaison.takes(torn[1]).keys({"question": "When?"})
    assert len(made) == 1
