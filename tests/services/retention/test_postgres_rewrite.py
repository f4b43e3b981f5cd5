"""PostgreSQL after one nightly run: no transaction number, position in a file, or number of a long value links a
family's question to its answers; no deleted data is in the files; no concurrent submission is lost."""

import base64
import threading
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, LargeBinary, Text, create_engine, text, update

from engage.domain.conversations.threads import open_thread
from engage.services.retention import erasure, postgres_rewrite
from engage.services.retention.erasure import RetryPolicy, erase_deleted_rows
from engage.services.retention.postgres_rewrite import LINKED, OWNERS, find_joinable_waves, rewrite_waves
from engage.storage.engine import write_session
from engage.storage.models.base import Base
from engage.storage.models.paper import Keying
from engage.storage.models.responses import Response
from tests.makers import a_survey, a_wave, accept, printed_sheets, staff

pytestmark = pytest.mark.postgres

TODAY = date(2026, 10, 14)
FAMILIES = 40
LONG = 3000  # characters: more than fit in a row, so that PostgreSQL stores them separately under a number
ALONE = {  # tables of a wave that are not written in the same transaction as a response
    *("checkpoint_waves", "wave_schools", "wave_strata", "wave_columns", "packets", "print_runs"),
    *("withdrawn_invitations", "joined_groups", "announced_events", "burst_days", "burst_decisions"),
    *("drafts", "keying_drafts"),  # deleted in that transaction, so that only erasure concerns them
}


def letters(rng: Random, number: int) -> str:
    """Return text that PostgreSQL cannot compress, so that it is readable in the files."""
    return base64.b64encode(rng.randbytes(number)).decode()[:number]


def tell(engine: Engine, number: int, rng: Random, wave: Any) -> tuple[str, str]:
    """Answer and ask as one family, in one transaction; returns the response's and the thread's id."""
    place = {"wave_id": wave.id, "school_id": "lincoln", "language": "en"}
    with engine.begin() as connection:
        stored = accept(
            connection,
            a_survey(),
            wave,
            school_id="lincoln",
            language="en",
            mode="web",
            raw={"internet": ["yes"]},
            submission_key=f"{number:064x}",
            today=TODAY,
            rng=rng,
            group_key=bytes(32),
        )
        long = f'{{"internet":"yes","wish":"{letters(rng, LONG)}"}}'
        connection.execute(update(Response).where(Response.id == stored.response_id).values(answers=long))
        thread = open_thread(connection, kind="question", text=letters(rng, LONG), today=TODAY, rng=rng, **place)
    return stored.response_id, thread


@pytest.fixture
def wave(engine: Engine) -> Any:
    with write_session(engine) as session:
        made = a_wave(session)
        session.commit()
        return made


@pytest.fixture
def pairs(engine: Engine, wave: Any) -> dict[str, str]:
    """The truth: the response of each thread."""
    rng = Random(5)
    return dict(reversed(tell(engine, number, rng, wave)) for number in range(FAMILIES))


def rows(engine: Engine, statement: str) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(text(statement)).all()


def by_transaction(engine: Engine) -> dict[str, set[str]]:
    """Return, for each thread, the responses written in the same transaction."""
    found: dict[str, set[str]] = {}
    for thread, response in rows(engine, "select t.id, r.id from threads t join responses r on r.xmin = t.xmin"):
        found.setdefault(thread, set()).add(response)
    return found


def by_place(engine: Engine) -> dict[str, set[str]]:
    """Return, for each thread, the response at the same position of its own file."""
    threads, responses = (rows(engine, f"select id from {table} order by ctid") for table in ("threads", "responses"))
    return {thread: {response} for (thread,), (response,) in zip(threads, responses, strict=True)}


def by_long_value(engine: Engine) -> dict[str, set[str]]:
    """Return, for each thread, the response whose long answer has the number after that of the long question."""
    questions, answers = (numbers(engine, *each) for each in (("messages", "text"), ("responses", "answers")))
    of = dict(rows(engine, "select id, thread_id from messages"))
    order = zip(sorted(questions, key=questions.__getitem__), sorted(answers, key=answers.__getitem__), strict=True)
    return {of[message]: {response} for message, response in order}


