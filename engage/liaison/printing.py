"""Printing numbered sheets, and printing the same run again, byte for byte."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path
from random import SystemRandom
from secrets import token_hex

from flask import abort, render_template, request, send_file
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, IntegerField, RadioField
from wtforms.validators import InputRequired, NumberRange

from engage.access import serials
from engage.languages import LANGUAGES, catalogue
from engage.liaison.door import blueprint
from engage.liaison.places import PlaceForm, own_waves, places, tongues
from engage.paper.blank import blank
from engage.paper.cover import Cover
from engage.paper.fonts import MissingFont
from engage.paper.questions import TooTall
from engage.paper.shaping import MissingGlyph
from engage.paper.sheet import PAPERS
from engage.questionnaire.wording import load
from engage.records.schools import School, Wave
from engage.records.session import reading, writing
from engage.records.sheets import PrintRun, Sheet
from engage.web.guards import enters, person, require_school, schools
from engage.web.locale import gettext
from engage.web.state import state

COPIES_MOST = 200
RUNS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A print run and what has become of its sheets."""

    run: PrintRun
    wave: Wave
    school: School
    keyed: int
    spoiled: int


class PrintForm(PlaceForm):
    """What a person wants printed."""

    copies = IntegerField(
        validators=[InputRequired(), NumberRange(1, COPIES_MOST)],
        filters=[lambda number: number and max(-1, min(number, COPIES_MOST + 1))],  # a huge one breaks NumberRange
        default=30,
    )
    paper = RadioField(validate_choice=False, default="letter")
    large_print = BooleanField()


@blueprint.get("/print")
@enters("print paper surveys")
def printing() -> str:
    """The form, and the runs printed so far."""
    with reading(state().engine) as session:
        return _page(session, PrintForm(), {})


@blueprint.post("/print")
@enters("print paper surveys")
def print_run() -> Response | tuple[str, int]:
    """Number new sheets and hand over their PDF."""
    form = PrintForm(request.form)
    with reading(state().engine) as session:
        if problems := _problems(session, form):
            return _page(session, form, problems), 422
        run, wave = _run(form), session.get_one(Wave, form.wave_id)
        numbers = list(islice(serials.mint(SystemRandom(), _Taken(session)), run.copies))
        try:
            answer = _pdf(run, wave, numbers)  # drawn before anything is written, so that no answer waits for it
        except (MissingFont, MissingGlyph, TooTall) as problem:
            return _page(session, form, {"language": _unprintable(problem, run.language)}), 422
    with writing(state().engine) as session:
        session.add(run)
        session.flush()
        session.add_all(Sheet(serial=serial, run_id=run.id) for serial in numbers)
        session.commit()
    return answer


@blueprint.get("/print/<run_id>.pdf")
@enters("print paper surveys")
def print_again(run_id: str) -> Response:
    """The same sheets again, with the same serials."""
    with reading(state().engine) as session:
        run = session.get(PrintRun, run_id) if run_id.isalnum() else None
        if run is None:
            abort(404)
        require_school(run.school_id)
        numbers = session.scalars(select(Sheet.serial).where(Sheet.run_id == run.id).order_by(Sheet.serial))
        return _pdf(run, session.get_one(Wave, run.wave_id), list(numbers))


def _problems(session: Session, form: PrintForm) -> dict[str, str]:
    """What is wrong with the form, by field."""
    waves = own_waves(session)
    problems = form.problems(waves)
    if "place" not in problems and not any("paper" in wave.modes.split() for wave in waves if wave.id == form.wave_id):
        # translators: in a form: the survey is asked on the web or in talks only
        problems["place"] = gettext("This survey is not asked on paper.")
    if not form.validate():
        # translators: in a form: how many paper sheets to print
        problems["copies"] = gettext("Write a number from 1 to %(most)s.", most=COPIES_MOST)
    if form.paper.data not in PAPERS:
        # translators: in a form
        problems["paper"] = gettext("Choose one from the list.")
    return problems


def _unprintable(problem: Exception, tag: str) -> str:
    if isinstance(problem, TooTall):
        # translators: a question is too long for one page of paper
        return gettext("A question of this survey does not fit on one page. Try without large print.")
    # translators: a language cannot be printed because its letters are not installed; name is a language
    return gettext(
        "The letters of %(name)s are not installed on this computer. Ask the administrator to run: engage doctor",
        name=LANGUAGES[tag].name,
    )


class _Taken:
    """The serials that sheets have already."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __contains__(self, serial: object) -> bool:
        return self.session.get(Sheet, serial) is not None


def _run(form: PrintForm) -> PrintRun:
    return PrintRun(
        id=token_hex(16),
        wave_id=form.wave_id,
        school_id=form.school_id,
        language=form.language.data,
        copies=form.copies.data,
        paper=form.paper.data,
        large_print=form.large_print.data,
        printed_by=person().id,
        printed_on=state().today(),
    )


def _pdf(run: PrintRun, wave: Wave, numbers: Sequence[str]) -> Response:
    """The sheets in the order of their serials: the order of minting is not kept."""
    settings = state().settings
    cover = Cover(settings.district_name, opens=wave.opens, closes=wave.closes)
    fonts = Path(settings.font_dir) if settings.font_dir else None
    out = BytesIO()
    blank(
        out,
        load(wave.edition.document),
        run.language,
        catalogue(run.language),
        cover,
        serials=sorted(numbers),
        paper=run.paper,
        style="large" if run.large_print else "standard",
        fonts=fonts,
    )
    out.seek(0)
    name = f"{wave.id}-{run.school_id}-{run.language}-{run.id[:6]}.pdf"
    return send_file(out, "application/pdf", as_attachment=True, download_name=_ascii(name))


def _ascii(name: str) -> str:
    """A file's name without anything a header or a file system could stumble over."""
    return "".join(each if each.isascii() and (each.isalnum() or each in "-.") else "_" for each in name)


def _page(session: Session, form: PrintForm, problems: dict[str, str]) -> str:
    waves = own_waves(session)
    return render_template(
        "liaison/print.html",
        form=form,
        problems=problems,
        places=places(waves),
        tongues=tongues(waves),
        rows=_rows(session),
    )


def _rows(session: Session) -> list[Row]:
    newest = select(PrintRun).order_by(PrintRun.printed_on.desc(), PrintRun.id).limit(RUNS_SHOWN)
    own = schools()
    runs = list(session.scalars(newest if own is None else newest.where(PrintRun.school_id.in_(own))))
    counts = _states(session, [run.id for run in runs])
    return [
        Row(
            run,
            session.get_one(Wave, run.wave_id),
            session.get_one(School, run.school_id),
            counts.get((run.id, "keyed"), 0),
            counts.get((run.id, "spoiled"), 0),
        )
        for run in runs
    ]


def _states(session: Session, runs: Sequence[str]) -> dict[tuple[str, str], int]:
    counted = select(Sheet.run_id, Sheet.state, func.count()).where(Sheet.run_id.in_(runs))
    return {(run, kind): number for run, kind, number in session.execute(counted.group_by(Sheet.run_id, Sheet.state))}
