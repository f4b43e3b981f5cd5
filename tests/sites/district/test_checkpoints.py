import csv
import io
import json
from datetime import date, timedelta
from gettext import NullTranslations

import openpyxl
import pytest
from sqlalchemy import delete, event, select
from sqlalchemy.orm import undefer

from engage import create_app
from engage.services.checkpoints.freezing import digest
from engage.services.checkpoints.planning import create_checkpoint
from engage.storage.engine import read_session, write_session
from engage.storage.models.checkpoints import Checkpoint, Commitment
from engage.storage.models.responses import Response
from engage.storage.models.waves import Wave
from tests.conftest import close
from tests.makers import PASSWORD, a_wave, staff
from tests.people import Family, Leader
from tests.sites.district.test_same_numbers import words_of

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_figures")]

HOME = "/staff/district/checkpoints"
FALL = f"{HOME}/what-families-said-fall"
RESULTS = "/en/results/what-families-said-fall"
PROMISE = {
    "en-theme": "Internet at home",
    "en-you_said": "It costs too much.",
    "en-we_will": "We lend a box.",
    "owner": "The school office",
    "due": "2026-12-01",
    "stage": "planned",
}
HOSTILE = '<script>alert(1)</script>\u202e=HYPERLINK("http://x","y")'
KEPT = '<script>alert(1)</script>=HYPERLINK("http://x","y")'


def kept(engine):
    with read_session(engine) as session:
        return session.scalars(select(Checkpoint).options(undefer(Checkpoint.figures))).one()


def promises(engine):
    with read_session(engine) as session:
        return [
            (
                each.owner,
                each.status,
                {words.language: (words.theme, words.you_said, words.we_will) for words in each.words},
            )
            for each in session.scalars(select(Commitment).order_by(Commitment.position))
        ]


def test_a_checkpoint_is_planned_over_waves(leader, answered, engine):
    leader.opens(HOME).sees("There are no checkpoints yet.").follows("Plan a checkpoint")
    leader.sends(title="Fall", meets_on="2026-10-20", waves=answered)
    leader.sees("The checkpoint was planned.", "Draft. Figures as of October 14, 2026. They may still change.")
    made = kept(engine)
    assert (made.id, made.title, made.meets_on) == ("fall", "Fall", date(2026, 10, 20))
    leader.opens(HOME).sees("Fall", "October 20, 2026", "draft", "not published")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"title": ""}, "Enter a title for the checkpoint."),
        ({"meets_on": ""}, "Enter the date of the meeting."),
        ({"meets_on": "soon"}, "Enter the date as year, month, and day"),
        ({"waves": []}, "Choose at least one survey."),
        ({"waves": ["access", "no\x00where"]}, "Choose an option from the list."),
        ({"title": "x" * 1_000_000}, "This is too long."),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_not_planned(leader, answered, engine, change, told):
    leader.opens(f"{HOME}/new").sends(
        status=422, **{"title": "Fall", "meets_on": "2026-10-20", "waves": ["access"]} | change
    )
    leader.sees(told)
    with read_session(engine) as session:
        assert session.scalars(select(Checkpoint)).all() == []


def test_figures_are_frozen_once_and_for_all(leader, planned, engine):
    leader.opens(FALL).follows("Freeze the figures…").sees("this cannot be undone").sends()
    leader.sees("The figures are frozen.", "Figures frozen on October 14, 2026. They never change.")
    first = kept(engine)
    assert first.digest == digest(first.figures)
    assert first.frozen_on == date(2026, 10, 14)
    assert first.digest in leader.page.text
    leader.sees_no("Freeze the figures")
    leader.opens(f"{FALL}/freeze").sees("These figures were frozen on October 14, 2026.")
    assert "Freeze the figures now" not in leader.page.text
    again = leader.client.post(f"{FALL}/freeze", data={"csrf_token": leader.field("csrf_token") or ""})
    assert again.status_code in (400, 409)
    assert (kept(engine).figures, kept(engine).digest) == (first.figures, first.digest)


