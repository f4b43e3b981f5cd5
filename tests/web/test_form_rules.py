"""One way to make a form: fields of form classes, checked by their form, with the token that the form gives.

The lists name files that still do otherwise; they may only become shorter."""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.paths import ENGAGE, modules

SITES = ENGAGE / "sites"
RAW_READS = {
    *("sites/administration/organizations.py", "sites/administration/privacy_notice.py"),
    *("sites/administration/roster.py", "sites/administration/staff.py", "sites/administration/staff_changes.py"),
    *("sites/liaison/data_entry.py", "sites/liaison/print_request.py", "sites/liaison/questions.py"),
    *("web/auth/password_reset.py", "web/auth/profile.py", "web/auth/second_step.py", "web/auth/setup.py"),
    "web/auth/two_factor_settings.py",
}
UNCHECKED_CHOICES = {
    *("sites/administration/staff_member.py", "sites/liaison/data_entry_index.py", "sites/liaison/print_form.py"),
    "sites/liaison/scope.py",
}
TYPED_TOKENS = {
    *(f"web/templates/account/{name}.html" for name in ("again", "forgot", "second_factor", "second_factor_app")),
    *(f"web/templates/account/{name}.html" for name in ("second_factor_passkey", "second_step", "welcome")),
    *(f"web/templates/{name}.html" for name in ("base_staff", "login", "me")),
    *(
        f"sites/administration/templates/administration/{name}.html"
        for name in ("audit", "letter", "letters", "organisations", "person", "privacy_notice", "roster")
    ),
    *(f"sites/administration/templates/administration/{name}.html" for name in ("roster_preview", "staff")),
    *(
        f"sites/liaison/templates/liaison/{name}.html"
        for name in ("packet", "packet_cancel", "print", "question", "sheet")
    ),
}


def of_staff(paths: Iterable[Path]) -> list[Path]:
    """Those of the staff pages: families' fields are the questions of a survey, and their pages have no forms."""
    return [path for path in paths if SITES / "family" not in path.parents]


def files_with(pattern: str, paths: Iterable[Path]) -> set[str]:
    return {str(path.relative_to(ENGAGE)) for path in of_staff(paths) if re.search(pattern, path.read_text("utf-8"))}


def test_views_read_no_field_but_through_a_form() -> None:
    assert files_with(r"\brequest\.(form|values)\b", modules()) == RAW_READS


def test_every_choice_is_one_that_was_offered() -> None:
    assert files_with(r"validate_choice\s*=\s*False", modules()) == UNCHECKED_CHOICES


def test_a_token_is_given_by_the_form_or_by_the_macro() -> None:
    typed = files_with(r"""name=["']csrf_token|\{\{\s*csrf_token\(""", ENGAGE.rglob("*.html"))
    assert typed == TYPED_TOKENS | {"web/templates/macros/forms.html"}
