"""The audit log page: recorded staff actions, and verification that the log is complete and unchanged."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.dates import format_datetime
from flask import Response, redirect, render_template, request, url_for
from sqlalchemy import Select, select
from werkzeug.wrappers import Response as Answer
from wtforms import SelectField

from engage.base.exports.csv import csv_bytes
from engage.domain.security.audit_anchor import ANCHOR_FILE, AnchorBroken, AuditAnchor, check_chain, read_anchor
from engage.domain.security.audit_log import AUDIT_KEY, Verdict
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.forms import LineField, QueryForm
from engage.web.page_language import gettext, language
from engage.web.permissions import enters

EVENTS_PER_PAGE = 50  # events on one page
LONGEST = 255  # characters of an email address
MOST = 2**31 - 1  # the largest number PostgreSQL's integer holds
HEADINGS = ("number", "at", "actor", "deed", "about", "detail")
BATCH = 1000  # events read at a time


class FilterForm(QueryForm):
    """Filter of events, in the query of the page's address; empty fields match all."""

    deed = SelectField(default="")
    person = LineField(most=LONGEST)

    def __init__(self) -> None:
        super().__init__()
        # translators: choose everything in a list
        self.deed.choices = [("", gettext("All actions")), *event_names().items()]

    def read(self) -> "Filter":
        """The filter. A field with an error is ignored."""
        self.validate()
        deed, someone = ("" if field.errors else field.data or "" for field in (self.deed, self.person))
        return Filter(deed, someone)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to show; empty fields match all."""

    deed: str
    person: str

    def select_from(self, query: Select[Any]) -> Select[Any]:
        """Restrict a query to the matching events."""
        if self.deed:
            query = query.where(AuditEvent.deed == self.deed)
        if self.person:
            query = query.where(AuditEvent.actor.icontains(self.person, autoescape=True))
        return query


@blueprint.get("/audit")
@enters("see the audit log")
def audit() -> str:
    """The events, newest first, one page at a time; `?before=` a number shows older ones."""
    form, before = FilterForm(), request.args.get("before", MOST, int)
    filter_ = form.read()
    wanted = filter_.select_from(select(AuditEvent)).where(AuditEvent.number < max(0, min(before, MOST)))
    with read_session(runtime().engine) as session:
        events = session.scalars(wanted.order_by(AuditEvent.number.desc()).limit(EVENTS_PER_PAGE + 1)).all()
    return render_template(
        "administration/audit.html",
        events=events[:EVENTS_PER_PAGE],
        older=events[EVENTS_PER_PAGE - 1].number if len(events) > EVENTS_PER_PAGE else None,
        form=form,
        query={"deed": filter_.deed or None, "person": filter_.person or None},
        first="before" not in request.args,
        deeds=event_names(),
        at=format_local_time,
        details=lambda event: ", ".join(f"{name}: {each}" for name, each in json.loads(event.detail).items()),
        looked=_last_check(),
    )


@blueprint.post("/audit")
@enters("see the audit log")
def check_audit() -> Answer:
    """Verify the whole chain; the page then shows the result."""
    with read_session(runtime().engine) as session:
        check_chain(session, runtime().settings.site_dir / ANCHOR_FILE, runtime().secret(AUDIT_KEY), runtime().now())
    return redirect(url_for("administration.audit"))


@blueprint.get("/audit.csv")
@enters("see the audit log")
def audit_csv() -> Response:
    """The matching events, oldest first. Times are UTC."""
    filter_ = FilterForm().read()
    with write_session(runtime().engine) as session:
        detail = {"person": filter_.person} if filter_.person else {}
        log_event(session, "export audit log", filter_.deed, **detail)
        session.commit()
    kind = {"Content-Disposition": 'attachment; filename="audit-log.csv"'}
    return Response(csv_bytes(HEADINGS, _read_rows(filter_)), mimetype="text/csv", headers=kind)


def _read_rows(filter_: Filter) -> Iterator[tuple[str | int, ...]]:
    engine = runtime().engine
    wanted = filter_.select_from(select(AuditEvent)).order_by(AuditEvent.number).limit(BATCH)
    return _read_batches(engine, wanted)


def _read_batches(engine: Any, wanted: Select[Any]) -> Iterator[tuple[str | int, ...]]:
    """Read events in batches with separate transactions, so that a slow download does not hold one open."""
    after = 0
    while True:
        with read_session(engine) as session:
            events = session.scalars(wanted.where(AuditEvent.number > after)).all()
        for each in events:
            yield each.number, each.at.isoformat() + "Z", each.actor, each.deed, each.about, each.detail
        if len(events) < BATCH:
            return
        after = events[-1].number


def format_local_time(moment: datetime) -> str:
    """A stored moment (UTC without a zone) in the district's time, in the format of the page's language."""
    return str(format_datetime(runtime().settings.local_time(moment), "medium", locale=language().locale))


def _last_check() -> tuple[str, str, bool]:
    """When the chain was last verified (empty: never), the result, and whether it was good."""
    try:
        anchor: AuditAnchor | None = read_anchor(runtime().settings.site_dir / ANCHOR_FILE, runtime().secret(AUDIT_KEY))
    except AnchorBroken:
        return "", describe_verdict(Verdict(0, 0, "anchor changed")), False
    verdict = anchor.verdict if anchor else None
    if anchor is None or verdict is None:
        # translators: above the audit log: nobody has checked yet whether it is complete
        return "", gettext("The log has not been checked yet."), True
    when = format_local_time(datetime.fromisoformat(anchor.looked_at).replace(tzinfo=None))
    return when, describe_verdict(verdict), verdict.broken is None


def describe_verdict(verdict: Verdict) -> str:
    """The result of a verification of the whole chain, in the page's language."""
    if verdict.broken is None:
        # translators: a check of the audit log found nothing wrong; number is how many entries it has
        return gettext("No entry has changed. Number of entries: %(number)s.", number=verdict.events)
    if verdict.reason == "shorter":
        # translators: a check of the audit log: the whole database is older than it should be
        return gettext("The log is shorter than before. The database was replaced with an older one.")
    if verdict.reason == "another":
        # translators: a check of the audit log: the whole database was exchanged
        return gettext("This is a different log. The database was replaced with another one.")
    if verdict.reason == "anchor changed":
        # translators: a check of the audit log: a small file that says where the log ended is not as it was written
        return gettext("The file that records where the log ended was changed.")
    if verdict.reason in ("missing", "cut"):
        # translators: a check of the audit log: entries are gone; number is the place in the log
        return gettext("Something is missing from the log before entry %(number)s.", number=verdict.broken)
    # translators: a check of the audit log: an entry is not what was written; number is the place in the log
    return gettext("Entry %(number)s was changed after it was written.", number=verdict.broken)


