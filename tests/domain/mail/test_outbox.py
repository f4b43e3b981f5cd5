"""The states of an email in the outbox."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engage.domain.mail import outbox
from engage.domain.mail.outbox import OutgoingMail
from engage.storage.engine import write_session
from engage.storage.models.mail import Mail

NOW = datetime(2026, 10, 14, 18, 30, 5, 999, tzinfo=UTC)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with write_session(engine) as made:
        yield made


@pytest.fixture
def id(session: Session) -> str:
    made = outbox.queue_mail(
        session, "reset", OutgoingMail("ana@homes.example", "S", "T"), lambda text: text[::-1].encode(), NOW
    )
    session.flush()
    return made


def test_it_is_kept_as_the_sealer_leaves_it(session: Session, id: str) -> None:
    mail = session.get_one(Mail, id)
    assert b"ana@homes" not in mail.sealed
    assert (mail.state, mail.tries, mail.problem) == ("waiting", 0, "")
    assert mail.written_at == datetime(2026, 10, 14, 18, 30, 5)
    assert outbox.open_mail(mail, lambda sealed: sealed.decode()[::-1]) == OutgoingMail("ana@homes.example", "S", "T")


def test_after_each_try_it_waits_longer_and_after_eight_it_has_failed(session: Session, id: str) -> None:
    pauses = []
    for turn in range(8):
        (due,) = outbox.list_waiting_mail(session)
        assert due.turn == turn
        pauses.append(due.pause)
        assert outbox.mark_tried(session, id, turn, "451 later")
    assert pauses == [0, 60, 300, 1800, 7200, 7200, 7200, 7200]
    assert outbox.list_waiting_mail(session) == []
    assert session.get_one(Mail, id, populate_existing=True).state == "failed"


def test_what_belongs_to_an_earlier_turn_changes_nothing(session: Session, id: str) -> None:
    assert outbox.retry_mail(session, id)
    assert not outbox.mark_tried(session, id, 0, "451 later")
    assert not outbox.mark_failed(session, id, 0, "550 never")
    assert outbox.find_due_mail(session, id, 0) is None
    (due,) = outbox.list_waiting_mail(session)
    assert (due.turn, due.pause) == (1, 0)


def test_that_it_was_taken_counts_in_any_turn(session: Session, id: str) -> None:
    outbox.mark_failed(session, id, 0, "550 never")
    assert outbox.mark_sent(session, id, NOW)
    assert not outbox.mark_sent(session, id, NOW)
    assert not outbox.retry_mail(session, id)
    mail = session.get_one(Mail, id, populate_existing=True)
    assert (mail.state, mail.sealed, mail.problem) == ("sent", b"", "")


def test_a_long_problem_fits_its_column(session: Session, id: str) -> None:
    outbox.mark_tried(session, id, 0, "4" * 5000)
    assert len(session.get_one(Mail, id, populate_existing=True).problem) == 200


@pytest.mark.parametrize(
    ("state", "problem", "with_server", "without"),
    [("waiting", "", 0, 1), ("waiting", "451", 1, 1), ("failed", "550", 1, 1), ("sent", "", 0, 0)],
)
def test_what_a_person_should_look_at(
    session: Session, id: str, state: str, problem: str, with_server: int, without: int
) -> None:
    mail = session.get_one(Mail, id)
    mail.state, mail.problem = state, problem
    session.flush()
    assert outbox.count_stuck_mail(session, sends=True) == with_server
    assert outbox.count_stuck_mail(session, sends=False) == without


def test_all_that_are_stuck_are_tried_again(session: Session, id: str) -> None:
    assert outbox.retry_all_mail(session) == 0
    outbox.mark_failed(session, id, 0, "550 never")
    assert outbox.retry_all_mail(session) == 1
    assert [due.id for due in outbox.list_waiting_mail(session)] == [id]
