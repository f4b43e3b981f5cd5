"""Nothing is lost or stored twice, whatever the phone, the network, or the family does."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from random import Random

import pytest
from sqlalchemy import delete

from engage.domain.security.access_codes import ACCESS_KEY, digest, generate_access_code
from engage.services.waves.invitations import replace_invitation as replace_code
from engage.services.waves.opening import add_unnamed_invitations
from engage.sites.family.device_secret import cookie_name
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.invitations import Invitation, UsedCode
from engage.storage.models.responses import Draft, Response, ResponseLink
from engage.storage.models.waves import Wave
from tests.people import Family

pytestmark = pytest.mark.slow


def test_sending_twice_gives_one_response_and_the_same_thanks_page(family, small, stored):
    family.begins(small).walks({"question": "When?"})
    client = family.client
    first, second = client.post("/en/w/fall/check"), client.post("/en/w/fall/check")
    assert first.status_code == second.status_code == 303
    family.opens(first.location)
    shown = (family.path, family.page.text)
    family.opens(second.location)
    assert (family.path, family.page.text) == shown
    assert len(stored(Response)) == len(stored(Thread)) == len(stored(Message)) == 1


def test_many_taps_at_the_same_moment_give_one_response(family, small, site, stored):
    family.begins(small).walks({"internet": "no", "question": "When?"})
    cookie = family.cookie(small)

    def tap(_):
        phone = Family(site)
        phone.client.set_cookie(cookie_name(small, secure=False), cookie)
        return phone.client.post("/en/w/fall/check").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(tap, range(16))) == {303}
    assert len(stored(Response)) == len(stored(Thread)) == 1


def test_a_second_tab_finds_the_thanks_page(family, small, stored):
    family.begins(small).walks({}).sends_answers()
    code = family.reply_code
    for path in ("/en/w/fall/1", "/en/w/fall/check"):
        family.opens(path).sees("Thank you")
        assert family.reply_code == code
    response = family.client.post("/en/w/fall/1", data={"internet": "yes"})
    assert response.status_code == 303
    assert "thanks" in response.location
    assert len(stored(Response)) == 1


def test_the_thanks_page_can_be_opened_again_and_asks_only_once_more(family, small, stored):
    family.begins(small).walks({}).sends_answers()
    code = family.reply_code
    family.sends(button="Send my question", question="Is there a bus?").sees("You asked the school a question")
    assert family.reply_code == code
    family.opens("/en/w/fall/thanks").sends(button="Send my question", question="Is there a bus?")
    assert [message.text for message in stored(Message)] == ["Is there a bus?"]


def test_an_empty_or_endless_question_is_refused_kindly_and_nothing_typed_is_lost(family, small, stored):
    family.begins(small).walks({}).sends_answers()
    family.sends(button="Send my question", question="  ", status=422).sees("Please write your question first")
    family.sends(button="Send my question", question="x" * 4001, status=422).sees("too long")
    assert family.field("question") == "x" * 4001
    assert stored(Thread) == []


def test_a_request_for_help_stays_on_the_page_when_a_question_is_refused(family, access):
    given = {"children": "1", "help_wanted": ["repair"]}
    family.begins(access, school="lincoln").walks(given).sends_answers().sees("You asked for help")
    family.sends(button="Send my question", question=" ", status=422).sees("You asked for help")
    family.sends(button="Send my question", question="When?").sees("You asked for help", "You asked the school")


def test_another_family_on_the_same_phone_starts_anew(family, small, stored):
    family.begins(small).walks({"internet": "no"}).sends_answers()
    code = family.reply_code
    family.opens("/en/w/fall").sees("We received answers from this phone")
    family._goes("POST", "/en/w/fall", {"fresh": "1"}, 200)
    family.walks({"internet": "yes"}).sends_answers()
    assert family.reply_code != code
    assert len(stored(Response)) == 2


def test_a_shared_phone_forgets_the_family(family, small):
    family.begins(small).walks({}).sends_answers().sends(button="Clear my information from this phone")
    assert family.cookie(small) is None
    family.opens("/en/w/fall/thanks").sees("Start")


def test_another_phone_sees_nothing_of_this_one(family, small, site):
    family.begins(small).answers(children="3")
    other = Family(site).opens("/en/w/fall/1").sees("Good to know")
    other.begins(small)
    assert other.field("children") == ""
    other.opens("/en/w/fall/thanks").sees("Good to know")


def test_a_strange_cookie_is_no_cookie(family, small):
    for value in ("", "x", "A" * 43 + "!", "é", "AAAA", '"'):
        family.client.set_cookie(cookie_name(small, secure=False), value)
        family.opens("/en/w/fall/1").sees("Good to know")
        family.opens("/en/w/fall/check").opens("/en/w/fall/thanks").opens("/en/w/fall")


def test_a_browser_that_refuses_cookies_is_told_so(site, small):
    from werkzeug.test import Client

    client = Client(site, use_cookies=False)
    begun = client.post("/en/w/fall")
    answer = client.get(begun.location)
    assert "Please allow cookies" in answer.text


def test_the_cookie_is_the_only_one_and_tells_nothing(family, small, stored):
    response = family.client.post("/en/w/fall")
    cookies = response.headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[0]
    assert "Expires" not in cookies[0]
    secret = cookies[0].split(";")[0].partition("=")[2]
    [draft] = stored(Draft)
    assert secret.encode() not in draft.key
    assert len(secret) == 43


def test_a_secure_site_uses_a_host_cookie(settings, clock, small):
    from dataclasses import replace

    from engage import create_app
    from tests.conftest import close

    site = create_app(replace(settings, base_url="https://engage.example"), clock)
    phone = Family(site, "https://engage.example").begins(small)
    name = phone.client.get_cookie(cookie_name(small, secure=True), "engage.example")
    assert cookie_name(small, secure=True).startswith("__Host-")
    assert name is not None
    assert name.secure
    phone.walks({}).sends_answers().sees("Thank you")
    close(site)


def test_forms_from_other_sites_are_refused(family, small, stored):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert family.client.post("/en/w/fall", headers=headers).status_code == 400
    assert stored(Draft) == []
    assert family.client.post("/en/w/fall", headers={"Origin": "http://localhost"}).status_code == 303


def test_drafts_of_two_waves_live_beside_each_other(family, small, beliefs, stored):
    family.begins(small).answers(children="1")
    family.begins(beliefs).answers(help_often="daily")
    for wave in ("fall", "beliefs"):
        family.opens(f"/en/w/{wave}").sees("Someone began to answer on this phone")
    family.sends().walks({}).sends_answers().opens("/en/w/fall").sends().walks({}).sends_answers()
    assert {response.wave_id for response in stored(Response)} == {"fall", "beliefs"}


def test_looking_at_a_personal_link_uses_nothing_up(family, code, stored):
    for _ in range(3):
        family.opens(f"/en/c/{code}").sees("Start", "Private. Only the few people")
    assert stored(Invitation)[0].used_on is None
    assert stored(Draft) == []


def test_a_code_is_used_once_and_only_the_day_is_kept(family, code, stored, today, site):
    family.begins_with(code).walks({"internet": "no"})
    other = Family(site).begins_with(code)
    family.sends_answers().sees("Thank you")
    other.sends(button="Send my answers", status=410).sees("We received your answers from another phone")
    Family(site).opens(f"/en/c/{code}", 410).sees("This code has been used")
    assert [row.used_on for row in stored(Invitation)] == [today]
    [response] = stored(Response)
    assert response.answers == '{"internet":"no"}'
    [link] = stored(ResponseLink)
    assert (link.response_id, link.invitation) == (response.id, stored(Invitation)[0].digest)
    assert link.forget_on == date(2026, 10, 31) + timedelta(days=180)
    assert stored(UsedCode) == []


def test_an_anonymous_code_is_used_once_and_its_invitation_never_changes(family, private, stored, site):
    code = private[3]
    before = [vars(row) for row in stored(Invitation)]
    family.begins_with(code).walks({"internet": "no"})
    other = Family(site).begins_with(code).walks({"internet": "yes"})
    family.sends_answers().sees("Thank you")
    other.sends(button="Send my answers", status=410).sees("This code has been used")
    Family(site).opens(f"/en/c/{code}", 410).sees("This code has been used")
    Family(site).opens(f"/ar/c/{code}", 410).sees("هذا الرمز استُخدم من قبل")
    assert Family(site).client.post(f"/en/c/{code}").status_code == 410
    assert [row.answers for row in stored(Response)] == ['{"internet":"no"}']
    assert [_plain(vars(row)) for row in stored(Invitation)] == [_plain(row) for row in before]
    assert [row.wave_id for row in stored(UsedCode)] == ["private"]
    assert stored(ResponseLink) == []
    Family(site).begins_with(private[4]).walks({}).sends_answers()
    assert len(stored(Response)) == len(stored(UsedCode)) == 2


def _plain(row):
    return {name: value for name, value in row.items() if not name.startswith("_")}


def test_a_draft_outlives_the_server_and_a_changed_key_begins_anew(family, private, settings, clock, stored):
    from dataclasses import replace

    from engage import create_app
    from tests.conftest import close

    family.begins_with(private[0]).answers(internet="no")
    again = create_app(settings, clock)
    family.client.application = again
    family.opens("/en/w/private/1")
    assert family.field("internet") == "no"
    close(again)
    other = create_app(replace(settings, secret_key="another secret for tests " * 2), clock)
    family.client.application = other
    family.opens("/en/w/private/1")
    assert family.path == "/en/c"
    assert len(stored(Draft)) == 1
    close(other)


def test_a_small_language_is_stored_among_others(private, arrange, site, stored, groups):
    """Twelve were invited in English and three in Arabic: the twelve are merged with the three, which would otherwise
    be alone. Spanish was added after the first response, which is in the merged group, so it is not named."""
    minted = [generate_access_code(Random(seed)) for seed in range(60, 75)]
    key = site.family.extensions["engage"].secret(ACCESS_KEY)
    Family(site).begins_with(private[0], "ar").walks({}).sends()

    def make(session):
        wave = session.get(Wave, "private")
        add_unnamed_invitations(session, wave, "lincoln", "es", [digest(each, key) for each in minted[:12]])
        add_unnamed_invitations(session, wave, "lincoln", "ar", [digest(each, key) for each in minted[12:]])

    arrange(make)
    for code, language in ((private[1], "en"), (minted[0], "es"), (minted[12], "ar")):
        Family(site).begins_with(code, language).walks({}).sends()
    assert {(row.school_id, row.language, row.mode) for row in stored(Response)} == {(None, "mul", "mul")}
    told = sorted((group.language, group.answered_in) for group in groups())
    assert told == [("en", "mul")] + [("mul", "mul")] * 3, "the first household reads English, and answered in Arabic"


def test_two_households_with_a_code_each_may_share_a_phone(family, code, stored, arrange, site):
    second = generate_access_code(Random(4))
    key = site.family.extensions["engage"].secret(ACCESS_KEY)
    row = {"wave_id": "invited", "identity": "confidential", "school_id": "lincoln", "language": "es"}
    arrange(lambda session: session.add(Invitation(digest=digest(second, key), **row)))
    family.begins_with(code).answers(internet="no")
    family.begins_with(second)
    assert family.field("internet") is None
    family.walks({}).sends_answers()
    family.begins_with(second_use := code).walks({}).sends_answers()
    assert second_use == code
    assert len(stored(Response)) == 2


def test_the_wave_of_a_code_has_no_open_link(family, code):
    family.opens("/en/w/invited")
    assert family.path == "/en/c"
    family._goes("POST", "/en/w/invited", {}, 200)
    assert family.path == "/en/c"


def test_someone_who_began_on_the_last_day_can_finish_the_next(settings, stored, small):
    from datetime import UTC, datetime

    from engage import create_app
    from tests.conftest import close

    moment = [datetime(2026, 11, 1, 4, 0, tzinfo=UTC)]  # 11 p.m. on October 31 in Chicago
    site = create_app(settings, lambda: moment[0])
    family = Family(site).begins(small).answers(internet="no")
    moment[0] = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
    family.walks({}).sends_answers()
    assert [response.day for response in stored(Response)] == [date(2026, 10, 1)], "the wave's first"
    Family(site).opens("/en/w/fall", 410)
    close(site)


def test_a_draft_that_vanished_leads_back_to_the_beginning(family, small, arrange):
    family.begins(small)
    arrange(lambda session: session.execute(delete(Draft)))
    family.answers(children="1").sees("Good to know")


def test_old_drafts_are_swept_out(settings, small, stored, site):
    from datetime import UTC, datetime

    from engage import create_app
    from tests.conftest import close

    moment = [datetime(2026, 10, 1, 18, tzinfo=UTC)]
    site = create_app(settings, lambda: moment[0])
    Family(site).begins(small)
    moment[0] = datetime(2026, 10, 31, 18, tzinfo=UTC)
    Family(site).begins(small)
    assert len(stored(Draft)) == 2, "30 days old: still kept"
    close(site)
    later = create_app(settings, lambda: datetime(2026, 10, 31, 18, tzinfo=UTC))
    close(later)


def test_taps_on_start_leave_one_draft_and_the_last_phone_secret_goes_on(family, small, stored):
    """Each tap sets a new secret, since one that was on the phone before may belong to someone else."""
    secrets = set()
    for _ in range(4):
        assert family.client.post("/en/w/fall").status_code == 303
        secrets.add(family.cookie(small))
    assert len(secrets) == 4
    assert len(stored(Draft)) == 1
    family.opens("/en/w/fall/1").answers(internet="no").opens("/en/w/fall/1")
    assert len(stored(Draft)) == 1


def test_two_taps_on_a_late_question_ask_it_once(family, small, site, stored):
    family.begins(small).walks({}).sends_answers()
    cookie = family.cookie(small)

    def tap(_):
        phone = Family(site)
        phone.client.set_cookie(cookie_name(small, secure=False), cookie)
        return phone.client.post("/en/w/fall/thanks", data={"question": "Is there a bus?"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(tap, range(4))) == {303}
    assert len(stored(Thread)) == len(stored(Message)) == 1


@pytest.mark.parametrize("identity", ["anonymous", "confidential"])
def test_a_family_whose_code_was_replaced_goes_on_with_the_new_one(
    family, private, code, stored, arrange, site, identity
):
    old, wave_id = (private[0], "private") if identity == "anonymous" else (code, "invited")
    key, new = site.family.extensions["engage"].secret(ACCESS_KEY), generate_access_code(Random(99))
    family.begins_with(old).answers(internet="no").walks({})

    def swap(session):
        wave = session.get(Wave, wave_id)
        replace_code(session, wave, digest(old, key), digest(new, key), lambda _: False)

    arrange(swap)
    family.sends(status=410).sees("This code does not work anymore.", "Your answers are kept.")
    family.sees_no("have arrived")
    assert stored(Response) == []
    family.opens(f"/en/c/{new}").sends(button="Continue where I stopped")
    family.opens(f"/en/w/{wave_id}/check").sends_answers().sees("Thank you")
    [response] = stored(Response)
    assert json.loads(response.answers)["internet"] == "no"
    Family(site).opens(f"/en/c/{new}", 410).sees("This code has been used")


def test_another_households_code_does_not_open_a_draft_that_is_still_its_own(family, private, stored):
    family.begins_with(private[0]).answers(internet="no")
    family.opens(f"/en/c/{private[1]}").sends()
    family.opens("/en/w/private/1")
    assert family.field("internet") != "no"