def test_lists_of_checkpoints_leave_their_figures_in_the_database(leader, planned, site, engine):
    """Frozen figures are megabytes in a large district: lists of titles do not load them, and neither does a draft."""
    leader.opens(f"{FALL}/freeze").sends()
    leader.opens(f"{FALL}/publish").sends(without_promise="yes")
    with write_session(engine) as session:
        create_checkpoint(session, "Winter", date(2026, 12, 1), [a_wave(session, "winter").id], NullTranslations())
        session.commit()
    statements = []
    for app in (site.family, site.staff):
        used = app.extensions["engage"].engine
        event.listen(used, "before_cursor_execute", lambda *given: statements.append(given[2].partition(" \nFROM ")[0]))
    for path in (HOME, f"{HOME}/winter", f"{FALL}/freeze"):
        leader.opens(path)
    Family(site).opens("/en/").sees("What families said, fall")
    assert [each for each in statements if "checkpoints.title" in each]
    assert not [each for each in statements if "checkpoints.figures" in each]
    leader.opens(FALL)
    assert [each for each in statements if "checkpoints.figures" in each]


def test_a_second_freeze_from_another_window_changes_nothing(signs_in, planned, engine):
    one, other = signs_in("leader"), signs_in("leader")
    one.opens(f"{FALL}/freeze")
    other.opens(f"{FALL}/freeze")
    one.sends()
    first = kept(engine).figures
    other.sends(status=409).sees("These figures were frozen on October 14, 2026. They will not be counted again.")
    assert kept(engine).figures == first


def test_what_comes_after_freezing_changes_nothing(leader, planned, engine, settings):
    leader.opens(f"{FALL}/freeze").sends()
    before = leader.opens(FALL).page.text
    with write_session(engine) as session:
        wave = kept_wave(session)
        wave.edits += 1
        session.execute(wave_responses_gone())
        session.commit()
    assert leader.opens(FALL).page.text == before.replace(
        "The figures are frozen. Everyone now sees the same numbers. ", ""
    )


def kept_wave(session):
    return session.get(Wave, "access")


def wave_responses_gone():
    return delete(Response).where(Response.wave_id == "access", Response.language == "en")


def test_a_draft_counts_what_came_meanwhile(leader, planned, engine):
    leader.opens(FALL)
    before = leader.page.text
    with write_session(engine) as session:
        kept_wave(session).edits += 1
        session.execute(wave_responses_gone())
        session.commit()
    assert leader.opens(FALL).page.text != before


def test_freezing_warns_of_a_wave_that_is_still_open(leader, planned, engine, today):
    leader.opens(f"{FALL}/freeze").sees_no("is open until")
    with write_session(engine) as session:
        kept_wave(session).closes = today
        session.commit()
    leader.opens(f"{FALL}/freeze").sees("The access wave is open until October 14, 2026.")


def test_families_see_nothing_before_the_figures_are_frozen_and_published(leader, planned, site, engine):
    family = Family(site)
    family.opens(RESULTS, status=404)
    leader.opens(f"{FALL}/publish").sees("Freeze the figures")
    token = next(one for one in leader.page.all("input") if one.get("name") == "csrf_token").get("value")
    refused = leader.client.post(f"{FALL}/publish", data={"csrf_token": token, "without_promise": "yes"})
    assert refused.status_code == 409
    assert kept(engine).published_on is None
    leader.opens(f"{FALL}/freeze").sends()
    family.opens(RESULTS, status=404)
    leader.opens(f"{FALL}/publish").sends(status=422).sees("Add a promise first, or confirm that there is none yet.")
    assert "#without_promise" in [link.get("href") for link in leader.page.all("a")]
    family.opens(RESULTS, status=404)
    leader.sends(without_promise="yes").sees("Families can now read the results.")
    family.opens(RESULTS).sees("We have not promised anything yet.", "What families said, fall", "families took part.")
    leader.opens(HOME).sees("published on October 14, 2026")


def test_a_page_that_is_not_published_is_not_found_in_the_familys_language(site, planned):
    family = Family(site)
    for path in ("/ar/results/what-families-said-fall", "/ar/results/none", "/ar/results/a%00b", "/ar/results/é"):
        family.opens(path, status=404)
        assert family.language == "ar"


def test_promises_come_first_and_the_english_is_marked_where_a_language_has_none(leader, planned, site, engine):
    leader.opens(FALL).follows("Add a promise")
    arabic = {"ar-theme": "الإنترنت", "ar-you_said": "مكلف", "ar-we_will": "سنعير جهازا"}
    leader.sends(**PROMISE, **arabic).sees("The promise was saved.", "We lend a box.", "Due: December 1, 2026")
    leader.opens(f"{FALL}/freeze").sends()
    leader.opens(f"{FALL}/publish").sees("Families will see them in English:", "Español").sees_no("العربية").sends()
    family = Family(site).opens(RESULTS)
    text = family.page.text
    assert (
        text.index("What you said, and what we will do")
        < text.index("It costs too much.")
        < text.index("Is there internet at home?")
    )
    family.opens("/ar/results/what-families-said-fall").sees("سنعير جهازا").sees_no("We lend a box.")
    family.opens("/es/results/what-families-said-fall").sees("We lend a box.")
    marked = [one.text for one in family.page.all("span") if one.get("lang") == "en" and one.get("dir") == "ltr"]
    assert "We lend a box." in marked


