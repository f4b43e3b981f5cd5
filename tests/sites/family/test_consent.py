"""Information for families before they begin, in each kind of survey."""

import pytest

from tests.makers import a_wave
from tests.people import Family

OPEN = "No names. We do not store who you are."
CODE = "No names. We do not store your code with your answers."
PRIVATE = "Private. Only the few people who help families see your name with your answers."
ALONE = "The school sees what many families said together, never yours alone."
FEW = "Only the few people who help families with these needs see your answers."
KEPT = "It is gone when you close the browser."
CHOICE = "or after 30 days if you choose to keep your answers here."
ALL = {OPEN, CODE, PRIVATE, ALONE, FEW, KEPT, CHOICE}


def promised(family):
    return {sentence for sentence in ALL if sentence in family.page.text}


def test_an_open_link_promises_that_no_name_is_stored(family, small):
    assert promised(family.opens("/en/w/fall")) == {OPEN, ALONE, CHOICE}


def test_an_anonymous_code_is_promised_not_to_be_stored_with_the_answers(family, private):
    assert promised(family.opens(f"/en/c/{private[0]}")) == {CODE, ALONE, CHOICE}
    family.sees("Your code lets your family answer once.")


def test_a_confidential_survey_says_who_sees_the_name(family, code):
    assert promised(family.opens(f"/en/c/{code}")) == {PRIVATE, FEW, KEPT}


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en", ("Our school district. Questions? Call 555 0100.", "We delete the answers on October 30, 2029.")),
        ("es", ("¿Preguntas? Llame al 555 0100.", "Borramos las respuestas el 30 de octubre de 2029.")),
        ("ar", ("اتصلوا بالرقم 555 0100.", "نحذف الإجابات في 30 أكتوبر 2029.")),
    ],
)
def test_it_says_whom_to_ask_and_the_day_the_answers_are_deleted(family, small, tag, said):
    family.opens(f"/{tag}/w/fall").sees(*said)


def test_start_comes_before_what_is_folded_and_who_asks_is_open(family, small):
    family.opens("/en/w/fall")
    text = family.page.text
    assert text.index("Your choice. Skip any question.") < text.index(" Start ") < text.index("Who is asking?")
    folded = list(family.page.all("details"))
    assert ["open" in one.attributes for one in folded] == [True, False, False, False, False]
    assert [next(one.all("summary")).text for one in folded] == [
        "Who is asking?",
        "Who sees my answers?",
        "Can my answers be used against me?",
        "How long do you keep them?",
        "What stays on this phone or computer?",
    ]


def test_what_a_wave_stores_is_text_wherever_it_came_from(site, arrange):
    hostile = '{"who_asks": {"en": "<script>alert(1)</script> & \\"us\\""}}'

    def make(session):
        a_wave(session, "odd").privacy_notice = hostile

    arrange(make)
    family = Family(site)
    family.opens("/en/w/odd").sees('<script>alert(1)</script> & "us"')
    assert "<script>alert" not in family.response.text
