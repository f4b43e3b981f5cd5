"""Every form that changes what is stored sends back what its page showed, and merges as three versions are merged."""

import inspect
from datetime import date
from importlib import import_module
from io import BytesIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from wtforms import SelectField, SelectMultipleField

from engage.storage.engine import write_session
from engage.web.edit_forms import EditForm
from engage.web.forms import DayField, LineField
from tests.makers import PASSWORD, a_school, a_wave, staff
from tests.people import StaffMember

CHANGES = {  # the form shows a stored row and changes it
    "administration.change_student_surveys",
    "administration.change_someone",
    "administration.change_statement",
    "administration.rename_organisation",
    "district.change_commitment",
    "district.change_wave_days",
    "district.open_new_wave",
    "district.publish_results",
    "district.record_notice",
    "district.save_wave_draft",
    "district.screen",
    "liaison.answer",
}
OWN_VERSION = {  # keyed forms compare what was shown in services/data_entry; a roster compares its import's moment
    "administration.import_roster",
    *(
        f"liaison.{name}"
        for name in (
            *("add_block", "autosave_draft", "restore_sheet", "save_draft"),
            *("save_sheet", "spoil_sheet", "withdraw_sheet"),
        )
    ),
}
ADDS = {  # a new row
    *("administration.add_organisation", "administration.add_staff", "administration.bring_roster"),
    *("district.add_commitment", "district.plan_checkpoint", "district.announce_event", "district.begin_wave_draft"),
    *(
        "district.make_codes",
        "district.make_household_codes",
        "district.opt_out",
        "district.print_slips",
        "liaison.ask",
        "liaison.ask_for_all",
        "liaison.make_again",
        "liaison.save_debrief",
    ),
}
ONE_BUTTON = {  # one decision that shows no value to be changed; done twice, it is refused or the same
    *("administration.change", "administration.check_audit", "administration.continue_import"),
    "administration.discard_letter",
    *("administration.drop_roster", "administration.retry_all_letters", "administration.retry_letter"),
    *(
        "district.count_again",
        "district.decide_bursts",
        "district.delete_wave_draft",
        "district.freeze_figures",
        "district.opt_in",
        "district.replace_code",
    ),
    *("district.take_codes_back", "liaison.cancel", "liaison.confirm_handed_over"),
}
READS = {"district.answers_of", "district.households_of", "liaison.show_place"}  # what is read is written down
OWN_ACCOUNT = ("factors.", "forgotten.", "me.", "second.", "sign_in.", "sso.")  # one's own password, keys and sessions


def posted(site: Any) -> set[str]:
    rules = [rule for rule in site.staff.url_map.iter_rules() if rule.methods and "POST" in rule.methods]
    return {rule.endpoint for rule in rules if not rule.endpoint.startswith(OWN_ACCOUNT)}


@pytest.mark.sqlite
def test_every_form_of_staff_is_known_to_change_add_or_decide(site: Any) -> None:
    assert posted(site) == CHANGES | OWN_VERSION | ADDS | ONE_BUTTON | READS


@pytest.mark.sqlite
@pytest.mark.parametrize("endpoint", sorted(CHANGES))
def test_what_changes_a_row_is_refused_with_a_status_of_its_own(site: Any, endpoint: str) -> None:
    """By a form that knows when it is too old; tests/sites/test_edits_at_once.py visits their pages."""
    module = import_module(site.staff.view_functions[endpoint].__module__)
    assert ".refusal_status" in inspect.getsource(module)


class RowForm(EditForm):
    """A line, a day, a choice and several choices, as the staff pages have them."""

    class Meta(EditForm.Meta):
        csrf = False

    line = LineField()
    day = DayField()
    one = SelectField(choices=["", "a", "b", "c"], default="")
    many = SelectMultipleField(choices=["a", "b", "c"])


texts = st.sampled_from(["", "a", "b", "c"])
days = st.sampled_from([None, date(2026, 11, 6), date(2026, 11, 7)])
several = st.sets(st.sampled_from("abc")).map(sorted)
values = st.fixed_dictionaries({"line": texts, "day": days, "one": texts, "many": several})


def sent(row: dict[str, Any]) -> dict[str, Any]:
    """As a browser does: an empty line is sent, boxes without a mark are not."""
    row = {name: value for name, value in row.items() if value != []}
    return {name: value.isoformat() if isinstance(value, date) else value or "" for name, value in row.items()}


@pytest.mark.sqlite
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shown=values, stored=values, typed=values)
def test_a_form_merges_as_three_versions_of_a_text_are_merged(
    site: Any, shown: dict[str, Any], stored: dict[str, Any], typed: dict[str, Any]
) -> None:
    merged = {name: stored[name] if typed[name] == shown[name] else typed[name] for name in shown}
    conflicts = {
        name for name in shown if typed[name] != shown[name] and stored[name] not in (shown[name], typed[name])
    }
    with site.staff.test_request_context("/staff/"):
        version = RowForm(data=shown).version.data
    with site.staff.test_request_context("/staff/", method="POST", data=sent(typed) | {"version": version}):
        form = RowForm(data=stored)
        assert form.validate() == (not conflicts)
        assert {field.name for field in form if field.errors} == conflicts
        assert form.refusal_status == (409 if conflicts else 422)
        assert conflicts or {name: form[name].data for name in merged} == merged


def test_a_file_in_place_of_text_is_ignored(site: Any, engine: Engine) -> None:
    """A browser sends none; a hostile request that does gets the form again, not an error of the server."""
    with write_session(engine) as session:
        a_wave(session, "fall", [a_school(session)])
        email = staff(session, "leader").email
        session.commit()
    leader = StaffMember(site.staff).signs_in(email, PASSWORD)
    page = "/staff/district/waves/fall/days"
    token = leader.opens(page).field("csrf_token")
    data = {"csrf_token": token, "closes": (BytesIO(b"2026-11-05"), "closes.txt"), "results_on": "2026-11-20"}
    answer = leader.client.post(page, data=data, content_type="multipart/form-data")
    assert answer.status_code in (409, 422)