def test_a_promise_is_followed_after_it_was_published(leader, planned, site, engine):
    leader.opens(f"{FALL}/promises/new").sends(**PROMISE)
    leader.opens(f"{FALL}/freeze").sends()
    leader.opens(f"{FALL}/publish").sends()
    family = Family(site).opens(RESULTS).sees("Status: Planned.")
    leader.opens(FALL).follows("Change this promise: Internet at home").sends(stage="done")
    family.opens(RESULTS).sees("Status: Kept.")
    assert promises(engine) == [
        ("The school office", "done", {"en": ("Internet at home", "It costs too much.", "We lend a box.")})
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"en-theme": ""}, "Fill in this box, or clear all three boxes for this language."),
        ({"en-you_said": " \u202e"}, "Fill in this box, or clear all three boxes for this language."),
        ({"es-theme": "Internet"}, "Fill in this box, or clear all three boxes for this language."),
        ({"owner": ""}, "Enter who is in charge."),
        ({"due": "2026-02-30"}, "Enter the date as year, month, and day"),
        ({"en-we_will": "x" * 1_000_000}, "This is too long. Use at most 2000 characters."),
    ],
)
def test_a_promise_that_is_not_whole_is_not_stored(leader, planned, engine, change, told):
    leader.opens(f"{FALL}/promises/new").sends(status=422, **PROMISE | change)
    leader.sees(told)
    assert promises(engine) == []


def test_a_status_that_does_not_exist_is_refused(leader, planned, engine):
    leader.opens(f"{FALL}/promises/new")
    token = leader.field("csrf_token")
    answer = leader.client.post(f"{FALL}/promises/new", data={**PROMISE, "stage": "kept?", "csrf_token": token})
    assert answer.status_code == 422
    assert promises(engine) == []


def test_what_is_wrong_with_a_promise_is_said_at_its_field_and_nothing_is_lost(leader, planned, engine):
    arabic = {"ar-theme": "الإنترنت", "ar-we_will": "سنعير جهازا"}
    leader.opens(f"{FALL}/promises/new").sends(status=422, **PROMISE | arabic | {"owner": ""})
    found = next(one for one in leader.page.all("div") if one.get("class") == "problems")
    assert [link.get("href") for link in found.all("a")] == ["#ar-you_said", "#owner"]
    assert {name: leader.field(name) for name in PROMISE | arabic} == PROMISE | arabic | {"owner": ""}
    leader.sends(**{"ar-you_said": "مكلف", "owner": "The office"}).sees("The promise was saved.")
    assert promises(engine)[0][2]["ar"] == ("الإنترنت", "مكلف", "سنعير جهازا")


def test_json_is_no_form(leader, planned, engine):
    token = leader.opens(f"{FALL}/promises/new").field("csrf_token")
    for sent in ([PROMISE], PROMISE, "x"):
        answer = leader.client.post(f"{FALL}/promises/new", json=sent, headers={"X-CSRFToken": token})
        assert answer.status_code == 422
    assert promises(engine) == []


def test_a_promise_is_found_at_its_own_checkpoint_only(leader, planned, answered, engine):
    leader.opens(f"{FALL}/promises/new").sends(**PROMISE)
    leader.opens(f"{HOME}/new").sends(title="Other", meets_on="2026-10-21", waves=answered)
    leader.opens(f"{HOME}/other/promises/1", status=404)
    leader.opens(f"{FALL}/promises/99", status=404)


def test_hostile_words_stay_words_at_every_sink(leader, answered, site, engine):
    leader.opens(f"{HOME}/new").sends(title=HOSTILE, meets_on="2026-10-20", waves=answered)
    path = leader.path
    hostile = dict.fromkeys(("en-theme", "en-you_said", "en-we_will", "owner"), HOSTILE)
    leader.opens(f"{path}/promises/new").sends(**PROMISE | hostile)
    leader.opens(f"{path}/freeze").sends()
    leader.opens(f"{path}/publish").sends()
    for page in (leader.opens(path), leader.opens(HOME), leader.opens(f"{path}/promises/1")):
        assert KEPT in page.page.text or page.field("en-theme") == KEPT
        assert "<script>alert" not in page.response.text
        assert "\u202e" not in page.response.text
    family = Family(site).opens(f"/en/results/{path.rpartition('/')[2]}").sees(KEPT)
    assert "<script>alert" not in family.response.text
    Family(site).opens("/en/results/").sees(KEPT)
    pdf = leader.client.get(f"{path}/packet.pdf")
    assert "".join(KEPT.split()) in words_of(pdf.data)
    book = openpyxl.load_workbook(io.BytesIO(leader.client.get(f"{path}/figures.xlsx").data))
    values = [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.value is not None]
    assert KEPT in [cell.value for cell in values]
    assert not [cell.value for cell in values if cell.data_type == "f"]