def numbers(engine: Engine, table: str, column: str) -> dict[str, int]:
    """Return, by row, the number under which its long value is stored; the attacker knows it from the row's pointer."""
    found = rows(engine, f"select relname from pg_class where oid = '{table}'::regclass")
    assert found
    (toast,) = rows(engine, f"select reltoastrelid::regclass::text from pg_class where oid = '{table}'::regclass")[0]
    chunks = rows(engine, f"select chunk_id::bigint, chunk_data from {toast} where chunk_seq = 0")
    first = {bytes(data)[500:600]: number for number, data in chunks}
    return {
        id: number
        for id, value in rows(engine, f"select id, {column} from {table}")
        for piece, number in first.items()
        if piece in value.encode()
    }


WAYS = {"transaction": by_transaction, "place": by_place, "long value": by_long_value}


@pytest.mark.parametrize("way", WAYS)
def test_before_the_night_everything_is_joined(engine: Engine, pairs: dict[str, str], way: str) -> None:
    """The control: each way works."""
    assert WAYS[way](engine) == {thread: {response} for thread, response in pairs.items()}


def test_after_the_night_nothing_is(engine: Engine, wave: Any, pairs: dict[str, str]) -> None:
    assert find_joinable_waves(engine) == [wave.id]
    assert rewrite_waves(engine) == (1, "")
    assert erase_deleted_rows(engine) == ""
    assert find_joinable_waves(engine) == []
    assert by_transaction(engine) == {key: set(pairs.values()) for key in pairs}, "one transaction wrote all of them"
    for table in ("responses", "threads", "messages", "unfolded"):
        key = Base.metadata.tables[table].primary_key.columns[0].name
        lying = rows(engine, f"select {key} from {table} order by ctid")
        assert lying == sorted(lying), "the order of the random ids"
    for way in ("place", "long value"):
        right = sum(found == {pairs[thread]} for thread, found in WAYS[way](engine).items())
        assert right <= 5, f"{right} of {FAMILIES} by {way}; by chance it is 1, and 6 or more in 6 of 10,000"  # Poisson


def test_what_comes_later_is_written_anew_the_next_night(engine: Engine, wave: Any, pairs: dict[str, str]) -> None:
    assert [rewrite_waves(engine), rewrite_waves(engine)] == [(1, ""), (0, "")]
    tell(engine, FAMILIES, Random(6), wave)
    assert find_joinable_waves(engine) == [wave.id]
    assert rewrite_waves(engine) == (1, "")
    assert len(set(rows(engine, "select xmin::text from responses union select xmin::text from threads"))) == 1


def files(engine: Engine) -> Iterator[bytes]:
    """Yield every file of the tested database, as stored on disk."""
    with engine.connect() as connection:
        connection.execute(text("checkpoint"))
        (folder,) = connection.execute(
            text("select 'base/' || oid from pg_database where datname = current_database()")
        ).one()
        for name in connection.execute(text(f"select pg_ls_dir('{folder}')")).scalars().all():
            yield bytes(connection.execute(text(f"select pg_read_binary_file('{folder}/{name}')")).scalar() or b"")


def in_files(engine: Engine, *traces: str) -> int:
    """Return how many of the traces occur in the files."""
    content = list(files(engine))
    return sum(any(trace.encode() in each for each in content) for trace in traces)


def test_nothing_that_was_deleted_is_in_the_files(engine: Engine, wave: Any) -> None:
    """Serials removed from keyings, and answers of deleted responses; also in the planner's statistics."""
    rng, traces = Random(7), [f"answer-{number:08}-of-a-family" for number in range(FAMILIES)]
    with write_session(engine) as session:
        keyer = staff(session, "liaison")
        serials = printed_sheets(session, session.merge(wave), keyer, FAMILIES)
        for serial, trace in zip(serials, traces, strict=True):
            about = {"wave_id": wave.id, "school_id": "lincoln", "language": "en", "mode": "paper"}
            keyed = {"keyed_by": keyer.id, "keyed_at": datetime(2026, 10, 14)}
            session.add(
                Keying(id=f"{rng.getrandbits(256):064x}", serial=serial, raw=f'{{"q":["{trace}"]}}', **about, **keyed)
            )
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
        sampled = "select count(*) from pg_stats where histogram_bounds::text like '%answer-0000%'"
        assert connection.execute(text(sampled)).scalar() == 0, "the planner keeps no answers"
        connection.execute(text("update keyings set serial = null, raw = '{}'"))
        connection.execute(text("delete from sheets"))
    assert in_files(engine, *traces, *serials) >= FAMILIES, "the control: deleting alone leaves them"
    assert (rewrite_waves(engine)[1], erase_deleted_rows(engine)) == ("", "")
    assert in_files(engine, *traces, *serials) == 0


