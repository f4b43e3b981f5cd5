"""Questions from families: the longest waiting first, and answers that reach them."""

from datetime import date
from random import Random
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engage.domain.conversations.threads import LONGEST, NewMessage, add_message, open_thread
from engage.storage.models.conversations import Message
from engage.storage.models.schools import School
from tests.makers import PASSWORD, staff
from tests.people import Family, Liaison, StaffMember
from tests.sites.liaison.conftest import Desk

pytestmark = pytest.mark.slow

QUESTIONS = "/staff/liaison/questions"
RNG = Random(5)


def ask(session: Session, text: str, day: date, school: str = "lincoln", **more: Any) -> str:
    place = {"wave_id": "fall", "school_id": school, "language": "es", "kind": "question"}
    return open_thread(session.connection(), text=text, today=day, rng=RNG, **(place | more))


@pytest.fixture
def threads(arrange: Any, desk: Desk) -> list[str]:
    def make(session: Session) -> list[str]:
        old = ask(session, "El más viejo", date(2026, 10, 1))
        new = ask(session, "De hoy", date(2026, 10, 14))
        done = ask(session, "Ya contestada", date(2026, 10, 2), kind="help")
        foreign = ask(session, "Cedar asks", date(2026, 9, 1), "cedar")
        when = {"today": date(2026, 10, 5), "rng": RNG}
        add_message(session.connection(), done, NewMessage("staff", "Yes.", "en", staff_id=1), **when)
        add_message(session.connection(), old, NewMessage("family", "Por favor", "en"), **when)
        return [old, new, done, foreign]

    return arrange(make)


def headings(person: StaffMember) -> list[str]:
    return [heading.text for heading in person.page.all("h2")]


def test_those_who_wait_longest_come_first(liaison: Liaison, threads: list[str]) -> None:
    liaison.opens(QUESTIONS).sees("Waiting since the week of September 28, 2026", "week of October 12, 2026")
    liaison.sees("Asks for help", "Has an answer")
    assert headings(liaison) == ["El más viejo", "De hoy", "Ya contestada"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("status=waits", ["El más viejo", "De hoy"]),
        ("status=answered", ["Ya contestada"]),
        ("school=lincoln", ["El más viejo", "De hoy", "Ya contestada"]),
        ("school=cedar", []),
        ("school=%00&status=<b>", []),
        ("language=es", ["El más viejo", "De hoy", "Ya contestada"]),
        ("language=ar", []),
        ("language=<b>", ["El más viejo", "De hoy", "Ya contestada"]),
        ("page=9", ["El más viejo", "De hoy", "Ya contestada"]),
        ("status=nonsense", ["El más viejo", "De hoy", "Ya contestada"]),
    ],
)
def test_the_list_can_be_narrowed(liaison: Liaison, threads: list[str], query: str, shown: list[str]) -> None:
    liaison.opens(f"{QUESTIONS}?{query}")
    assert headings(liaison) == shown


def test_a_foreign_thread_is_not_there(liaison: Liaison, threads: list[str]) -> None:
    for name in (threads[3], "0" * 32, "%00", "a%2f..%2fb"):
        liaison.opens(f"{QUESTIONS}/{name}", status=404)
        liaison.opens(f"{QUESTIONS}/{name}/letter", status=404)
    liaison.opens(f"{QUESTIONS}/{threads[0]}")
    token = liaison.field("csrf_token")
    data = {"csrf_token": token, "text": "Hello", "language": "en"}
    assert liaison.client.post(f"{QUESTIONS}/{threads[3]}", data=data).status_code == 404


def test_an_answer_is_stored_in_the_threads_language_and_once(
    liaison: Liaison, threads: list[str], stored: Any
) -> None:
    liaison.opens(f"{QUESTIONS}/{threads[0]}")
    assert liaison.field("language") == "es"
    liaison.answers("Vengan el lunes.\n\n A las 8. ").sees(
        "Your answer was saved.", "Answer from A liaison", "A las 8."
    )
    liaison.answers("Vengan el lunes.\n\n A las 8. ")
    [answer] = [message for message in stored(Message) if message.text.startswith("Vengan")]
    assert (answer.author, answer.language, answer.written_on) == ("staff", "es", date(2026, 10, 14))
    assert answer.staff_id is not None
    liaison.opens(f"{QUESTIONS}?status=waits")
    assert headings(liaison) == ["De hoy"]


@pytest.mark.parametrize(
    ("text", "language", "problem"),
    [
        ("", "es", "Write an answer first."),
        (" \u202e\n", "es", "Write an answer first."),
        ("x" * (LONGEST + 1), "es", "This is too long."),
        ("Hola", "xx", "Choose an option from the list."),
    ],
)
def test_an_answer_that_cannot_be_stored(
    liaison: Liaison, threads: list[str], stored: Any, text: str, language: str, problem: str
) -> None:
    before = len(stored(Message))
    liaison.opens(f"{QUESTIONS}/{threads[0]}").answers(text, language, status=422).sees(problem)
    assert len(stored(Message)) == before
    if text.startswith("x"):
        assert liaison.field("text") == text