def test_an_excel_file_has_no_formula_in_a_schools_name(leader, planned):
    table = leader.opens(HOME).client.get(f"{FALL}/figures.csv").data.decode("utf-8-sig")
    assert "Cedar Hill =1+1" in table
    book = openpyxl.load_workbook(io.BytesIO(leader.client.get(f"{FALL}/figures.xlsx").data))
    assert not [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]


@pytest.mark.parametrize(
    ("path", "method", "may"),
    [
        (HOME, "get", {"leader", "administrator"}),
        (FALL, "get", {"leader", "administrator"}),
        (f"{HOME}/new", "get", {"leader"}),
        (f"{HOME}/new", "post", {"leader"}),
        (f"{FALL}/freeze", "get", {"leader"}),
        (f"{FALL}/freeze", "post", {"leader"}),
        (f"{FALL}/publish", "get", {"leader"}),
        (f"{FALL}/publish", "post", {"leader"}),
        (f"{FALL}/promises/new", "get", {"leader"}),
        (f"{FALL}/promises/new", "post", {"leader"}),
        (f"{FALL}/packet.pdf", "get", {"leader"}),
        (f"{FALL}/figures.csv", "get", {"leader"}),
        (f"{FALL}/figures.xlsx", "get", {"leader"}),
    ],
)
def test_only_those_who_may_get_in(signs_in, planned, path, method, may):
    for role in ("liaison", "translator", "administrator", "leader"):
        someone = signs_in(role, ("lincoln",) if role == "liaison" else ())
        token = next(one for one in someone.page.all("input") if one.get("name") == "csrf_token").get("value")
        data = {"csrf_token": token} if method == "post" else None
        answer = someone.client.open(path, method=method.upper(), data=data)
        assert (answer.status_code != 403) == (role in may), (role, answer.status)


def test_a_stranger_is_sent_to_sign_in(site, planned):
    for path in (HOME, FALL, f"{FALL}/figures.csv"):
        assert Family(site).client.get(path).status_code in (302, 401)


def test_no_deed_is_done_without_its_token(leader, planned, engine):
    for path in (f"{FALL}/freeze", f"{FALL}/publish", f"{FALL}/promises/new", f"{HOME}/new"):
        assert leader.client.post(path, data=PROMISE).status_code == 400
    assert kept(engine).figures is None


@pytest.mark.parametrize("path", ["none", "no%00where", "..%2F..", "x" * 3000, "%ED%A0%80"])
def test_checkpoints_that_are_not_there_are_not_found(leader, planned, path):
    for rest in ("", "/freeze", "/publish", "/packet.pdf", "/figures.csv", "/figures.xlsx", "/promises/new"):
        assert leader.client.get(f"{HOME}/{path}{rest}").status_code == 404


def test_a_packet_in_a_language_we_do_not_ship_is_not_found(leader, planned):
    assert leader.client.get(f"{FALL}/packet.pdf?language=tlh").status_code == 404


def test_nothing_breaks_before_anybody_has_answered(leader, engine, site):
    with write_session(engine) as session:
        a_wave(session, "empty")
        session.commit()
    leader.opens(f"{HOME}/new").sends(title="Empty", meets_on="2026-10-20", waves=["empty"])
    leader.sees("A small survey", "There are no promises yet.")
    assert leader.client.get(f"{HOME}/empty/packet.pdf").status_code == 200
    assert leader.client.get(f"{HOME}/empty/figures.xlsx").status_code == 200
    leader.opens(f"{HOME}/empty/freeze").sends()
    leader.opens(f"{HOME}/empty/publish").sends(without_promise="yes")
    Family(site).opens("/en/results/empty").sees("0 families took part.")


