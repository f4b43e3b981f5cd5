"""`engage demo`: an invented district with surveys under way, built once and then served."""

import json
import os
import shutil
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TypedDict

import click

from engage.base.config import Settings
from engage.services.site_database import BUILT_FILE, DEMO


class DemoFacts(TypedDict):
    """What the printed guide names: ids, a sheet's serial, and access codes by language."""

    built_on: str
    codes: dict[str, str]
    open_wave: str
    checkpoint: str
    reply_code: str
    serial: str


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--build-only", is_flag=True, help="Build the demo, print its addresses and sign-in names, and stop.")
def demo(port: int, build_only: bool) -> None:
    """Serve Riverbend, an invented district; build it first if it does not exist.

    The demo is stored in the folder `demo` of the data directory (`instance/demo`), with its own database. Delete that
    folder to start over.
    """
    settings = _demo_settings(port)
    if Settings.read(os.environ).database_url:
        click.echo(f"ENGAGE_DATABASE_URL is not used: the demo has its own database in {settings.data_dir}.")
    if not (settings.data_dir / BUILT_FILE).exists():
        click.echo("Building Riverbend, an invented district …")
        shutil.rmtree(settings.data_dir, ignore_errors=True)
        _build_demo(settings)
    _upgrade_demo(settings)
    click.echo(_format_guide(settings, json.loads((settings.data_dir / BUILT_FILE).read_text("utf-8"))))
    if not build_only:
        from engage.server.supervisor import serve

        serve(settings, "127.0.0.1", port)


def _demo_settings(port: int) -> Settings:
    from engage.demo.district import NAME, PHONE

    configured = Settings.read(os.environ)
    return replace(
        configured,
        data_dir=configured.data_dir / DEMO,
        database_url="",
        shared_dir="",
        base_url=f"http://127.0.0.1:{port}",
        district_name=NAME,
        district_phone=PHONE,
        second_factor="offered",  # visitors of the demo have no authenticator app
    )


def _build_demo(settings: Settings) -> None:
    from engage.demo import educators, meeting, questions, story
    from engage.demo.district import TEACHERS
    from engage.services.runtime import open_runtime
    from engage.storage.engine import write_session
    from engage.storage.models.waves import Wave
    from engage.storage.upgrade import upgrade

    runtime = open_runtime(settings, lambda: datetime.now(UTC))
    upgrade(runtime.engine)
    with write_session(runtime.engine) as session:
        author = story.DemoContext(runtime.today(), story.create_rng(), runtime.secret, settings.timezone)
        built = story.build_demo(session, author)
        educators.add_teachers(session, TEACHERS)
        spring = [*built.spring, educators.add_educator_wave(session, author, TEACHERS).id]
        reply_code = questions.open_threads(session, author, session.get_one(Wave, built.open_wave))
        checkpoint = meeting.add_checkpoint(session, author, sorted(spring), settings.site_dir)
        session.commit()
    runtime.engine.dispose()
    facts = {
        **asdict(built),
        "reply_code": reply_code,
        "checkpoint": checkpoint.id,
        "built_on": author.today.isoformat(),
    }
    (settings.data_dir / BUILT_FILE).write_text(json.dumps(facts, indent=1), "utf-8")


def _upgrade_demo(settings: Settings) -> None:
    """Upgrade the database of a demo that an older version built."""
    from engage.storage.engine import connect, current_revision, head
    from engage.storage.upgrade import upgrade

    engine = connect(settings.database)
    try:
        if current_revision(engine) != head():
            upgrade(engine)
    finally:
        engine.dispose()


def _format_guide(settings: Settings, facts: DemoFacts) -> str:
    """The printed guide: which pages to open and how to sign in, for a first visit."""
    from engage.base.languages import LANGUAGES
    from engage.demo.district import STAFF
    from engage.demo.story import PASSWORD

    base = settings.base_url
    codes = [f"  {tag:8} {base}/{tag}/c/{facts['codes'][tag]}" for tag in LANGUAGES]
    staff = [f"  {each.email:34} {each.role}" for each in STAFF]
    return "\n".join(
        [
            "",
            f"{settings.district_name} ({facts['built_on']})",
            "",
            "Families",
            f"  choose a language                  {base}/",
            f"  Learning and your family           {base}/en/w/{facts['open_wave']}",
            f"  results and promises               {base}/en/results/{facts['checkpoint']}",
            f"  an answered question               {base}/es/reply   reply code {facts['reply_code']}",
            "",
            "Learning at home, with access codes: one unused code for each language",
            *codes,
            "",
            f"A printed form that is ready for data entry: form number {facts['serial']}",
            "",
            f"Staff: {base}/staff/   password for all: {PASSWORD}",
            *staff,
            "  A second step at sign-in is optional here. A real installation requires it (ENGAGE_SECOND_FACTOR).",
            "",
            f"To use other commands with this district, set ENGAGE_DATA_DIR={settings.data_dir}",
            "",
        ]
    )
