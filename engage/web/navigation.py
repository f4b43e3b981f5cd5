"""The staff pages a person may open, as a menu."""

from dataclasses import dataclass

from flask import Flask, g, request
from flask_login import current_user

from engage.web.page_language import gettext
from engage.web.permissions import is_allowed


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One entry of the menu."""

    name: str
    address: str
    here: bool


def _all_entries() -> list[tuple[str, str, str]]:
    return [
        # translators: menu: the first page after signing in
        ("manage yourself", gettext("Home"), "/staff/"),
        # translators: menu: a wave is one survey asked of some schools between two days
        ("see waves", gettext("Survey waves"), "/staff/district/waves"),
        # translators: menu: whether questions ask about something private that the law protects
        ("screen questions", gettext("Screening"), "/staff/district/screening"),
        # translators: menu: families that want no survey
        ("manage opt-outs", gettext("Not to be asked"), "/staff/district/opt-outs"),
        # translators: menu: type in answers from paper
        ("key paper responses", gettext("Key paper"), "/staff/liaison/keying"),
        # translators: menu: print paper surveys
        ("print paper surveys", gettext("Print"), "/staff/liaison/print"),
        # translators: menu: questions that families asked
        ("read family questions", gettext("Questions"), "/staff/liaison/questions"),
        # translators: menu: a checkpoint is a dated meeting with frozen figures
        ("see summaries", gettext("Checkpoints"), "/staff/district/checkpoints"),
        # translators: menu: the district's list of schools, students and guardians
        ("see the roster", gettext("Roster"), "/staff/administration/roster"),
        # translators: menu: what is translated and what waits
        ("see translations", gettext("Translations"), "/staff/administration/translations"),
        # translators: menu: what families are told about their answers
        ("edit privacy notice", gettext("Privacy notice"), "/staff/administration/privacy-notice"),
        # translators: menu: who may sign in
        ("manage staff", gettext("Staff"), "/staff/administration/staff"),
        # translators: menu: what staff did that is written down
        ("see the audit log", gettext("Audit log"), "/staff/administration/audit"),
        # translators: menu: letters by mail that could not be sent
        ("read waiting letters", gettext("Letters that wait"), "/staff/administration/letters"),
        # translators: menu: one's own account
        ("manage yourself", gettext("My account"), "/staff/me"),
    ]


def menu_entries() -> list[MenuEntry]:
    """The menu of whoever is signed in."""
    return [
        MenuEntry(name, address, request.path == address)
        for permit, name, address in _all_entries()
        if is_allowed(permit)
    ]


def install(app: Flask) -> None:
    """Let templates draw the menu."""
    app.jinja_env.globals.update(
        rooms=menu_entries,
        allowed=is_allowed,
        signed_in=lambda: bool(current_user.is_authenticated),
        reminder=lambda: bool(g.get("reminder")),
    )
