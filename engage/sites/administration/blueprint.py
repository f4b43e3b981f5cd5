"""The blueprint of the administration pages, and their places in the menu; its modules add the views."""

from flask import Blueprint

from engage.web.navigation import MenuPage, add_pages
from engage.web.page_language import gettext

blueprint = Blueprint("administration", __name__, url_prefix="/staff/administration", template_folder="templates")


def _translations_label() -> str:
    # translators: menu: what is translated and what is not
    return gettext("Translations")


add_pages(
    blueprint,
    # translators: menu: what a person has to do today
    MenuPage("home", 1, "manage yourself", "home", lambda: gettext("To do")),
    MenuPage(
        "surveys", 4, "see translations", "administration.translations", _translations_label, also_needs="see waves"
    ),
    MenuPage(
        "translations",
        1,
        "see translations",
        "administration.translations",
        _translations_label,
        shown_without="see waves",
    ),
    # translators: menu: bring in the list of schools, students and guardians
    MenuPage("roster", 1, "see the roster", "administration.roster", lambda: gettext("Roster import")),
    # translators: menu: who can sign in
    MenuPage("administration", 1, "manage staff", "administration.staff", lambda: gettext("Staff")),
    MenuPage(
        "administration",
        2,
        "manage organisations",
        "administration.organisations",
        # translators: menu: organizations that help the district, such as a community center
        lambda: gettext("Partner organizations"),
    ),
    MenuPage(
        "administration",
        3,
        "edit privacy notice",
        "administration.privacy_notice",
        # translators: menu: what families are told about their answers
        lambda: gettext("Privacy notice"),
    ),
    MenuPage(
        "administration",
        4,
        "allow student surveys",
        "administration.student_surveys",
        # translators: menu: whether students may be asked in surveys
        lambda: gettext("Student surveys"),
    ),
    # translators: menu: what staff did, as it was recorded
    MenuPage("administration", 5, "see the audit log", "administration.audit", lambda: gettext("Audit log")),
    # translators: menu: email to staff that could not be sent
    MenuPage("administration", 6, "read waiting letters", "administration.letters", lambda: gettext("Outgoing mail")),
)
