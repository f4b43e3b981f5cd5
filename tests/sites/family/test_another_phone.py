"""A household continues on another phone with its access code: everything is sent once, and no phone shows what was
answered on another one."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engage.domain.conversations.threads import thread_reply_hash
from engage.domain.intake.draft_authors import (
    add_phone_answers,
    answers_of_phone,
    is_sent_by_other_phone,
    merge_drafts,
    remove_phone,
)
from engage.domain.intake.draft_encryption import DraftContent
from engage.domain.security.access_codes import ACCESS_KEY, REPLY_PEPPER, digest, generate_access_code, hash_reply_code
from engage.questionnaire.library import shipped_survey
from engage.services.waves.invitations import replace_invitation as replace_code
from engage.services.waves.opening import add_unnamed_invitations
from engage.sites.family.device_secret import cookie_name
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.responses import Draft, Response
from engage.storage.models.waves import Wave
from tests.makers import a_school, a_wave
from tests.people import Family

pytestmark = pytest.mark.slow

WAVE = "home"
FIRST = {"children": "3", "internet": "no", "no_internet_reason": "cost"}
CHILD_1 = {"child.1.device": "chromebook", "child.1.owner": "school", "child.1.shared": "not_shared"}
CHILD_2 = {"child.2.device": "tablet", "child.2.owner": "family", "child.2.shared": "shared"}
PRIVATE = ("chromebook", "not_shared", "cost")  # raw values entered on the first phone only


@pytest.fixture
def code(arrange, site):
    """The access code of a household in a confidential wave about learning at home."""
    minted = generate_access_code(Random(5))
    key = site.family.extensions["engage"].secret(ACCESS_KEY)

    def make(session):
        schools, survey = [a_school(session)], shipped_survey("home-access", version=1)
        languages = ("en", "es", "ar")
        wave = a_wave(session, WAVE, schools, survey, identity="confidential", entry="code", languages=languages)
        add_unnamed_invitations(session, wave, "lincoln", "en", [digest(minted, key)])

    arrange(make)
    return minted


@pytest.fixture
def begun(code, site):
    """A phone that has sent the first page and the first child's page."""
    return Family(site).begins_with(code).answers(FIRST).answers(CHILD_1)


def chosen(family):
    """Return the values that the page shows as answered."""
    fields = next(family.page.all("main")).all("input", "textarea")
    marked = [one.get("value") for one in fields if "checked" in one.attributes]
    texts = [one.get("value") for one in fields if one.get("type") == "text"]
    return [value for value in marked + texts if value]


def second(site, code):
    """Another phone, right after "Welcome back"."""
    phone = Family(site).opens(f"/en/c/{code}").sees("Welcome back", "we do not show answers from another phone")
    return phone.sends(button="Continue where I stopped")


def test_the_code_goes_on_after_the_last_page_sent_and_one_response_holds_all(begun, code, site, stored):
    phone = second(site, code)
    assert phone.path.startswith(f"/en/w/{WAVE}/3")
    phone.sees("(2 of 3)").answers(CHILD_2).walks({"child.3.device": "none"}).sees("Answered on another phone")
    phone.sends_answers().sees("Thank you")
    answers = json.loads(stored(Response)[0].answers)
    assert (answers["children"], answers["no_internet_reason"]) == (3, "cost")
    assert [child["device"] for child in answers["child"]] == ["chromebook", "tablet", "none"]
    assert [row for row in stored(Draft) if len(row.sealed) > 400] == []


def test_no_page_of_the_second_phone_shows_an_answer_of_the_first(begun, code, site):
    phone = second(site, code).walks({})
    seen = [phone.response.text]
    for address in (1, 2, "1?check", "2?check", "check", "saved", "clear", "2?blank"):
        phone.opens(f"/en/w/{WAVE}/{address}")
        seen.append(phone.response.text)
        assert chosen(phone) == [], address
    fetched = "".join(seen[:1] + seen[5:8])  # pages without the choices themselves
    assert "Answered on another phone" in fetched
    assert not re.search(r"Chromebook|only this child|costs too much", fetched)


def test_a_page_looks_the_same_whatever_the_other_phone_answered(code, arrange, site):
    """Pages reveal the number of children and nothing else."""
    shown = []
    for number, first in enumerate([FIRST, FIRST | {"internet": "yes", "video": "no"}, {"children": "3"}]):
        phone = Family(site)
        if number:
            phone._goes("POST", f"/en/c/{code}", {"go": "1"}, 200)
            phone.opens(f"/en/w/{WAVE}/1").sends(**first).opens(f"/en/w/{WAVE}/2").sends(**{"child.1.device": "phone"})
        else:
            phone.begins_with(code).answers(first).answers(CHILD_1)
        looking, pages = Family(site), []
        looking._goes("POST", f"/en/c/{code}", {"go": "1"}, 200)
        for address in ("1", "2", "3", "10", "check", "1?check"):
            looking.opens(f"/en/w/{WAVE}/{address}")
            pages.append(looking.response.text)
        shown.append(pages)
    assert shown[0] == shown[1] == shown[2]


