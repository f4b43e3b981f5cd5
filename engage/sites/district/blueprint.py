"""The blueprint of the district pages, and their places in the menu; its modules add the views."""

from flask import Blueprint

from engage.web.navigation import MenuPage, add_pages
from engage.web.page_language import gettext

blueprint = Blueprint("district", __name__, url_prefix="/staff/district", template_folder="templates")

add_pages(
    blueprint,
    # translators: menu: which groups of families have answered little so far
    MenuPage("home", 2, "see waves", "district.reminders_index", lambda: gettext("Reminders")),
    MenuPage(
        "surveys",
        1,
        "see waves",
        "district.waves",
        # translators: menu: the list of all surveys
        lambda: gettext("All surveys"),
    ),
    # translators: menu: every questionnaire to read, as people see it
    MenuPage("surveys", 2, "see waves", "district.questionnaires", lambda: gettext("Questionnaires")),
    # translators: menu: whether questions ask about something private that the law protects
    MenuPage("surveys", 3, "screen questions", "district.screenings", lambda: gettext("Content screening")),
    MenuPage(
        "results",
        1,
        "see summaries",
        "district.checkpoints",
        # translators: menu: a checkpoint is a dated meeting with frozen figures
        lambda: gettext("Checkpoints"),
        covers=("district.export",),
    ),
    # translators: menu: families that want no survey
    MenuPage("roster", 2, "manage opt-outs", "district.opt_outs", lambda: gettext("Opt-outs")),
)