def test_somebody_who_reads_an_older_state_keeps_it_and_that_is_said(
    engine: Engine, wave: Any, pairs: dict[str, str], settings: Any
) -> None:
    older = create_engine(settings.database, isolation_level="REPEATABLE READ", hide_parameters=True)
    quick = RetryPolicy(0.0)
    with older.connect() as reader:
        reader.execute(text("select 1 from waves"))
        assert rewrite_waves(engine, quick) == (1, "")
        problem = erase_deleted_rows(engine, quick)
        assert "deleted rows are left in table responses" in problem
        assert "table staff" not in problem
        assert reader.execute(text("select count(*) from responses")).scalar() == FAMILIES
    assert erase_deleted_rows(engine, quick) == ""
    older.dispose()


def test_a_lock_of_somebody_else_is_not_waited_for(
    engine: Engine, wave: Any, pairs: dict[str, str], monkeypatch: Any
) -> None:
    """Families would have to wait behind a pending lock on a whole table."""
    monkeypatch.setattr(erasure, "LOCK", 50)
    monkeypatch.setattr(postgres_rewrite, "LOCK", 50)
    with engine.begin() as other:
        other.execute(text("select id from responses for update"))
        assert "somebody was using" in rewrite_waves(engine, RetryPolicy(0.0))[1]
        assert "somebody was using" in erase_deleted_rows(engine, RetryPolicy(0.0))
    assert rewrite_waves(engine, RetryPolicy(0.0)) == (1, "")


def test_families_who_answer_meanwhile_lose_nothing(engine: Engine, wave: Any, pairs: dict[str, str]) -> None:
    stopping, nights, rng = threading.Event(), [], Random(8)

    def night() -> None:
        while not stopping.is_set():
            nights.append((rewrite_waves(engine)[1], erase_deleted_rows(engine)))

    thread = threading.Thread(target=night)
    thread.start()
    more = dict(reversed(tell(engine, FAMILIES + number, rng, wave)) for number in range(3 * FAMILIES))
    stopping.set()
    thread.join()
    assert set(nights) == {("", "")}
    for table, expected in (("responses", {*pairs.values(), *more.values()}), ("threads", {*pairs, *more})):
        assert {id for (id,) in rows(engine, f"select id from {table}")} == expected
    assert rows(engine, "select count(*) from unfolded") == [(4 * FAMILIES,)]


def test_every_table_that_is_written_with_a_response_is_written_anew() -> None:
    of_waves = {table.name for table in Base.metadata.tables.values() if "wave_id" in table.columns}
    assert set(LINKED) | ALONE == of_waves | OWNERS.keys()
    assert not set(LINKED) & ALONE


def test_the_planner_looks_at_no_words(engine: Engine) -> None:
    """A new column with text, or with encrypted bytes, in a table of families needs `set statistics 0` in its
    migration."""
    statement = "select attrelid::regclass::text, attname from pg_attribute where attstattarget = 0 and attnum > 0"
    unsampled = {tuple(row) for row in rows(engine, statement)}
    tables = {*LINKED, "drafts", "keying_drafts", "households", "guardians", "students", "mails"}
    words = {
        (name, column.name)
        for name in tables
        for column in Base.metadata.tables[name].columns
        if isinstance(column.type, Text | LargeBinary)
    }
    serials = {(table.name, "serial") for table in Base.metadata.tables.values() if "serial" in table.columns}
    assert words | serials <= unsampled | {("mails", "problem")}
