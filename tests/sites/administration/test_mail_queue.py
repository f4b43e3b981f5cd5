"""The queue of unsent email."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engage.domain.mail import outbox
from engage.domain.mail.outbox import OutgoingMail
from engage.storage.models.audit import AuditEvent
from engage.storage.models.mail import Mail
from engage.web.context import EXTENSION
from tests.people import StaffMember

pytestmark = pytest.mark.slow

LETTERS = "/staff/administration/letters"
NOW = datetime(2026, 10, 12, 15, tzinfo=UTC)
LINK = "https://engage.example/staff/welcome/abc123"
Someone = Callable[[str], StaffMember]


@pytest.fixture
def written(arrange: Any, site: Any) -> Callable[..., str]:
    """Adds an email to the outbox."""
    seal = site.staff.extensions[EXTENSION].sealer.seal

    def put(kind: str = "invitation", text: str = f"Hello\n\n{LINK}", problem: str = "", failed: bool = False) -> str:
        def make(session: Session) -> str:
            id = outbox.queue_mail(session, kind, OutgoingMail("amina@homes.example", "Welcome", text), seal, NOW)
            session.flush()
            if problem:
                (outbox.mark_failed if failed else outbox.mark_tried)(session, id, 0, problem)
            return id

        return str(arrange(make))

    return put


def test_a_letter_is_read_while_no_mail_server_is_set_up(someone: Someone, written: Any, stored: Any) -> None:
    written()
    administrator = someone("administrator")
    administrator.opens("/staff/").sees("1 email was not sent.").follows("View")
    administrator.sees("No mail server is set up", "Invitation to sign in", "October 12, 2026", "waiting")
    administrator.sees_no("amina@homes.example", LINK)
    administrator.opens(next(a.get("href") for a in administrator.page.all("a") if "/letters/" in str(a.get("href"))))
    administrator.sees("amina@homes.example", "Welcome", LINK)
    (event,) = [each for each in stored(AuditEvent) if each.deed == "read letter"]
    assert event.actor == "administrator@district.example"
    assert "amina" not in event.about + event.detail


def test_what_the_server_said_is_shown_and_a_letter_is_tried_again(someone: Someone, written: Any, stored: Any) -> None:
    id = written(problem="550 5.1.1 no <script>such</script> person", failed=True)
    administrator = someone("administrator")
    administrator.opens(LETTERS).sees("failed", "550 5.1.1 no <script>such</script> person")
    administrator.opens(f"{LETTERS}/{id}").sends(button="Send again now")
    administrator.sees("The email will be sent again now.")
    (mail,) = stored(Mail)
    assert (mail.state, mail.problem, mail.tries) == ("waiting", "", 2)


def test_a_letter_that_was_handed_over_is_thrown_away(someone: Someone, written: Any, stored: Any) -> None:
    id = written()
    administrator = someone("administrator")
    administrator.opens(f"{LETTERS}/{id}").sends(button="Delete")
    administrator.sees("No email is waiting.")
    assert stored(Mail) == []


def test_a_sent_letter_is_nobodys_any_more(someone: Someone, written: Any, arrange: Any) -> None:
    id = written()
    arrange(lambda session: outbox.mark_sent(session, id, NOW))
    administrator = someone("administrator")
    administrator.opens(LETTERS).sees("No email is waiting.")
    administrator.opens(f"{LETTERS}/{id}", status=404)


def test_a_letter_under_a_lost_key_is_told_not_a_broken_page(someone: Someone, written: Any, arrange: Any) -> None:
    id = written()

    def spoil(session: Session) -> None:
        session.get_one(Mail, id).sealed = b"nothing"

    arrange(spoil)
    someone("administrator").opens(f"{LETTERS}/{id}").sees("cannot be decrypted")


def test_hostile_words_are_only_words(someone: Someone, written: Any) -> None:
    id = written(kind="<b>x</b>", text="<script>alert(1)</script>{{ 7*7 }}")
    administrator = someone("administrator")
    administrator.opens(f"{LETTERS}/{id}").sees("<script>alert(1)</script>{{ 7*7 }}", "<b>x</b>")
    assert not list(administrator.page.all("script"))


@pytest.mark.parametrize("id", ["0" * 32, "x", "0" * 5000, "%00", "..%2f..", "é"])
def test_made_up_letters_are_not_found(someone: Someone, id: str) -> None:
    administrator = someone("administrator")
    administrator.opens(f"{LETTERS}/{id}", status=404)
    administrator.opens("/staff/me")
    data = {"csrf_token": administrator.field("csrf_token")}
    assert administrator.client.post(f"{LETTERS}/{id}/away", data=data).status_code == 404


@pytest.mark.parametrize("role", ["liaison", "leader", "translator"])
def test_others_stay_out(someone: Someone, written: Any, role: str) -> None:
    id = written()
    person = someone(role)
    person.opens("/staff/").sees_no("email was not sent")
    person.opens(LETTERS, status=403)
    person.opens(f"{LETTERS}/{id}", status=403)
