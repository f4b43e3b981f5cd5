"""The blueprint of the liaison pages, and their places in the menu; its modules add the views."""

from flask import Blueprint

from engage.domain.conversations.threads import count_waiting_threads
from engage.storage.engine import read_session
from engage.web.context import runtime
from engage.web.navigation import MenuPage, add_pages
from engage.web.page_language import gettext
from engage.web.permissions import assigned_languages, needs_second_step, permitted_schools

blueprint = Blueprint("liaison", __name__, url_prefix="/staff/liaison", template_folder="templates")


def count_waiting_families() -> int:
    """The number of families in this person's schools and languages that wait for an answer; 0 if a second step is
    needed first."""
    if needs_second_step("read family questions"):
        return 0
    with read_session(runtime().engine) as session:
        return count_waiting_threads(session.connection(), permitted_schools(), assigned_languages())


add_pages(
    blueprint,
    # translators: menu: type in answers from paper
    MenuPage("paper", 1, "key paper responses", "liaison.keying", lambda: gettext("Enter paper surveys")),
    MenuPage(
        "paper",
        2,
        "print paper surveys",
        "liaison.printing",
        # translators: menu: print paper surveys
        lambda: gettext("Print"),
        covers=("liaison.packet", "liaison.confirm_cancel", "liaison.ask"),
    ),
    MenuPage(
        "conversations",
        1,
        "read family questions",
        "liaison.questions",
        # translators: menu: questions that families asked
        lambda: gettext("Conversations"),
        count_waiting=count_waiting_families,
    ),
    # translators: menu: what community liaisons wrote after events
    MenuPage("conversations", 2, "read debriefs", "liaison.debriefs", lambda: gettext("Debriefs")),
)