def test_frozen_figures_that_were_tampered_with_are_never_shown(leader, planned, engine):
    leader.opens(f"{FALL}/freeze").sends()
    with write_session(engine) as session:
        changed = session.get(Checkpoint, "what-families-said-fall")
        document = json.loads(changed.figures)
        document["waves"][0]["audiences"]["leaders"]["responses"]["all"] = 9999
        changed.figures = json.dumps(document)
        session.commit()
    answer = leader.client.get(FALL)
    assert answer.status_code == 500
    assert "9999" not in answer.text


def test_the_clock_of_the_district_dates_the_deed(settings, planned, engine, clock):
    with write_session(engine) as session:
        email = staff(session, "leader").email
        session.commit()
    late = create_app(settings, lambda: clock() + timedelta(hours=10))
    leader = Leader(late)
    leader.opens("/staff/login?next=/staff/me").sends(email=email, password=PASSWORD)
    leader.opens(f"{FALL}/freeze").sends()
    close(late)
    assert kept(engine).frozen_on == date(2026, 10, 14)


def test_a_draft_over_an_open_wave_shows_no_groups(leader, planned, engine, today):
    leader.opens(FALL).sees("Cedar Hill", "By school, language, and how families answered")
    with write_session(engine) as session:
        for wave in ("access", "beliefs"):
            session.get(Wave, wave).closes = today
        session.commit()
    leader.opens(FALL).sees(
        "This survey is still open.", "at least 10 more have answered", "Counted on October 14, 2026."
    )
    leader.sees_no("By school, language, and how families answered", "Cedar Hill")
    # Nothing of the confidential wave, where leaders may look up who has answered.
    leader.sees("Its answers are shown only after the last day, because leaders can look up who has answered.")
    leader.sees_no("Is there internet at home?")
    leader.sees("families who took part answered this.")
    table = leader.client.get(f"{FALL}/figures.csv").data.decode("utf-8-sig")
    assert {line["Survey"] for line in csv.DictReader(io.StringIO(table))} == {"beliefs"}


def test_a_second_checkpoint_over_the_same_answers_says_the_same(leader, planned, answered, engine):
    leader.opens(f"{FALL}/freeze").sends()
    leader.opens(f"{HOME}/new").sends(title="Winter", meets_on="2026-12-01", waves=answered)
    leader.opens(f"{HOME}/winter/freeze").sends()
    with read_session(engine) as session:
        one, two = (json.loads(session.get(Checkpoint, id).figures) for id in ("what-families-said-fall", "winter"))
    assert one["waves"] == two["waves"]


def test_a_second_checkpoint_never_isolates_the_few_that_came_between(leader, planned, answered, engine):
    leader.opens(f"{FALL}/freeze").sends()
    with write_session(engine) as session:
        some = session.scalars(select(Response).where(Response.wave_id == "access").limit(3)).all()
        for each in some:
            session.delete(each)
        session.get(Wave, "access").edits += 1
        session.commit()
    leader.opens(f"{HOME}/new").sends(title="Winter", meets_on="2026-12-01", waves=["access"])
    with read_session(engine) as session:
        before = json.loads(session.get(Checkpoint, "what-families-said-fall").figures)["waves"][0]
    leader.opens(f"{HOME}/winter/freeze").sends()
    with read_session(engine) as session:
        assert json.loads(session.get(Checkpoint, "winter").figures)["waves"] == [before]


def test_a_published_promise_keeps_its_words_and_its_day(leader, planned, site, engine):
    leader.promises(
        "what-families-said-fall",
        theme="Internet",
        you_said="It costs.",
        we_will="We lend.",
        owner="The office",
        due="2026-12-01",
    )
    leader.freezes("what-families-said-fall").publishes("what-families-said-fall")
    leader.looks_at("what-families-said-fall").follows("Change this promise: Internet")
    leader.sees("Families can already read this promise.")
    mended = {"es-theme": "Internet", "es-you_said": "Cuesta.", "es-we_will": "Prestamos."}
    leader.sends(**mended, **{"en-we_will": "We may lend.", "due": "soon"}, stage="dropped", owner="Somebody else")
    assert promises(engine) == [
        ("Somebody else", "dropped", {"en": ("Internet", "It costs.", "We lend."), "es": tuple(mended.values())})
    ]
    with read_session(engine) as session:
        assert session.scalars(select(Commitment.due)).all() == [date(2026, 12, 1)]


def test_draft_figures_are_not_called_a_draft_translation(signs_in, answered):
    """One English word has two translations in Spanish."""
    leader = signs_in("leader", language="es")
    leader.opens(f"{HOME}/new").sends(title="Fall", meets_on="2026-10-20", waves=answered)
    leader.opens(HOME).sees("Fall", "provisionales", "sin publicar").sees_no("borrador")