def test_leaders_read_and_do_not_answer(site: Any, threads: list[str], arrange: Any) -> None:
    arrange(lambda session: staff(session, "leader", email="leader@district.example"))
    leader = StaffMember(site)
    leader.signs_in("leader@district.example", PASSWORD)
    leader.opens(QUESTIONS)
    assert "Cedar asks" in headings(leader)
    leader.opens(f"{QUESTIONS}/{threads[3]}").sees_no("Your answer")
    leader.opens("/staff/me")
    data = {"csrf_token": leader.field("csrf_token"), "text": "Hello", "language": "en"}
    assert leader.client.post(f"{QUESTIONS}/{threads[3]}", data=data).status_code == 403
    leader.opens(f"{QUESTIONS}/{threads[3]}/letter", status=403)


def test_others_stay_out(site: Any, threads: list[str], arrange: Any) -> None:
    arrange(lambda session: staff(session, "translator", email="translator@district.example"))
    translator = StaffMember(site)
    translator.signs_in("translator@district.example", PASSWORD)
    translator.opens(QUESTIONS, status=403)
    translator.opens(f"{QUESTIONS}/{threads[0]}", status=403)


def test_words_of_a_family_are_never_markup(liaison: Liaison, desk: Desk, arrange: Any) -> None:
    words = "<img src=x onerror=alert(1)>\n{{7*7}} =1+1 %(num)s"
    thread = arrange(lambda session: ask(session, words, date(2026, 10, 3)))
    liaison.opens(f"{QUESTIONS}/{thread}").sees("<img src=x onerror=alert(1)> {{7*7}} =1+1 %(num)s")
    [said] = [one for one in liaison.page.all("p") if one.get("class") == "said"]
    assert (said.get("lang"), said.get("dir")) == ("es", "auto")
    liaison.opens(QUESTIONS)
    assert not list(liaison.page.all("img"))


def test_an_answer_of_nobody_known_is_the_schools(liaison: Liaison, threads: list[str], arrange: Any) -> None:
    message, when = NewMessage("staff", "On Monday.", "en"), {"today": date(2026, 10, 6), "rng": RNG}
    arrange(lambda session: add_message(session.connection(), threads[1], message, **when))
    liaison.opens(f"{QUESTIONS}/{threads[1]}").sees("On Monday.", "Answer from the school").sees_no("Answer from ·")


def test_the_answer_to_a_paper_question_is_printed_and_carried(liaison: Liaison, desk: Desk) -> None:
    liaison.takes(desk.arabic[0]).keys({"question": "متى الاجتماع؟"})
    liaison.opens(QUESTIONS).sees(f"paper form {desk.arabic[0]}").follows("متى الاجتماع؟")
    liaison.sees(f"This came on paper form {desk.arabic[0]}").sees_no("Print the answer")
    liaison.opens(liaison.path + "/letter", status=404)
    liaison.opens(liaison.path.removesuffix("/letter")).answers("يوم الاثنين.", "ar")
    liaison.follows("Print the answer").sees("Answer to deliver on paper", desk.arabic[0], "يوم الاثنين.")
    said = [one for one in liaison.page.all("p") if "said" in (one.get("class") or "")]
    assert {(one.get("lang"), one.get("dir")) for one in said} == {("ar", "rtl")}


def test_a_family_on_the_phone_reads_the_answer(liaison: Liaison, site: Any) -> None:
    family = Family(site)
    family.begins("fall", school="lincoln").walks({"question": "When is it?"}).sends_answers()
    code = family.reply_code
    liaison.opens(QUESTIONS).follows("When is it?").sees("The family can read your answer with its reply code.")
    liaison.answers("On Monday at 8.", "en")
    family.comes_back_with(code).sees("On Monday at 8.")


def test_a_liaison_of_certain_languages_sees_the_questions_in_them_only(
    site: Any, threads: list[str], arrange: Any
) -> None:
    def somali(session: Session) -> str:
        own = ask(session, "Goorma?", date(2026, 10, 3), language="so")
        school = [session.get_one(School, "lincoln")]
        staff(session, "liaison", school, "sahra@district.example").languages = "so ar"
        return own

    own = arrange(somali)
    sahra = Liaison(site)
    sahra.signs_in("sahra@district.example", PASSWORD)
    sahra.opens("/staff/").sees("1 family is waiting for an answer.")
    sahra.opens(QUESTIONS)
    assert headings(sahra) == ["Goorma?"]
    sahra.opens(f"{QUESTIONS}/{own}")
    for spanish in threads:
        sahra.opens(f"{QUESTIONS}/{spanish}", status=404)
    sahra.opens("/staff/district/waves/fall").sees("/ar/w/fall").sees_no("/es/w/fall")
