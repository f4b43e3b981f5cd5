"""The sheet of an address of the keying pages, access to it, and the addresses of its pages."""

import hashlib
from collections.abc import Mapping

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.domain.intake.group_encryption import GROUP_KEY
from engage.services.data_entry.lookup import PaperSheet, SheetDetails, find_numbered_sheet, find_unnumbered_sheet
from engage.services.data_entry.retention import is_keying_expired
from engage.services.data_entry.saving import KeyingContext
from engage.storage.models.paper import Keying
from engage.web.context import runtime
from engage.web.page_language import gettext, local_day
from engage.web.permissions import person, require_school

DIGEST_LENGTH = 16  # hex characters; distinguishes two versions of one sheet, and protects nothing


def current_keyer() -> KeyingContext:
    """The signed-in person as keyer."""
    return KeyingContext(person().id, runtime().now(), runtime().today(), runtime().secret(GROUP_KEY))


def require_sheet(session: Session, address: Mapping[str, str]) -> PaperSheet:
    """The sheet of an address: `serial`, or the `name` of one without a legible serial, whose wave, school and language
    are in the query. "Not found" for a missing sheet or one of another school."""
    if "serial" in address:
        sheet = find_numbered_sheet(session, address["serial"].strip("\x00"))
    else:
        details = SheetDetails(**{key: request.args.get(key, "") for key in ("wave", "school", "language")})
        sheet = find_unnumbered_sheet(session, address["name"], details, person().id)
    if sheet is None:
        abort(404)
    require_school(sheet.school.id)
    return sheet


def is_sealed(paper: PaperSheet) -> bool:
    """Whether a keyed sheet of an anonymous wave can no longer be viewed: by other people at once, by its keyer 14 days
    later."""
    if paper.wave.identity != "anonymous":
        return False
    if paper.keying is None:
        return paper.sheet is not None and paper.sheet.state == "keyed"
    day = local_day(paper.keying.keyed_at)
    return paper.keying.keyed_by != person().id or is_keying_expired(day, runtime().today())


def refuse_sealed() -> Response:
    """Redirect away from a sealed sheet."""
    # translators: shown to staff who type the serial of a sheet that is keyed; the survey is an anonymous one
    flash(gettext("This form has been entered. Only the person who entered it can change it, and only for 14 days."))
    return redirect(url_for("liaison.keying"))


def sheet_address(paper: PaperSheet, view: str = "liaison.sheet") -> str:
    """The address of a sheet's keying page, or of another view of it, such as an action."""
    if paper.sheet is not None:
        return url_for(view, serial=paper.sheet.serial)
    return url_for(view, name=paper.name, wave=paper.wave.id, school=paper.school.id, language=paper.language)


def keying_digest(keying: Keying | None) -> str:
    """A digest that shows whether the marks were changed since a page was rendered."""
    return hashlib.sha256(keying.raw.encode()).hexdigest()[:DIGEST_LENGTH] if keying else "new"
