"""One way to make forms: fields are in form classes, which validate them and provide the CSRF token.

The lists name files that still do otherwise; they may only become shorter.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from tests.paths import ENGAGE, modules

SITES = ENGAGE / "sites"
RAW_READS = {
    "sites/liaison/sheet_submission.py",  # the fields of a keyed form are the questions of its survey
    "web/auth/sign_in_limits.py",  # limits apply regardless of the form
    "web/forms.py",  # forms are filled in there
}
UNCHECKED_CHOICES = {"web/auth/account_forms.py"}


def of_staff(paths: Iterable[Path]) -> list[Path]:
    """Return the paths of staff pages: families' fields are the questions of a survey, and their pages have no form
    classes."""
    return [path for path in paths if SITES / "family" not in path.parents]


def files_with(pattern: str, paths: Iterable[Path]) -> set[str]:
    return {str(path.relative_to(ENGAGE)) for path in of_staff(paths) if re.search(pattern, path.read_text("utf-8"))}


def test_views_read_no_field_but_through_a_form() -> None:
    assert files_with(r"(?<!formdata=)\brequest\.(form|values)\b", modules()) == RAW_READS


def test_every_choice_is_one_that_was_offered() -> None:
    assert files_with(r"validate_choice\s*=\s*False", modules()) == UNCHECKED_CHOICES


def test_a_token_is_given_by_the_form_or_by_the_macro() -> None:
    typed = files_with(r"""name=["']csrf_token|\{\{\s*csrf_token\(""", ENGAGE.rglob("*.html"))
    assert typed == {"web/templates/macros/forms.html"}
