"""Families answer, leaders meet about the figures and make a promise, and families read the results."""

from datetime import date

import pytest

from engage.storage.engine import write_session
from engage.storage.models.bursts import AnnouncedEvent
from tests.makers import PASSWORD, a_wave, staff
from tests.people import Family, Leader

pytestmark = pytest.mark.slow

INTERNET = "Is there internet at home?"
YES, NO = 18, 12  # families


def answer(site, internet):
    """Answer the whole survey as one family."""
    Family(site).begins("fall").walks({"internet": internet}).sends_answers()


def test_families_are_heard_and_answered(site, engine):
    with write_session(engine) as session:
        a_wave(session)
        event = AnnouncedEvent(wave_id="fall", school_id="lincoln", day=date(2026, 10, 14))
        event.announced_on = event.day
        session.add(event)  # thirty families answer in one place
        email = staff(session, "leader").email
        session.commit()
    for number in range(YES + NO):
        answer(site, "yes" if number < YES else "no")

    leader = Leader(site)
    leader.opens("/staff/login?next=/staff/district/checkpoints").sends(email=email, password=PASSWORD)
    leader.plans("Fall meeting", "2026-10-20", "fall").sees("30", "Draft.")
    assert leader.finding(INTERNET) == {"Yes": ["18", "60%", "42% to 75%"], "No": ["12", "40%", "25% to 58%"]}
    family = Family(site)
    family.opens("/en/results/fall-meeting", status=404)
    family.opens("/en/results/").sees("There are no results yet.")

    leader.freezes("fall-meeting").sees("Figures frozen on October 14, 2026.")
    answer(site, "no")
    leader.looks_at("fall-meeting")
    assert leader.finding(INTERNET)["No"] == ["12", "40%", "25% to 58%"]
    leader.promises(
        "fall-meeting",
        theme="Internet at home",
        you_said="Twelve of thirty families have no internet.",
        we_will="We lend a Wi-Fi box to whoever asks.",
        owner="The district office",
        due="2026-12-01",
        stage="under_way",
    )
    leader.publishes("fall-meeting").sees("Families can now read the results.")

    family.opens("/en/results/fall-meeting")
    family.sees("30 families took part.", "We lend a Wi-Fi box to whoever asks.", "Status: Under way.", INTERNET)
    family.speaks("ar").sees("We lend a Wi-Fi box to whoever asks.")
    assert family.language == "ar"
    leader.looks_at("fall-meeting").follows("Change this promise: Internet at home").sends(stage="done")
    family.speaks("en").sees("Status: Kept.")
