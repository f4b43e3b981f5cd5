"""Anonymity: groups of responses are encrypted or merged, and no table of answers or questions has an order of arrival.

Existing responses of anonymous waves get the first day of the wave, and are merged if fewer than ten share a group.
Messages from families get the first day of their week. Used codes without a link lose their day.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0008_anonymity"
down_revision = "0016_privacy_notice"
branch_labels = None
depends_on = None

LEAST, OTHER = 10, "mul"  # the values in storage/language_groups.py at that time
ANEW = {"sqlite_with_rowid": False}
ORDERED = ("sheets", "sheet_links", "keyings", "keying_drafts", "threads", "messages")
"""Tables that had a rowid, which reveals the order of arrival."""
MODES = "mode in ('web', 'paper', 'interview', 'mul')"
PROVENANCE = "mode <> 'web' or provenance is null"
UNLINKED = "identity = 'confidential' or (used_on is null and not used)"

USED = "update invitations set used = true where used_on is not null"
FORGET_USE = """update invitations set used_on = null where used_on is not null
    and not exists (select 1 from response_links where response_links.invitation = invitations.digest)"""
ANSWERED_IN = "update responses set answered_in = language where language <> 'mul'"
FIRST_DAY = """update responses set day = (select opens from waves where waves.id = responses.wave_id) where exists (
    select 1 from waves where waves.id = responses.wave_id and (waves.identity = 'anonymous' or (waves.entry = 'code'
    and not exists (select 1 from response_links where response_links.response_id = responses.id))))"""
GROUPED = """select r.school_id, r.language, r.mode, r.answered_in, count(*) from responses r where r.wave_id = :wave
    group by r.school_id, r.language, r.mode, r.answered_in"""
MOVE = """update responses set school_id = :school, language = :language, mode = :mode, answered_in = :page
    where wave_id = :wave and school_id = :old_school and language = :old_language and mode = :old_mode
    and coalesce(answered_in, 'mul') = :old_page"""

Group = tuple[str, str, str, str]


def upgrade() -> None:
    op.create_table(
        "joined_groups",
        sa.Column("wave_id", sa.String(length=60), nullable=False),
        sa.Column("school_id", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_joined_groups_school_id_schools")),
        sa.ForeignKeyConstraint(["wave_id"], ["waves.id"], name=op.f("fk_joined_groups_wave_id_waves")),
        sa.PrimaryKeyConstraint("wave_id", "school_id", "language", name=op.f("pk_joined_groups")),
        sqlite_with_rowid=False,
    )
    op.add_column("invitations", sa.Column("used", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(USED)
    _change_invitations()
    _change_responses()
    for statement in (FORGET_USE, ANSWERED_IN, FIRST_DAY):
        op.execute(statement)
    waves = "select distinct wave_id from responses r join waves w on w.id = r.wave_id where w.identity = 'anonymous'"
    for wave in op.get_bind().execute(sa.text(waves)).scalars().all():
        _join_groups(wave)
    _truncate_to_week()
    if op.get_bind().dialect.name == "sqlite":
        for table in ORDERED:
            _drop_rowid(table)


def _change_invitations() -> None:
    # SQLite rebuilds the table without its CHECK constraints.
    with op.batch_alter_table("invitations", schema=None, table_kwargs=ANEW) as batch_op:
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_invitations_unlinked"), type_="check")
        batch_op.create_check_constraint("unlinked", UNLINKED)
        batch_op.create_check_constraint("used", "used or used_on is null")


def _change_responses() -> None:
    with op.batch_alter_table("responses", schema=None, table_kwargs=ANEW) as batch_op:
        batch_op.add_column(sa.Column("answered_in", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("sealed_group", sa.LargeBinary(), nullable=True))
        batch_op.alter_column("school_id", existing_type=sa.String(length=40), nullable=True)
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_responses_mode"), type_="check")
            batch_op.drop_constraint(op.f("ck_responses_provenance"), type_="check")
        batch_op.create_check_constraint("mode", MODES)
        batch_op.create_check_constraint("provenance", PROVENANCE)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("alter table responses alter column sealed_group set statistics 0")


def _join_groups(wave: str) -> None:
    bind = op.get_bind()
    rows = bind.execute(sa.text(GROUPED), {"wave": wave})
    sizes = Counter({(school, language, mode, page or OTHER): number for school, language, mode, page, number in rows})
    joined = set()
    for old, new in list(_labels(sizes, list(sizes), ())):
        if old == new:
            continue
        values: dict[str, str | None] = dict(zip(("school", "language", "mode", "page"), new, strict=True))
        known = dict(zip(("old_school", "old_language", "old_mode", "old_page"), old, strict=True))
        values |= dict.fromkeys((name for name in ("school", "page") if values[name] == OTHER), None)
        bind.execute(sa.text(MOVE), {"wave": wave, **known, **values})
        joined |= {(old[0], name) for name, place in ((old[1], 1), (OTHER, 0)) if old[place] != new[place]}
    insert = sa.text("insert into joined_groups (wave_id, school_id, language) values (:wave, :school, :language)")
    for school, language in sorted(joined):
        bind.execute(insert, {"wave": wave, "school": school, "language": language})
    bind.execute(sa.text("update waves set edits = edits + 1 where id = :wave"), {"wave": wave})


def _labels(
    sizes: Mapping[Group, int], groups: Sequence[Group], label: tuple[str, ...]
) -> Iterator[tuple[Group, tuple[str, ...]]]:
    """Copy of the rule in domain/intake/group_assignment.py at that time."""
    level = len(label)
    if level == 4:
        yield from ((group, label) for group in groups)
        return
    counted: Counter[str] = Counter()
    for group in groups:
        counted[group[level]] += sizes[group]
    named = _large_groups(counted, counted.pop(OTHER, 0))
    for name in [*sorted(named), OTHER]:
        inside = [each for each in groups if (each[level] if each[level] in named else OTHER) == name]
        if inside:
            yield from _labels(sizes, inside, (*label, name))


def _large_groups(sizes: Mapping[str, int], rest: int) -> set[str]:
    named = set(sizes)
    for name, number in sorted(sizes.items(), key=lambda each: (each[1], each[0])):
        if number >= LEAST and (rest == 0 or rest >= LEAST):
            break
        named.discard(name)
        rest += number
    return named


def _truncate_to_week() -> None:
    """Set the day of messages from families of anonymous waves to the Monday of their week."""
    waves = sa.table("waves", sa.column("id"), sa.column("identity"))
    threads = sa.table("threads", sa.column("id"), sa.column("wave_id"), sa.column("opened_on", sa.Date()))
    messages = sa.table("messages", sa.column("thread_id"), sa.column("author"), sa.column("written_on", sa.Date()))
    anonymous = sa.select(waves.c.id).where(waves.c.identity == "anonymous")
    those = threads.c.wave_id.in_(anonymous)
    theirs = messages.c.thread_id.in_(sa.select(threads.c.id).where(those)) & (messages.c.author == "family")
    for table, column, where in ((threads, "opened_on", those), (messages, "written_on", theirs)):
        day = table.c[column]
        for found in op.get_bind().scalars(sa.select(day).where(where).distinct()).all():
            op.execute(sa.update(table).where(where, day == found).values({column: _monday(found)}))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _drop_rowid(table: str) -> None:
    """Rebuild a table unchanged, in the order of its key and without a rowid (https://sqlite.org/lang_altertable.html,
    "Making other kinds of table schema changes")."""
    bind = op.get_bind()
    sql = "select sql from sqlite_master where {} and sql is not null"
    made = bind.execute(sa.text(sql.format("type = 'table' and name = :name")), {"name": table}).scalar_one()
    indexes = bind.execute(sa.text(sql.format("type = 'index' and tbl_name = :name")), {"name": table}).scalars().all()
    keys = ", ".join(sa.inspect(bind).get_pk_constraint(table)["constrained_columns"])
    body = made[made.index("(") :]
    bind.exec_driver_sql(f"create table anew_{table} {body} WITHOUT ROWID")
    bind.exec_driver_sql(f"insert into anew_{table} select * from {table} order by {keys}")  # noqa: S608  our own names
    bind.exec_driver_sql(f"drop table {table}")
    bind.exec_driver_sql(f"alter table anew_{table} rename to {table}")
    for index in indexes:
        bind.exec_driver_sql(index)
