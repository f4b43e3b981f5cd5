"""Dates are shown in the district's time zone, never in UTC: the rule, and code that might violate it."""

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, nodes
from sqlalchemy import DateTime
from sqlalchemy.orm import Session

import engage
from engage.base.config import Settings
from engage.domain.intake.form_data import serialize_draft
from engage.domain.mail import outbox
from engage.domain.mail.outbox import OutgoingMail
from engage.storage.models.base import Base
from engage.storage.models.paper import Keying
from engage.web.context import EXTENSION
from engage.web.page_language import long_date
from tests.makers import PASSWORD, a_wave, printed_sheets, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

ENGAGE = Path(engage.__file__).parent
MOMENTS = {
    column.name
    for table in Base.metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, DateTime)
}
EVENING = datetime(2026, 10, 15, 4, 9)  # stored without a zone, so it is UTC; in Chicago it is the evening before


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 10, 15, 4, 59, tzinfo=UTC), date(2026, 10, 14)),
        (datetime(2026, 10, 15, 5, 0, tzinfo=UTC), date(2026, 10, 15)),
        (EVENING, date(2026, 10, 14)),
        (datetime(2026, 12, 15, 5, 59, tzinfo=UTC), date(2026, 12, 14)),  # winter: an hour later
    ],
)
def test_the_day_of_a_moment_is_the_districts(moment: datetime, day: date) -> None:
    assert Settings(timezone="America/Chicago").local_day(moment) == day


def test_a_moment_is_not_written_as_a_day() -> None:
    with pytest.raises(TypeError, match="local_day"):
        long_date(EVENING)


def shown_days(tree: nodes.Node) -> Iterator[nodes.Expr]:
    """Yield the arguments of `long_date` in a template."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "long_date":
            yield call.args[0]


def names_a_moment(expression: nodes.Expr) -> bool:
    """Whether the expression is a column with a moment, or the UTC date of one."""
    if isinstance(expression, nodes.Call) and isinstance(expression.node, nodes.Getattr):
        return expression.node.attr == "date"
    return isinstance(expression, nodes.Getattr) and expression.attr in MOMENTS


def test_templates_never_write_a_moment_as_a_day() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    count = 0
    for path in ENGAGE.rglob("templates/**/*.html"):
        for expression in shown_days(environment.parse(path.read_text("utf-8"))):
            assert not names_a_moment(expression), f"{path.name}: use long_date(local_day(...))"
            count += 1
    assert count > 20, "long_date is called by another name now: this test looks at nothing"


def utc_days(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield calls of `.date()` on a value that was not converted to a time zone in the same expression."""
    for call in ast.walk(tree):
        is_day = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "date"
        if is_day and called_name(call.func.value) not in ("astimezone", "fromtimestamp", "local_time"):
            yield call


def called_name(expression: ast.expr) -> str:
    """Return the name of the function or method that an expression calls; empty if it is not a call."""
    if not isinstance(expression, ast.Call):
        return ""
    function = expression.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


TYPED = {
    "domain/roster/update_schedule.py",  # the moment is in the district's zone
    "cli/retention.py",
    "cli/audit.py",
    "services/retention/policies.py",
}  # dates that people type, and a date converted to a moment


def test_code_never_takes_the_day_of_a_moment_without_a_zone() -> None:
    found = {
        str(path.relative_to(ENGAGE)) for path in ENGAGE.rglob("*.py") if any(utc_days(ast.parse(path.read_text())))
    }
    assert found <= TYPED, f"{found - TYPED}: ask Settings.local_day, the database stores UTC"


def test_the_scan_finds_what_it_looks_for() -> None:
    environment = Environment(autoescape=True)
    for line in ("{{ long_date(keying.keyed_at) }}", "{{ long_date(mail.written_at.date()) }}"):
        assert all(map(names_a_moment, shown_days(environment.parse(line))))
    assert not any(map(names_a_moment, shown_days(environment.parse("{{ long_date(local_day(mail.written_at)) }}"))))
    assert list(utc_days(ast.parse("row.keyed_at.date()")))


@pytest.fixture
def evening(arrange: Any, site: Any) -> str:
    """Add an email and a keyed sheet at 11:09 p.m. on October 14 in Chicago; returns the sheet's serial."""
    seal = site.staff.extensions[EXTENSION].sealer.seal

    def make(session: Session) -> str:
        wave = a_wave(session, "known", identity="confidential")
        by = staff(session, "liaison", email="liaison@district.example")
        staff(session, "administrator", email="administrator@district.example")
        (serial,) = printed_sheets(session, wave, by, 1)
        about = {"wave_id": wave.id, "school_id": "lincoln", "serial": serial, "language": "en", "mode": "paper"}
        keying = Keying(
            id="5" * 32, raw=serialize_draft({"internet": ["yes"]}), keyed_by=by.id, keyed_at=EVENING, **about
        )
        session.add(keying)
        outbox.queue_mail(
            session, "invitation", OutgoingMail("a@homes.example", "Hi", "Hi"), seal, EVENING.replace(tzinfo=UTC)
        )
        return serial

    return str(arrange(make))


def test_what_was_done_in_the_evening_shows_the_day_it_was_in_the_district(site: Any, evening: str) -> None:
    liaison = StaffMember(site)
    liaison.signs_in("liaison@district.example", PASSWORD)
    liaison.opens(f"/staff/liaison/keying/sheets/{evening}").sees("on October 14, 2026").sees_no("October 15")
    administrator = StaffMember(site)
    administrator.signs_in("administrator@district.example", PASSWORD)
    administrator.opens("/staff/administration/letters").sees("October 14, 2026").sees_no("October 15")