def test_the_first_phone_sees_its_own_answers_and_which_ones_were_given_anew_elsewhere(begun, code, site, stored):
    phone = second(site, code).opens(f"/en/w/{WAVE}/2").sees("Answered on another phone")
    phone.sends(**{"child.1.device": "laptop"})
    begun.opens(f"/en/w/{WAVE}/1")
    assert begun.field("children") == "3"
    begun.opens(f"/en/w/{WAVE}/2").sees("Answered on another phone")
    assert begun.field("child.1.owner") == "school"
    assert begun.field("child.1.device") is None
    begun.opens(f"/en/w/{WAVE}/check").sees("The school lent it to us", "Answered on another phone").sends_answers()
    child = json.loads(stored(Response)[0].answers)["child"][0]
    assert child == {"device": "laptop", "owner": "school", "shared": "not_shared"}, "the last answer counts"


def test_blanks_on_the_second_phone_take_nothing_away(begun, code, site, stored):
    phone = second(site, code)
    for page in (1, 2):
        phone.opens(f"/en/w/{WAVE}/{page}").sends()
    phone.opens(f"/en/w/{WAVE}/check").sends_answers()
    answers = json.loads(stored(Response)[0].answers)
    assert answers["children"] == 3
    assert answers["child"][0]["device"] == "chromebook"


def test_what_cannot_be_taken_is_asked_for_again_and_not_shown(code, site, stored):
    Family(site).begins_with(code).sends(children="ninety", internet="no")
    phone = second(site, code).opens(f"/en/w/{WAVE}/1").sees("The answer from the other phone cannot be used")
    assert "ninety" not in phone.response.text
    phone.opens(f"/en/w/{WAVE}/check").sees("The answer from the other phone cannot be used")
    assert "ninety" not in phone.response.text
    phone.opens(f"/en/w/{WAVE}/1").answers(children="1").walks({}).sends_answers()
    assert json.loads(stored(Response)[0].answers) == {"children": 1, "internet": "no"}


def test_a_question_is_answered_under_the_reply_code_of_the_phone_that_asked(begun, code, site, stored):
    begun.opens(f"/en/w/{WAVE}/4").walks({"question": "Is it quiet?", "help_wanted": ["repair"]})
    phone = second(site, code).opens(f"/en/w/{WAVE}/check")
    phone.sees("Answered on another phone", "Did you ask the school something")
    phone.opens(f"/en/w/{WAVE}/10").answers(help_wanted=["device"]).sends_answers()
    assert {one.text for one in stored(Message)} == {"Is it quiet?", "A device for a child"}
    assert {one.kind for one in stored(Thread)} == {"question", "help"}
    assert len({one.reply_hash for one in stored(Thread)}) == 2
    assert phone.page.text.count("You asked the school a question") == 0
    begun.opens(f"/en/w/{WAVE}/1", 410).sees("We received your answers from another phone")
    assert begun.reply_code != phone.reply_code
    hashes = {one.kind: one.reply_hash for one in stored(Thread)}
    pepper = site.family.extensions["engage"].secret(REPLY_PEPPER)
    assert hash_reply_code(begun.reply_code.replace(" ", ""), pepper) == hashes["question"]
    assert thread_reply_hash(hash_reply_code(phone.reply_code.replace(" ", ""), pepper), "help") == hashes["help"]


def test_two_phones_sending_at_the_same_moment_are_one_response(begun, code, site, stored):
    phones = [begun, second(site, code), second(site, code)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda phone: phone.client.post(f"/en/w/{WAVE}/check"), phones))
    assert len(stored(Response)) == 1


def test_a_shared_phone_is_closed_and_the_code_still_goes_on(begun, code, site):
    cookie = begun.cookie(WAVE)
    begun.sends(stop="1").sees(
        "Saved. Come back any time.", "On any phone: type the code", "Do others use this phone or computer?"
    )
    begun.sends(button="Close on this phone").sees("Your answers are closed on this phone")
    assert begun.cookie(WAVE) is None
    begun.client.set_cookie(cookie_name(WAVE, secure=False), cookie)
    begun.opens(f"/en/w/{WAVE}/1").sees("The code on your letter or slip"), "the old cookie opens nothing any more"
    assert second(site, code).path.startswith(f"/en/w/{WAVE}/3")


