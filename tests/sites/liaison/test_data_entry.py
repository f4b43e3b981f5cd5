"""Keying without JavaScript: paper forms are entered once and can be corrected."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from engage.domain.intake.group_encryption import ResponseGroup
from engage.domain.security.form_serials import unregistered_serial
from engage.services.waves.opening import add_unnamed_invitations
from engage.storage.engine import write_session
from engage.storage.models.audit import AuditEvent
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.paper import Keying, KeyingDraft, Packet, Sheet
from engage.storage.models.responses import Response
from engage.storage.models.staff import Staff, StaffSession
from engage.storage.models.waves import Wave
from tests.makers import PASSWORD, a_school, a_wave, printed_sheets, staff
from tests.people import Family, Liaison, StaffMember
from tests.sites.liaison.conftest import Desk

pytestmark = pytest.mark.slow

ACTIONS = ("autosave", "draft", "add-block", "save", "withdraw", "spoil", "restore")

FULL = {
    "children": "2",
    "internet": "yes",
    "speed": "fairly",
    "where": ["library", "work"],
    "child.1.grade": "3rd",
    "child.2.grade": "Kinder",
    "moved": "2020-08-01",
    "question": "When is the meeting?\nWe work late.",
}


def state_of(stored: Any, serial: str) -> str:
    return next(sheet.state for sheet in stored(Sheet) if sheet.serial == serial)


def test_a_sheet_is_keyed_and_the_next_serial_waits(liaison: Liaison, desk: Desk, stored: Any, groups: Any) -> None:
    liaison.takes(desk.english[0]).sees(f"Enter form {desk.english[0]}", "Is there internet at home?")
    liaison.keys(FULL).sees(f"Form {desk.english[0]} was saved", "7 questions are answered", "Correct or withdraw")
    assert liaison.path.startswith("/staff/liaison/keying?saved=")
    field = next(one for one in liaison.page.all("input") if one.get("name") == "serial")
    assert "autofocus" in field.attributes
    assert not field.get("value")
    [response] = stored(Response)
    [keying] = stored(Keying)
    assert (response.mode, response.language, response.school_id) == ("mul", "mul", None)
    assert groups() == [ResponseGroup("lincoln", "en", "paper", "en")]
    assert response.wave_id == "fall"
    assert response.provenance == keying.id
    assert keying.serial == desk.english[0]
    assert state_of(stored, desk.english[0]) == "keyed"
    assert state_of(stored, desk.english[1]) == "printed"


def test_paper_and_phone_give_the_same_bytes(liaison: Liaison, desk: Desk, site: Any, stored: Any) -> None:
    answers: dict[str, Any] = {
        "children": "2",
        "internet": "yes",
        "internet_kind": "cellular",
        "video": "~dont_know",
        "child.1.device": "laptop",
        "child.1.owner": "school",
        "child.1.shared": "~refused",
        "child.2.device": "none",
        "where_else": ["relative", "library"],
        "help_wanted": ["internet", "repair"],
        "question": "¿Cuándo? \r\n  Gracias ",
    }
    Family(site).begins("access", school="lincoln").walks(answers).sends_answers()
    liaison.takes(desk.access[0]).keys(answers)
    phone, paper = sorted(stored(Response), key=lambda each: each.mode != "web")
    assert paper.mode == "paper"
    assert paper.answers == phone.answers
    assert json.loads(paper.answers)["child"] == [
        {"device": "laptop", "owner": "school", "shared": {"missing": "refused"}},
        {"device": "none"},
    ]


@pytest.mark.parametrize("typed", ["{}", " {} ", "plain", "spaced", "arabic"])
def test_a_serial_is_read_however_it_is_typed(liaison: Liaison, desk: Desk, typed: str) -> None:
    serial = desk.english[0]
    ways = {
        "plain": serial.replace("-", "").lower(),
        "spaced": " ".join(serial.lower()),
        "arabic": serial.translate({ord("0") + n: 0x660 + n for n in range(10)}),
    }
    liaison.takes(ways.get(typed, typed.format(serial))).sees(f"Enter form {serial}")


def test_a_slip_in_the_serial_is_told(liaison: Liaison, desk: Desk) -> None:
    serial = desk.english[0]
    wrong = serial[:-1] + ("2" if serial[-1] != "2" else "3")
    liaison.takes(wrong, status=422).sees("This is not a form number")
    assert liaison.field("serial") == wrong
    liaison.takes("<b>'; drop table sheets", status=422).sees("This is not a form number")


def test_foreign_and_unknown_serials_look_alike(liaison: Liaison, desk: Desk, site: Any) -> None:
    said = liaison.takes(desk.foreign[0], status=404).page.text.replace(desk.foreign[0], "")
    unknown = "222-222"
    assert liaison.takes(unknown, status=404).page.text.replace(unknown, "") == said
    liaison.opens(f"/staff/liaison/keying/sheets/{desk.foreign[0]}", status=404)
    cedar = Liaison(site)
    cedar.signs_in("ced@district.example", PASSWORD)
    cedar.takes(desk.foreign[0]).keys({"internet": "no"})
    saved = cedar.path.partition("=")[2]
    liaison.opens(f"/staff/liaison/keying?saved={saved}").sees_no(desk.foreign[0])


def test_only_those_who_key_may_come_in(site: Any, desk: Desk, arrange: Any) -> None:
    paths = ["/staff/liaison/keying" + end for end in ("", f"/sheets/{desk.english[0]}", "/unnumbered")]
    for role in ("administrator", "leader", "translator"):
        arrange(lambda session, role=role: staff(session, role, email=f"{role}@district.example"))
        person = StaffMember(site)
        person.signs_in(f"{role}@district.example", PASSWORD)
        for path in paths:
            person.opens(path, status=403)
    stranger = StaffMember(site)
    for path in paths:
        stranger.opens(path)
        assert stranger.path.startswith("/staff/login")


def test_the_same_sheet_sent_twice_is_one_response(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.english[0])
    form, address = liaison._form("Save this form"), liaison.path
    liaison.keys(FULL)
    liaison.page, liaison.path = _around(form), address  # the browser's Back button, then the same button
    liaison.keys(FULL).sees("was saved")
    assert len(stored(Response)) == len(stored(Keying)) == len(stored(Thread)) == len(stored(Message)) == 1
    assert [wave.edits for wave in stored(Wave) if wave.id == "fall"] == [0]


def _around(element: Any) -> Any:
    while element.parent is not None:
        element = element.parent
    return element


def test_two_people_with_one_sheet_lose_nothing(liaison: Liaison, second: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.known[0])
    second.takes(desk.known[0]).keys({"internet": "no"})
    liaison.keys({"internet": "yes", "children": "3"}, status=409).sees("saved this form after you opened it")
    assert (liaison.field("internet"), liaison.field("children")) == ("yes", "3")
    assert json.loads(stored(Response)[0].answers) == {"internet": "no"}
    liaison.keys({}).sees("was saved")
    assert json.loads(stored(Response)[0].answers) == {"children": 3, "internet": "yes"}


def test_the_same_moment_is_no_trouble(liaison: Liaison, second: Liaison, desk: Desk, stored: Any) -> None:
    sheets = desk.known
    for serial in sheets:
        sent = []
        for person in (liaison, second):
            person.takes(serial)
            data = {"csrf_token": person.field("csrf_token"), "seen": "new", "blocks": "3", "mode": "paper"}
            sent.append(
                (person.client, person.path + "/save", data | {"internet": "yes" if person is second else "no"})
            )
        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(lambda one: one[0].post(one[1], data=one[2]).status_code, sent))
        assert sorted(answers) == [302, 409]
    assert sorted(keying.serial for keying in stored(Keying)) == sorted(sheets)
    assert {response.provenance for response in stored(Response)} == {keying.id for keying in stored(Keying)}
    for response in stored(Response):
        keying = next(keying for keying in stored(Keying) if keying.id == response.provenance)
        assert [json.loads(response.answers)["internet"]] == json.loads(keying.raw)["internet"]


def test_correcting_shows_the_raw_marks_and_counts_anew(
    liaison: Liaison, second: Liaison, desk: Desk, stored: Any
) -> None:
    liaison.takes(desk.known[0]).keys(FULL | {"speed": "~two_marks"})
    second.takes(desk.known[0]).sees("This form was entered by A liaison on October 14, 2026")
    assert second.field("speed") == "~two_marks"
    assert second.field("child.2.grade") == "Kinder"
    second.keys({"speed": "well", "children": None})
    [keying] = stored(Keying)
    [response] = stored(Response)
    assert keying.corrected_at is not None
    assert json.loads(keying.raw)["speed"] == ["well"]
    assert json.loads(response.answers)["speed"] == "well"
    assert "children" not in json.loads(response.answers)
    assert [wave.edits for wave in stored(Wave) if wave.id == "known"] == [1]


def test_nothing_printed_is_refused(liaison: Liaison, desk: Desk, stored: Any) -> None:
    odd = {
        "children": "9",
        "internet": "no",
        "speed": "well",
        "where": ["library", "nowhere"],
        "child.3.grade": "5",
        "moved": "next week",
    }
    liaison.takes(desk.english[0]).keys(odd)
    liaison.sees(
        "Question 1: The number is larger than 4. It is saved as written.",
        "Question 3: The earlier answers skip this question",
        "Question 4: A choice that must be marked alone is marked together with others.",
        "Question 6: This is not a date like \u200e2026-09-30",
    )
    [keying] = stored(Keying)
    raw = {name: values if len(values) > 1 else values[0] for name, values in json.loads(keying.raw).items()}
    assert raw == odd
    document = json.loads(stored(Response)[0].answers)
    assert document["children"] == 9
    assert document["where"] == ["library", "nowhere"]
    assert document["moved"] == {"missing": "unclear"}
    assert "speed" not in document


def test_more_children_than_counted_are_remarked(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.english[0]).keys({"children": "1", "child.1.grade": "1", "child.2.grade": "2"})
    liaison.sees("The form describes 2 children, but the number of children given is different.")
    assert json.loads(stored(Response)[0].answers)["child"] == [{"grade": "1"}, {"grade": "2"}]


def test_a_good_sheet_has_no_remarks(liaison: Liaison, desk: Desk) -> None:
    liaison.takes(desk.english[0]).keys(FULL).sees_no("Check these answers")
    ways = {"internet": "~unclear", "where": ["~unclear"], "moved~": "two_marks", "children~": "refused"}
    liaison.takes(desk.english[1]).keys(ways).sees_no("Check these answers")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("internet", "maybe"),
        ("internet", "~two_marks"),
        ("internet", "<script>alert(1)</script>"),
        ("where", "~two_marks"),
        ("children~", "~unclear"),
        ("children~", "dance"),
        ("internet~", "unclear"),
        ("mode", "web"),
        ("question", "x" * 30_000),
    ],
)
def test_what_no_page_offers_is_turned_away(liaison: Liaison, desk: Desk, stored: Any, field: str, value: str) -> None:
    fine = (field, value) == ("internet", "~two_marks")
    liaison.takes(desk.english[0])
    token = liaison.field("csrf_token")
    data = {"csrf_token": token, "seen": "new", "blocks": "3", "mode": "paper", field: value}
    liaison.response = liaison.client.post(liaison.path + "/save", data=data, base_url=liaison.base_url)
    assert liaison.response.status_code == (302 if fine else 400)
    assert len(stored(Keying)) == fine


@pytest.mark.parametrize("blocks", ["", "-1", "1e9", "٣", "99999999999999999999", "x" * 300])
def test_a_strange_count_of_blocks_does_no_harm(liaison: Liaison, desk: Desk, blocks: str) -> None:
    liaison.takes(desk.english[0])
    data = {"csrf_token": liaison.field("csrf_token"), "seen": "new", "blocks": blocks, "mode": "paper"}
    assert liaison.client.post(liaison.path + "/add-block", data=data, base_url=liaison.base_url).status_code == 302
    liaison.takes(desk.english[0]).sees("You started this form earlier")


def test_hostile_words_stay_words(liaison: Liaison, desk: Desk, stored: Any) -> None:
    words = "</textarea><script>alert(1)</script> {{7*7}} =1+1 \x00\u202e"
    liaison.takes(desk.known[0]).keys({"question": words})
    kept = json.loads(stored(Keying)[0].raw)["question"]
    assert kept == [words]
    [message] = stored(Message)
    assert message.text == "</textarea><script>alert(1)</script> {{7*7}} =1+1"
    liaison.takes(desk.known[0])
    assert not any(script.text for script in liaison.page.all("script"))
    liaison.opens(f"/staff/liaison/questions/{stored(Thread)[0].id}").sees("<script>alert(1)</script>")


def test_a_question_on_paper_opens_one_thread_and_is_put_right(
    liaison: Liaison, desk: Desk, stored: Any, engine: Any
) -> None:
    liaison.takes(desk.spanish[0]).keys({"question": "¿Cuándo?"})
    [thread] = stored(Thread)
    assert (thread.serial, thread.reply_hash, thread.kind, thread.language) == (desk.spanish[0], None, "question", "es")
    liaison.takes(desk.spanish[0]).keys({"question": "¿Cuándo es?"})
    assert [message.text for message in stored(Message)] == ["¿Cuándo es?"]
    liaison.opens(f"/staff/liaison/questions/{thread.id}").answers("El lunes.", "es")
    liaison.takes(desk.spanish[0]).keys({"question": "¿Dónde es?"})
    assert [message.text for message in sorted(stored(Message), key=lambda each: each.position)] == [
        "¿Cuándo es?",
        "El lunes.",
        "¿Dónde es?",
    ]
    liaison.takes(desk.spanish[0]).keys({"question": None})
    assert len(stored(Thread)) == 1


def test_help_wanted_on_paper_is_put_down_in_english_for_the_staff(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.access[0]).keys({"help_wanted": ["device", "interpreter"]})
    [thread] = stored(Thread)
    [message] = stored(Message)
    assert (thread.kind, thread.serial) == ("help", desk.access[0])
    assert message.text == "A device for a child, Someone who speaks our language"
    liaison.takes(desk.access[0]).keys({"help_wanted": ["none"]})
    assert stored(Thread) == []


def test_a_spoiled_sheet_and_one_that_can_be_used_after_all(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.english[0]).sends(button="Mark this form as spoiled")
    liaison.sees(f"Form {desk.english[0]} was marked as spoiled.")
    assert state_of(stored, desk.english[0]) == "spoiled"
    assert stored(Response) == []
    liaison.takes(desk.english[0]).sees("This form is marked as spoiled")
    liaison.sends(button="Mark as usable").sees_no("is marked as spoiled")
    assert state_of(stored, desk.english[0]) == "printed"
    liaison.keys({"internet": "no"})
    assert state_of(stored, desk.english[0]) == "keyed"
    liaison.takes(desk.english[0]).sees_no("Mark this form as spoiled")


def test_a_sheet_can_be_taken_out_again(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.known[0]).keys(FULL)
    liaison.takes(desk.known[0]).sends(button="Withdraw")
    liaison.sees("The form was withdrawn")
    assert stored(Response) == stored(Keying) == stored(Thread) == []
    assert state_of(stored, desk.known[0]) == "printed"
    assert [wave.edits for wave in stored(Wave) if wave.id == "known"] == [1]
    assert liaison.field("child.2.grade") == "Kinder"
    liaison.keys({})
    assert len(stored(Response)) == len(stored(Thread)) == 1
    assert stored(KeyingDraft) == []


def test_withdrawing_twice_is_withdrawing_once(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.known[0]).keys(FULL)
    liaison.takes(desk.known[0])
    form, address = liaison._form("Withdraw"), liaison.path
    liaison.sends(button="Withdraw").sees("The form was withdrawn")
    liaison.page, liaison.path = _around(form), address
    liaison.sends(button="Withdraw").sees_no("The form was withdrawn")
    assert liaison.field("child.2.grade") == "Kinder"
    assert [event.deed for event in stored(AuditEvent)].count("correct answers") == 1


@pytest.mark.parametrize("button", ["Mark this form as spoiled", "Mark as usable"])
def test_a_sheet_keyed_by_another_is_not_marked(
    liaison: Liaison, second: Liaison, desk: Desk, stored: Any, button: str
) -> None:
    if button == "Mark as usable":
        liaison.takes(desk.known[0]).sends(button="Mark this form as spoiled")
    liaison.takes(desk.known[0])
    second.takes(desk.known[0]).keys({"internet": "no"})
    liaison.sends(button=button, status=409, internet="yes").sees("saved this form after you opened it")
    assert liaison.field("internet") == "yes"
    assert state_of(stored, desk.known[0]) == "keyed"
    assert json.loads(stored(Response)[0].answers) == {"internet": "no"}
    liaison.keys({}).sees("was saved")
    assert json.loads(stored(Response)[0].answers) == {"internet": "yes"}


@pytest.mark.parametrize("action", ACTIONS)
def test_the_address_of_an_action_leads_to_the_sheet(liaison: Liaison, desk: Desk, action: str) -> None:
    """A person who is signed out when sending, and signs in again, is redirected to such a URL."""
    path = f"/staff/liaison/keying/sheets/{desk.english[0]}"
    liaison.opens(f"{path}/{action}")
    assert liaison.path == path
    liaison.opens(f"/staff/liaison/keying/sheets/{desk.foreign[0]}/{action}", status=404)
    liaison.opens("/staff/liaison/keying/unnumbered?wave=fall&school=lincoln&language=es&mode=interview")
    address, _, query = liaison.path.partition("?")
    liaison.opens(f"{address}/{action}?{query}").sees("Enter a form without a number")


def test_signing_in_again_leads_back_to_the_sheet(liaison: Liaison, desk: Desk, arrange: Any) -> None:
    liaison.takes(desk.english[0])
    path = liaison.path
    arrange(lambda session: session.query(StaffSession).delete())
    liaison.keys({"internet": "no"})
    assert liaison.path.startswith("/staff/login")
    liaison.sends(email="lin@district.example", password=PASSWORD).sees(f"Enter form {desk.english[0]}")
    assert liaison.path == path


@pytest.mark.parametrize("action", ["spoil", "restore"])
def test_only_a_numbered_sheet_is_spoiled(liaison: Liaison, desk: Desk, action: str) -> None:
    liaison.opens("/staff/liaison/keying/unnumbered?wave=fall&school=lincoln&language=es&mode=paper")
    address, _, query = liaison.path.partition("?")
    data = {"csrf_token": liaison.field("csrf_token"), "seen": "new", "mode": "paper"}
    assert liaison.client.post(f"{address}/{action}?{query}", data=data).status_code == 405


def test_an_unfinished_sheet_waits_for_its_keyer_only(
    liaison: Liaison, second: Liaison, desk: Desk, stored: Any
) -> None:
    liaison.takes(desk.english[0]).sends(button="Save draft and finish later", internet="yes", children="2")
    liaison.sees("Your draft was saved.")
    assert liaison.field("internet") == "yes"
    second.takes(desk.english[0])
    assert second.field("internet") == ""
    liaison.opens("/staff/liaison/keying").sees("Unfinished forms", desk.english[0], "2 questions are answered")
    liaison.follows("Continue").sees("Everything you entered is still here")
    liaison.keys({})
    assert stored(KeyingDraft) == []
    liaison.opens("/staff/liaison/keying").sees_no("Unfinished forms")


def test_an_unfinished_sheet_is_destroyed_after_ninety_days(
    liaison: Liaison, desk: Desk, arrange: Any, stored: Any
) -> None:
    kept, old, others = (
        KeyingDraft(
            keyed_by=keyer,
            sheet=serial,
            wave_id="fall",
            school_id="lincoln",
            language="en",
            mode="paper",
            blocks=3,
            raw='{"internet":["no"]}',
            touched_at=datetime(2026, 10, 14, 18) - timedelta(days=days),
        )
        for serial, keyer, days in ((desk.english[0], 1, 90), (desk.english[1], 1, 91), (desk.spanish[0], 2, 400))
    )
    arrange(lambda session: session.add_all([kept, old, others]))
    liaison.opens("/staff/liaison/keying").sees(desk.english[0]).sees_no(desk.english[1])
    assert [draft.sheet for draft in stored(KeyingDraft)] == [desk.english[0]]
    liaison.opens("/staff/liaison/keying").sees(desk.english[0])


def test_every_answer_is_kept_on_the_way(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.english[0])
    form = next(form for form in liaison.page.all("form") if "data-draft" in form.attributes)
    data = {"csrf_token": liaison.field("csrf_token"), "seen": "new", "blocks": "3", "mode": "interview"}
    data["internet"] = "no"
    assert liaison.client.post(form.attributes["data-draft"], data=data).status_code == 204
    [draft] = stored(KeyingDraft)
    assert (draft.sheet, draft.mode, json.loads(draft.raw)) == (desk.english[0], "interview", {"internet": ["no"]})
    liaison.keys({"internet": "no"})
    assert liaison.client.post(form.attributes["data-draft"], data=data).status_code == 204
    assert stored(KeyingDraft) == []  # too late: the sheet is saved
    assert stored(Keying)[0].mode == "paper"


def test_one_more_child_than_is_printed(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.access[0])
    liaison.sends(button="Add a child", internet="no", **{"child.3.device": "tablet"})
    assert liaison.field("child.4.device") == ""
    assert liaison.field("child.3.device") == "tablet"
    for _ in range(4):
        liaison.sends(button="Add a child")
    assert not [button for button in liaison.page.all("button") if button.text == "Add a child"]
    liaison.keys({"child.8.device": "phone"})
    assert json.loads(stored(Response)[0].answers)["child"][7] == {"device": "phone"}
    liaison.takes(desk.access[0])
    assert liaison.field("child.8.device") == "phone"


def test_a_sheet_without_serial(liaison: Liaison, second: Liaison, desk: Desk, stored: Any, groups: Any) -> None:
    liaison.opens("/staff/liaison/keying").follows("The form number cannot be read")
    liaison.opens("/staff/liaison/keying/unnumbered?wave=fall&school=lincoln&language=es&mode=interview")
    liaison.sees("Enter a form without a number")
    assert liaison.field("mode") == "interview"
    form, address = liaison._form("Save this form"), liaison.path
    liaison.keys({"internet": "no", "question": "¿Cuándo?"}).sees("The form without a number was saved.")
    [keying] = stored(Keying)
    [response] = stored(Response)
    [thread] = stored(Thread)
    assert (keying.serial, keying.mode, keying.language) == (None, "interview", "es")
    assert ([group.mode for group in groups()], response.provenance, thread.serial) == (["interview"], keying.id, None)
    liaison.page, liaison.path = _around(form), address
    liaison.keys({"internet": "no", "question": "¿Cuándo?", "mode": "interview"})
    assert len(stored(Response)) == len(stored(Thread)) == 1
    second.opens(address.split("?")[0]).sees("This form has been entered.")
    liaison.opens(address.split("?")[0]).keys({"internet": "yes"})
    assert json.loads(stored(Response)[0].answers)["internet"] == "yes"
    assert len(stored(Thread)) == 1


@pytest.mark.parametrize(
    "query",
    [
        "wave=fall&school=cedar&language=en&mode=paper",
        "wave=nowhere&school=lincoln&language=en&mode=paper",
        "wave=fall&school=&language=en&mode=paper",
        "wave=&school=&language=&mode=",
        "wave=fall&school=lincoln&language=xx&mode=paper",
        "wave=fall&school=lincoln&language=en&mode=web",
        "wave=fall%00&school=lincoln&language=en",
    ],
)
def test_nothing_foreign_can_be_chosen(liaison: Liaison, desk: Desk, query: str) -> None:
    liaison.opens(f"/staff/liaison/keying/unnumbered?{query}", status=422).sees("Choose an option from the list.")


def test_a_language_the_survey_is_not_asked_in(liaison: Liaison, desk: Desk, arrange: Any) -> None:
    arrange(lambda session: a_wave(session, "spring", [a_school(session)], languages=("en", "so")))
    liaison.opens("/staff/liaison/keying/unnumbered?wave=fall&school=lincoln&language=so&mode=paper", status=422)
    liaison.sees("This survey is not offered in this language.")


@pytest.mark.parametrize(
    "path",
    [
        "/staff/liaison/keying/papers/" + "0" * 32,
        "/staff/liaison/keying/papers/" + "0" * 32 + "?wave=fall&school=cedar&language=en",
        "/staff/liaison/keying/papers/" + "0" * 32 + "?wave=fall%00&school=lincoln&language=en",
        "/staff/liaison/keying/papers/" + "0" * 32 + "?wave=fall&school=lincoln&language=so",
        "/staff/liaison/keying/papers/short?wave=fall&school=lincoln&language=en",
        "/staff/liaison/keying/sheets/%00",
        "/staff/liaison/keying/sheets/..%2f..%2fetc",
    ],
)
def test_made_up_addresses_are_not_found(liaison: Liaison, desk: Desk, path: str) -> None:
    liaison.opens(path, status=404)


def test_an_unregistered_sheet_asks_what_it_is(liaison: Liaison) -> None:
    liaison.takes(unregistered_serial(7))
    liaison.sees("Form without a number", "was printed as a blank copy that is not registered")


def test_today_lists_what_this_person_keyed(liaison: Liaison, second: Liaison, desk: Desk) -> None:
    liaison.takes(desk.english[0]).keys(FULL)
    liaison.takes(desk.spanish[0]).keys({})
    second.takes(desk.english[1]).keys({})
    liaison.opens("/staff/liaison/keying").sees("2 forms", desk.english[0], desk.spanish[0], "1:00 PM")
    liaison.sees_no(desk.english[1])


def test_an_empty_sheet_is_a_response_too(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.english[0]).keys({}).sees("0 questions are answered")
    assert stored(Response)[0].answers == "{}"


def test_the_papers_own_language_and_the_keyers(liaison: Liaison, desk: Desk, engine: Any, site: Any) -> None:
    liaison.takes(desk.access[0])
    assert not [one for one in liaison.page.all("small") if "own" in (one.get("class") or "")]
    with write_session(engine) as session:
        for person in session.query(Staff):
            person.language = "ar"
        session.commit()
    arabic = Liaison(site)
    arabic.opens("/staff/login").sends(email="lin@district.example", password=PASSWORD)
    arabic.takes(desk.access[0])
    assert arabic.language == "ar"
    assert any(one.get("lang") == "en" and one.text == "Is there internet at home?" for one in arabic.page.all("span"))
    assert any("own" in (one.get("class") or "") for one in arabic.page.all("small"))


def test_a_token_is_needed(liaison: Liaison, desk: Desk, stored: Any) -> None:
    path = f"/staff/liaison/keying/sheets/{desk.english[0]}"
    for action in ACTIONS:
        assert liaison.client.post(f"{path}/{action}", data={"seen": "new", "mode": "paper"}).status_code == 400
    assert stored(Keying) == stored(KeyingDraft) == []
    assert state_of(stored, desk.english[0]) == "printed"


# Anonymous waves: no sheet is linked to its answers


def test_a_sheet_of_an_anonymous_wave_is_its_keyers_alone(
    liaison: Liaison, second: Liaison, desk: Desk, stored: Any
) -> None:
    serial, told = desk.english[0], "Only the person who entered it can change it"
    liaison.takes(serial).keys(FULL)
    before = stored(Keying)[0].raw
    second.takes(serial).sees(told).sees_no("fairly")
    keying_id = stored(Keying)[0].id
    second.opens(f"/staff/liaison/keying?saved={keying_id}").sees_no("was saved")
    second.opens(f"/staff/liaison/keying/papers/{keying_id}", status=404)
    other = desk.english[1]
    token = second.takes(other).field("csrf_token")
    data = {"csrf_token": token, "seen": "new", "blocks": "3", "mode": "paper", "internet": "no"}
    for action in ACTIONS:
        answer = second.client.post(f"/staff/liaison/keying/sheets/{serial}/{action}", data=data)
        assert answer.status_code == (204 if action == "autosave" else 302)
    assert [each.raw for each in stored(Keying)] == [before]
    assert stored(KeyingDraft) == []
    liaison.takes(serial).keys({"internet": "no"})
    assert json.loads(stored(Response)[0].answers)["internet"] == "no"


def test_a_sheet_of_an_anonymous_wave_is_shut_after_14_days(
    liaison: Liaison, desk: Desk, stored: Any, engine: Any
) -> None:
    liaison.takes(desk.english[0]).keys(FULL)
    for days, shown in ((13, f"Enter form {desk.english[0]}"), (1, "Only the person who entered it can change it")):
        with write_session(engine) as session:
            [keying] = session.query(Keying)
            keying.keyed_at -= timedelta(days=days)
            session.commit()
        liaison.takes(desk.english[0]).sees(shown)
    with write_session(engine) as session:
        session.delete(*session.query(Keying))
        session.commit()
    liaison.takes(desk.english[0]).sees("Only the person who entered it can change it, and only for 14 days.")
    assert len(stored(Response)) == 1


def test_the_words_of_an_anonymous_sheet_stand_in_its_thread_alone(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.english[0]).keys(FULL)
    liaison.takes(desk.english[0])
    assert liaison.field("question") == ""
    liaison.keys({"internet": "no"})
    assert "question" not in json.loads(stored(Keying)[0].raw)
    assert stored(KeyingDraft) == []
    assert [message.text for message in stored(Message)] == [FULL["question"]], "a correction takes nothing back"
    liaison.takes(desk.english[0]).keys({"question": "When is it?"})
    assert [message.text for message in stored(Message)] == ["When is it?"]
    liaison.takes(desk.english[0]).sends(button="Withdraw")
    assert stored(Thread) == stored(Keying) == []


def test_the_language_of_few_is_kept_nowhere_but_in_the_thread(
    liaison: Liaison, desk: Desk, arrange: Any, stored: Any, groups: Any
) -> None:
    def make(session: Any) -> str:
        wave = a_wave(session, "small", entry="code")
        for language, number in (("en", 20), ("es", 3)):
            add_unnamed_invitations(
                session, wave, "lincoln", language, [f"{language}{n:02}".ljust(64, "x") for n in range(number)]
            )
        return printed_sheets(session, wave, session.query(Staff).first(), language="es")[0]

    serial = arrange(make)
    liaison.takes(serial).keys({"internet": "no", "question": "¿Cuándo?"})
    assert {each.language for each in (*stored(Keying), *stored(Response), *groups())} == {"mul"}
    assert {group.answered_in for group in groups()} == {"mul"}
    assert [thread.language for thread in stored(Thread)] == ["es"]
    liaison.takes(serial).keys({"internet": "yes"})
    address = "/staff/liaison/keying/unnumbered?wave=small&school=lincoln&language=es&mode=paper"
    liaison.opens(address).keys({"internet": "no"}).sees("The form without a number was saved.")
    liaison.follows("Correct or withdraw").keys({"internet": "yes"})
    assert {json.loads(each.answers)["internet"] for each in stored(Response)} == {"yes"}


def test_the_audit_log_names_no_sheet_of_an_anonymous_wave(
    liaison: Liaison, desk: Desk, stored: Any, works: Callable[[], None]
) -> None:
    """All recorded actions of liaisons on sheets of an anonymous wave."""
    first, second = desk.english
    liaison.takes(first).keys(FULL).opens("/staff/liaison/keying")
    liaison.takes(first).keys({"internet": "no"})
    liaison.takes(first).sends(button="Withdraw")
    liaison.takes(first).keys(FULL)
    liaison.takes(second).sends(button="Mark this form as spoiled")
    liaison.opens("/staff/liaison/print").sends(
        button="Create the packet",
        wave="fall",
        school="lincoln",
        shown="fall lincoln",
        contents="blanks",
        **{"copies-en": "2"},
    )
    works()
    [packet] = stored(Packet)
    liaison.client.get(f"/staff/liaison/packets/{packet.id}.pdf", base_url=liaison.base_url).close()
    [thread] = stored(Thread)
    liaison.opens(f"/staff/liaison/questions/{thread.id}").answers("At six.", "en")
    liaison.sends(button="Mark as delivered").sees("The form number was deleted")
    assert stored(Thread)[0].serial is None
    written = "\n".join(f"{event.about} {event.detail}" for event in stored(AuditEvent))
    assert {"correct answers", "download packet"} <= {event.deed for event in stored(AuditEvent)}
    names = [sheet.serial for sheet in stored(Sheet)] + [keying.id for keying in stored(Keying)]
    names += [thread.id, *(response.id for response in stored(Response))]
    assert [name for name in names if name in written] == []
    corrected = [event for event in stored(AuditEvent) if event.deed == "correct answers"]
    assert {(event.about, event.detail) for event in corrected} == {("fall", '{"school":"lincoln"}')}


def test_the_audit_log_names_the_sheet_of_a_confidential_wave(liaison: Liaison, desk: Desk, stored: Any) -> None:
    liaison.takes(desk.known[0]).keys(FULL)
    liaison.takes(desk.known[0]).keys({"internet": "no"})
    assert [event.about for event in stored(AuditEvent) if event.deed == "correct answers"] == [desk.known[0]]
