"""Irreversible actions are confirmed on their own page; for every other action, the test says how it is undone."""

from pathlib import Path
from typing import Any

import pytest

ASKED_FIRST = {
    "district.freeze_figures": "district.confirm_freeze",
    "district.publish_results": "district.confirm_publication",
    "district.take_codes_back": "district.asking_codes_back",
    "district.open_new_wave": "district.check_wave_draft",
    "district.decide_bursts": "district.wave_bursts",
    "administration.import_roster": "administration.roster_preview",
    "liaison.cancel": "liaison.confirm_cancel",
    "family.send_in": "family.check",
    "family.clear": "family.ask_to_clear",
}
"""Actions that nobody can undo, by endpoint, with the page that describes their effect beforehand."""

TYPED_FIRST = {"district.replace_code": "the old code is typed in; the new one is shown at once"}
MENDED = {
    "administration.add_organisation": "rename it",
    "administration.add_staff": "switch the person off",
    "administration.retry_letter": "nothing is lost: the letter is sent",
    "administration.retry_all_letters": "nothing is lost: the letters are sent",
    "administration.discard_letter": "have the same letter written anew: invite again, or ask for a new password",
    "administration.bring_roster": "nothing is stored before it is confirmed",
    "administration.change": "switch on again, or have a new password made",
    "administration.change_someone": "change back",
    "administration.change_statement": "change back; surveys that are open keep theirs",
    "administration.check_audit": "nothing changes",
    "administration.continue_import": "the import was confirmed before it was interrupted",
    "administration.drop_roster": "upload the files again",
    "administration.rename_organisation": "rename back",
    "district.add_commitment": "change it until it is published",
    "district.announce_event": "responses are not marked on that day; nothing is left out",
    "district.answers_of": "nothing changes; the look is in the audit log",
    "district.begin_wave_draft": "delete the draft",
    "district.change_commitment": "change back; what was published stays as it was",
    "district.change_wave_days": "change again until the last day has passed",
    "district.count_again": "nothing changes; the figures are counted",
    "district.delete_wave_draft": "prepare the survey again; nothing was opened",
    "district.households_of": "nothing changes; the look is in the audit log",
    "district.make_codes": "take them back while nobody has begun",
    "district.make_household_codes": "take them back while nobody has begun",
    "district.opt_in": "put the family has opted out again",
    "district.opt_out": "take the family off the list: its codes work again",
    "district.plan_checkpoint": "leave it unfrozen; it shows nothing to families",
    "district.save_wave_draft": "change the step again",
    "district.screen": "decide anew until a survey is opened",
    "factors.add_passkey": "remove it",
    "factors.new_codes": "make new codes again",
    "factors.check_password": "nothing changes",
    "factors.remove_app": "set the app up again",
    "factors.remove_passkey": "add the key again",
    "factors.set_up_app": "remove it",
    "family.ask_now": "write again",
    "family.begin": "begin again",
    "family.begin_personal": "begin again",
    "family.code_typed": "nothing changes",
    "family.close": "the code from the letter goes on",
    "family.keep_on_phone": "clear the answers from this phone",
    "family.keep_section": "answer the page again",
    "family.leave": "nothing stored is lost; the reply code opens the conversation",
    "family.reply_typed": "write again",
    "forgotten.ask": "nothing changes before the link is used",
    "forgotten.choose": "ask for another link",
    "liaison.answer": "write again",
    "liaison.ask": "cancel the packet",
    "liaison.ask_for_all": "cancel each packet",
    "liaison.confirm_handed_over": "the form number is not needed any more; the conversation stays",
    "liaison.make_again": "nothing is lost: the file is made again",
    "liaison.add_block": "leave it empty",
    "liaison.autosave_draft": "change the marks",
    "liaison.restore_sheet": "mark it as spoiled again",
    "liaison.save_debrief": "write another one that corrects it; nothing outside of the district shows it",
    "liaison.save_draft": "change the marks",
    "liaison.save_sheet": "correct or take out what was entered",
    "liaison.spoil_sheet": "mark it as not spoiled",
    "liaison.show_place": "nothing changes",
    "liaison.withdraw_sheet": "save it again: what was entered is still on the page",
    "me.end": "sign in again",
    "me.end_others": "sign in again",
    "me.language": "choose again",
    "me.password": "change again, or ask for a link",
    "second.passkey": "sign out",
    "second.step_taken": "sign out",
    "sign_in.enter": "sign out",
    "sign_in.sign_out": "sign in",
}


def posts(site: Any) -> dict[str, Any]:
    """Return every endpoint that changes something, with its app."""
    apps = (site.family, site.staff)
    return {rule.endpoint: app for app in apps for rule in app.url_map.iter_rules() if "POST" in rule.methods}


@pytest.mark.sqlite
def test_every_action_is_asked_first_or_can_be_mended(site: Any) -> None:
    listed = ASKED_FIRST.keys() | TYPED_FIRST.keys() | MENDED.keys()
    assert posts(site).keys() == listed, posts(site).keys() ^ listed


@pytest.mark.sqlite
def test_the_page_that_asks_is_there(site: Any) -> None:
    for action, page in ASKED_FIRST.items():
        app = posts(site)[action]
        rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint == page]
        assert rules, f"{page} is not there"
        assert all("GET" in rule.methods for rule in rules)


def test_the_documentation_lists_what_cannot_be_undone() -> None:
    text = (Path(__file__).parents[1] / "docs" / "irreversible-actions.md").read_text("utf-8")
    for action in [*ASKED_FIRST, *TYPED_FIRST]:
        assert f"`{action}`" in text, action
