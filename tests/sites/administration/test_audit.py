"""The audit log on the administrator's page, and the actions that write it."""

import ast
import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, text

from engage.cli.message_catalogs import extract_catalog
from engage.domain.security.audit_log import AUDIT_KEY, DEEDS, AuditEntry, record_event
from engage.domain.security.encryption import derive_key
from engage.sites.administration.audit import EVENTS_PER_PAGE, event_names
from engage.storage.engine import write_session
from engage.storage.models.audit import AuditEvent, AuditHead
from tests.paths import ROOT, modules

pytestmark = pytest.mark.slow

LOG = "/staff/administration/audit"
NOON = datetime(2026, 10, 14, 18, tzinfo=UTC)


@pytest.fixture
def put(engine, settings):
    """Add events directly to the chain."""
    key = derive_key(settings.secret().encode(), AUDIT_KEY)

    def events(*about, deed="export figures", actor="leader@district.example"):
        with write_session(engine) as session:
            for number, each in enumerate(about):
                when = NOON + timedelta(seconds=number)
                record_event(session, AuditEntry(actor, deed, each, {"format": "csv"}), key=key, now=when)
            session.commit()

    return events


def numbers(person):
    return [int(next(line.all("th")).text) for line in next(person.page.all("tbody")).all("tr")]


def test_the_administrator_reads_the_log_the_newest_first_page_by_page(someone, put):
    admin = someone("administrator")
    put(*(f"checkpoint-{number}" for number in range(EVENTS_PER_PAGE + 20)))
    admin.opens(LOG).sees("Audit log", "The log has not been checked yet.", "downloaded figures", "format: csv")
    shown = numbers(admin)
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == EVENTS_PER_PAGE
    admin.follows("Older entries")
    assert numbers(admin)[0] == shown[-1] - 1
    admin.follows("Newest entries")
    assert numbers(admin) == shown


def test_the_log_is_filtered_by_deed_and_person(someone, put):
    admin = someone("administrator")
    put("fall")
    put("winter", deed="freeze checkpoint", actor="a_b%c@district.example")
    admin.opens(f"{LOG}?deed=freeze+checkpoint").sees("winter").sees_no("fall")
    admin.opens(f"{LOG}?person=LEADER@").sees("fall").sees_no("winter")
    admin.opens(f"{LOG}?person=a_b%25c").sees("winter").sees_no("fall")
    admin.opens(f"{LOG}?person=%25%25").sees("There are no matching entries.")


@pytest.mark.parametrize("query", ["before=x", "before=-9", "before=99999999999999", "deed=dance", "person=%00%ff"])
def test_a_strange_address_of_the_log_breaks_nothing(someone, put, query):
    put("fall")
    someone("administrator").opens(f"{LOG}?{query}")


def test_the_administrator_checks_the_log(someone, put, engine):
    admin = someone("administrator")
    put("fall", "winter")
    admin.opens(LOG).sends(button="Check the log now").sees("No entry has changed.", "Last checked:")
    with write_session(engine) as session:
        if engine.dialect.name == "sqlite":
            session.execute(text("drop trigger audit_events_no_delete"))
        else:
            session.execute(text("alter table audit_events disable trigger user"))
        session.execute(delete(AuditEvent))
        session.execute(delete(AuditHead))
        if engine.dialect.name != "sqlite":
            session.execute(text("alter table audit_events enable trigger user"))
        session.commit()
    admin.sends(button="Check the log now").sees("The log is shorter than before.")
    assert admin.opens(LOG).page.text.count("The log is shorter than before.") == 1


def test_the_log_is_carried_away_in_safe_cells_and_that_is_written_down(someone, put, stored):
    admin = someone("administrator")
    put('=HYPERLINK("http://evil.example")')
    admin.opens(f"{LOG}.csv?deed=export+figures")
    lines = list(csv.reader(io.StringIO(admin.response.get_data().decode("utf-8-sig"))))
    assert lines[0] == ["number", "at", "actor", "deed", "about", "detail"]
    assert [line[4] for line in lines[1:]] == ['\'=HYPERLINK("http://evil.example")']
    assert stored(AuditEvent)[-1].deed == "export audit log"


@pytest.mark.parametrize("role", ["liaison", "leader", "translator"])
def test_others_do_not_read_the_log(someone, role):
    person = someone(role)
    person.opens("/staff/").sees_no("Audit log")
    for address in (LOG, f"{LOG}.csv"):
        assert person.client.get(address).status_code == 403
    assert person.client.post(LOG).status_code in (400, 403)


def logged_deeds():
    """Return every action that the code records."""
    position = {"log_event": 1, "log_event_as": 2, "record_cli_event": 3, "AuditEntry": 1}
    for path in modules():
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
        }
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and (called := getattr(call.func, "id", "")) in position:
                deed = call.args[position[called]]
                yield constants.get(deed.id, deed.id) if isinstance(deed, ast.Name) else deed.value


def test_every_deed_that_the_code_logs_has_a_name(site):
    logged = set(logged_deeds())
    passed_on = {"deed"}  # the argument of a function that is called with an action
    assert len(logged) > 20, "events are added in another way now: this test looks at nothing"
    with site.staff.test_request_context():
        assert logged - passed_on - event_names().keys() == set()
        assert event_names().keys() == DEEDS.keys()
    assert {"change wave", "announce event", "decide on bursts", "read letter"} <= logged


def test_every_deed_can_be_translated():
    assert set(DEEDS.values()) <= {message.id for message in extract_catalog(ROOT, "staff")}


def test_every_deed_has_words_in_the_page(site):
    with site.staff.test_request_context():
        assert event_names() == DEEDS, "and they are the words of the command line"