def test_clearing_takes_the_own_answers_and_leaves_those_of_the_other_phone(begun, code, site, stored):
    phone = second(site, code).answers(CHILD_2)
    phone.follows("Clear my answers").sees("cannot be undone", "Answers from another phone are kept")
    phone.sends(button="Clear my answers").sees("Your answers are cleared")
    begun.opens(f"/en/w/{WAVE}/check").sees("A Chromebook").sees_no("A tablet", "Answered on another phone")


def test_a_new_code_of_the_household_carries_what_was_kept(begun, code, arrange, site, stored):
    key = site.family.extensions["engage"].secret(ACCESS_KEY)
    new = generate_access_code(Random(6))

    def swap(session):
        replace_code(session, session.get(Wave, WAVE), digest(code, key), digest(new, key), lambda _: False)

    arrange(swap)
    begun.opens(f"/en/c/{new}").sees("Welcome back").sends(button="Continue where I stopped")
    begun.opens(f"/en/w/{WAVE}/1")
    assert begun.field("children") == "3"
    second(site, new).walks({}).sends_answers()
    assert json.loads(stored(Response)[0].answers)["child"][0]["device"] == "chromebook"


def test_starting_again_throws_away_nothing(begun, code, site, stored):
    phone = Family(site).opens(f"/en/c/{code}").sends(button="Start again from the beginning")
    assert phone.path.startswith(f"/en/w/{WAVE}/1")
    begun.opens(f"/en/w/{WAVE}/2")
    assert "chromebook" in chosen(begun)


def test_in_an_anonymous_wave_no_code_opens_what_another_phone_began(private, site):
    family = Family(site).begins_with(private[0]).answers(children="2")
    other = Family(site).opens(f"/en/c/{private[0]}").sees("Start").sees_no("Welcome back").sends()
    assert other.field("children") == ""
    assert family.opens("/en/w/private/1").field("children") == "2"


# Properties of a household's draft, for any sequence of actions

KEYS = ("a", "b", "c")
PHONES = ("1" * 16, "2" * 16, "3" * 16)
pages = st.dictionaries(st.sampled_from(KEYS), st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=2))
deeds = st.lists(st.tuples(st.sampled_from(PHONES), st.integers(1, 3), pages), max_size=12)


def played(deeds):
    """Return the draft after these actions, and a simple record of who gave the last answer to each question."""
    kept, last = DraftContent("lincoln", "d", None, {}), {}
    for phone, page, answers in deeds:
        sent = {f"{key}{page}": values for key, values in answers.items()}
        keys = [f"{key}{page}" for key in KEYS]
        kept = add_phone_answers(kept, sent, keys, page, True, phone)
        for key in keys:
            if key in sent:
                last[key] = (phone, sent[key])
            elif last.get(key, ("",))[0] == phone:
                del last[key]
    return kept, last


@given(deeds)
def test_each_phone_reads_its_own_answers_and_no_other(deeds):
    kept, last = played(deeds)
    assert {name: values for name, values in kept.raw.items() if name != "~seen"} == {
        k: v for k, (_, v) in last.items()
    }
    for phone in PHONES:
        own = {name: values for name, values in answers_of_phone(kept, phone).items() if name != "~seen"}
        assert own == {key: values for key, (who, values) in last.items() if who == phone}
        for page in (1, 2, 3):
            others = any(who != phone and number == page for who, number, _ in deeds)
            own_all = all(last.get(f"{key}{page}", ("",))[0] == phone for key in KEYS)
            assert is_sent_by_other_phone(kept, phone, page, [f"{key}{page}" for key in KEYS]) == (
                others and not own_all
            )


@given(deeds, st.sampled_from(PHONES))
def test_clearing_a_phone_leaves_what_others_answered(deeds, phone):
    kept, last = played(deeds)
    left = remove_phone(kept, phone)
    assert {k: v for k, v in left.raw.items() if k != "~seen"} == {k: v for k, (w, v) in last.items() if w != phone}
    assert left.seen == {page for who, page, _ in deeds if who != phone}
    assert not any(phone in who for who in left.authors.values())


@given(deeds, deeds)
def test_two_drafts_of_a_household_are_joined_without_loss(first, then):
    (kept, last), (old, before) = played(then), played(first)
    both = merge_drafts(kept, old)
    assert {k: v for k, v in both.raw.items() if k != "~seen"} == {k: v for k, (_, v) in (before | last).items()}
    assert both.seen == kept.seen | old.seen