def event_names() -> dict[str, str]:
    """The label of each recorded action, in the page's language."""
    return {
        # translators: audit log: what somebody did
        "sign in": gettext("signed in"),
        # translators: audit log: what somebody did
        "sign out everywhere": gettext("signed a person out everywhere"),
        # translators: audit log: what somebody did: password, second factor, passkey
        "change sign-in": gettext("changed how a person signs in"),
        # translators: audit log: somebody tried to sign in with a passkey that another device may have a copy of
        "refuse passkey": gettext("was refused: the passkey may be a copy"),
        # translators: audit log: what somebody did
        "add staff": gettext("added a staff member"),
        # translators: audit log: what somebody did
        "change staff": gettext("changed a person's access"),
        # translators: audit log: what somebody did: a roster is the list of students and guardians
        "import roster": gettext("imported a roster"),
        # translators: audit log: what somebody did: a wave is one survey asked of some schools between two days
        "open wave": gettext("opened a survey"),
        # translators: audit log: what somebody did
        "change wave": gettext("changed the last day of a survey"),
        # translators: audit log: what somebody did
        "make access codes": gettext("created access codes and downloaded the list"),
        # translators: audit log: what somebody did: the forms are files for printing
        "download packet": gettext("downloaded a packet of paper forms"),
        # translators: audit log: what somebody did: an area is for example religion or income
        "screen questions": gettext("decided about a question in content screening"),
        # translators: audit log: what somebody did: some families do not want to be asked
        "opt out": gettext("changed the opt-outs"),
        # translators: audit log: what somebody did: an event at a school where many families answer at once
        "announce event": gettext("announced a school event"),
        # translators: audit log: what somebody did: many responses that came within minutes; they are counted or not
        "decide on bursts": gettext("decided whether a burst of responses is counted"),
        # translators: audit log: what somebody did
        "export figures": gettext("downloaded figures"),
        # translators: audit log: what somebody did, in a survey that is not anonymous
        "see who answered": gettext("looked up which household gave an answer"),
        # translators: audit log: what somebody did: afterwards the numbers never change
        "freeze checkpoint": gettext("froze the figures of a checkpoint"),
        # translators: audit log: what somebody did: afterwards families can read the results
        "publish checkpoint": gettext("published a checkpoint"),
        # translators: audit log: what somebody did
        "change privacy notice": gettext("changed the privacy notice"),
        # translators: audit log: what somebody did
        "allow student surveys": gettext("allowed surveys of students, or ended that"),
        # translators: audit log: what somebody did
        "record notice": gettext("recorded the day of the notice to families about a survey of students"),
        # translators: audit log: what somebody did
        "change promise": gettext("added or changed a promise to families"),
        # translators: audit log: what somebody did
        "write debrief": gettext("wrote a debrief after an event"),
        # translators: audit log: what somebody did
        "correct answers": gettext("corrected or withdrew a paper form"),
        # translators: audit log: what somebody did
        "export audit log": gettext("downloaded the audit log"),
        # translators: audit log: what somebody did: email that could not be sent
        "read letter": gettext("read an email that was not sent"),
        # translators: audit log: what somebody did, by the rule of how long things are kept
        "run retention": gettext("deleted data that was due for deletion"),
        # translators: audit log: what somebody did: names and contacts are stored sealed under a key
        "rotate keys": gettext("encrypted everything with a new key"),
        # translators: audit log: what somebody did
        "restore backup": gettext("restored a backup"),
    }
