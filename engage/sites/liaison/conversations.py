"""Questions from families: waiting ones first. The family reads the answer with a reply code, or gets it on paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import SystemRandom
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy import Select, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Field, SelectField
from wtforms.validators import ValidationError

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.domain.conversations.paper_threads import author_headings, mark_handed_over
from engage.domain.conversations.threads import LONGEST, NewMessage, add_message
from engage.sites.liaison.blueprint import blueprint
from engage.sites.liaison.scope import own_schools
from engage.storage.engine import read_session, write_session
from engage.storage.models.conversations import Message, Thread
from engage.storage.models.schools import School
from engage.storage.models.staff import Staff
from engage.storage.models.waves import Wave
from engage.web.context import runtime
from engage.web.edit_forms import EditForm
from engage.web.forms import QueryForm, TextField
from engage.web.page_language import gettext
from engage.web.paging import read_page, requested_page
from engage.web.permissions import assigned_languages, enters, person, require_language, require_school


def _status_choices() -> list[tuple[str, str]]:
    return [
        # translators: choose all questions of a list
        ("", gettext("All questions")),
        # translators: questions that nobody has answered yet
        ("waits", gettext("Waiting for an answer")),
        # translators: questions that have been answered
        ("answered", gettext("Has an answer")),
    ]


class ThreadFilter(QueryForm):
    """Filter of threads: one school or all; one language or all; waiting, answered, or both."""

    school = SelectField(choices=[], default="")
    language = SelectField(choices=lambda: _language_choices(), default="")
    status = SelectField(choices=_status_choices, default="")


class AnswerForm(EditForm):
    """An answer to a family, and the language it is written in. It rests on the messages that the page shows."""

    beside_field = "text"

    text = TextField(most=LONGEST)
    language = SelectField(choices=lambda: [(each.tag, each.name) for each in LANGUAGES.values()])

    def __init__(self, thread: Thread) -> None:
        super().__init__(data={"language": thread.language}, beside=[message.id for message in thread.messages])

    def beside_sentence(self) -> str:
        """What to say where a message came after the page was opened."""
        # translators: staff form: a family or a colleague wrote a message after this page was opened
        return gettext("A new message was added since you opened this page. Read it, then send your answer.")

    def validate_text(self, field: Field) -> None:
        """The answer must not be empty. Raises ValidationError."""
        if not field.data:
            # translators: in a form: an answer to a family is empty
            raise ValidationError(gettext("Write an answer first."))


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One thread in the list. `days` is how long the family has waited, None if it does not; `week` is the first day of
    the week since when, if only the week is stored, as in an anonymous wave."""

    thread: Thread
    school: School
    first: Message
    days: int | None
    week: date | None


@blueprint.get("/questions")
@enters("read family questions")
def questions() -> str:
    """The threads of this person's schools and languages, longest waiting first."""
    form = ThreadFilter()
    with read_session(runtime().engine) as session:
        places = own_schools(session)
        form.school.choices = _school_choices(places)
        form.validate()
        page = read_page(session, _select_threads(form, places), requested_page())
        rows = _thread_rows(session, page.rows)
        query = {field.name: field.data or None for field in (form.school, form.status, form.language)}
        return render_template("liaison/conversations.html", form=form, page=page, rows=rows, query=query)


@blueprint.get("/questions/<thread_id>")
@enters("read family questions")
def question(thread_id: str) -> str:
    """One thread, and the form to answer it."""
    with read_session(runtime().engine) as session:
        thread = _require_thread(session, thread_id)
        return _render_page(session, thread, AnswerForm(thread))


@blueprint.post("/questions/<thread_id>")
@enters("answer family questions")
def answer(thread_id: str) -> Response | tuple[str, int]:
    """Store an answer."""
    with write_session(runtime().engine) as session:
        thread = _require_thread(session, thread_id, locked=True)
        form = AnswerForm(thread)
        if not form.validate():
            return _render_page(session, thread, form), form.refusal_status
        _add_answer(session, thread, form)
        session.commit()
    # translators: shown after a family's question was answered
    flash(gettext("Your answer was saved."))
    return redirect(url_for("liaison.question", thread_id=thread_id))


@blueprint.post("/questions/<thread_id>/handed-over")
@enters("answer family questions")
def confirm_handed_over(thread_id: str) -> Response:
    """Confirm that the family has the answer to a question from paper, and delete the link to the sheet."""
    with write_session(runtime().engine) as session:
        thread = _require_thread(session, thread_id)
        if not any(message.author == "staff" for message in thread.messages):
            abort(404)
        mark_handed_over(session.connection(), thread.id)
        session.commit()
    # translators: shown after staff said that they gave an answer to a family; the form number stood with its question
    flash(gettext("Noted. The form number was deleted from this question."))
    return redirect(url_for("liaison.question", thread_id=thread_id))


@blueprint.get("/questions/<thread_id>/letter")
@enters("answer family questions")
def letter(thread_id: str) -> str:
    """The answer to a question from paper, to print and deliver."""
    with read_session(runtime().engine) as session:
        thread = _require_thread(session, thread_id)
        if not any(message.author == "staff" for message in thread.messages):
            abort(404)
        around = _thread_context(session, thread)
        return render_template("liaison/reply_letter.html", thread=thread, headings=_message_headings(thread), **around)


def _message_headings(thread: Thread) -> dict[str, dict[str, str]]:
    """The heading of a message, by its language and its side."""
    return {tag: author_headings(catalogue(tag)) for tag in {message.language for message in thread.messages}}


def _require_thread(session: Session, thread_id: str, locked: bool = False) -> Thread:
    """The thread, or "not found"; `locked` until the transaction ends, so that no message is added meanwhile."""
    thread = session.get(Thread, thread_id, with_for_update=locked or None) if thread_id.isalnum() else None
    if thread is None:
        abort(404)
    require_school(thread.school_id)
    require_language(thread.language)
    return thread


def _add_answer(session: Session, thread: Thread, form: AnswerForm) -> None:
    message = NewMessage("staff", form.text.data or "", form.language.data, staff_id=person().id)
    add_message(session.connection(), thread.id, message, today=runtime().today(), rng=SystemRandom())


def _school_choices(schools: list[School]) -> list[tuple[str, str]]:
    # translators: choose all schools of a list
    return [("", gettext("All my schools")), *((each.id, each.name) for each in schools)]


def _language_choices() -> list[tuple[str, str]]:
    assigned = assigned_languages()
    tags = [(each.tag, each.name) for each in LANGUAGES.values() if assigned is None or each.tag in assigned]
    # translators: choose the conversations of all languages
    return [("", gettext("All languages")), *tags]


def _select_threads(form: ThreadFilter, schools: list[School]) -> Select[Thread]:
    """The threads of the list, longest waiting first, after them answered ones, newest first. None for a school that is
    not this person's; all for an unknown status or language."""
    chosen = [each.id for each in schools if form.school.data in ("", each.id)]
    query, languages = select(Thread).where(Thread.school_id.in_(chosen)), assigned_languages()
    if form.language.data and not form.language.errors:
        languages = frozenset({form.language.data})
    if languages is not None:
        query = query.where(Thread.language.in_(languages))
    if form.status.data and not form.status.errors:
        is_waiting = Thread.waiting_since.is_not(None)
        query = query.where(is_waiting if form.status.data == "waits" else ~is_waiting)
    answered = Thread.waiting_since.is_(None)
    return query.order_by(answered, Thread.waiting_since, Thread.opened_on.desc(), Thread.id.desc())


def _thread_rows(session: Session, threads: Sequence[Thread]) -> list[ThreadRow]:
    firsts = select(Message).where(Message.thread_id.in_([each.id for each in threads]), Message.position == 1)
    messages = {message.thread_id: message for message in session.scalars(firsts)}
    schools = {school.id: school for school in session.scalars(select(School))}
    weekly = set(session.scalars(select(Wave.id).where(Wave.identity == "anonymous")))
    return [_thread_row(each, schools[each.school_id], messages[each.id], weekly) for each in threads]


def _thread_row(thread: Thread, school: School, first: Message, weekly: set[str]) -> ThreadRow:
    since = thread.waiting_since
    days = None if since is None else (runtime().today() - since).days
    return ThreadRow(thread, school, first, days, since if thread.wave_id in weekly else None)


def _render_page(session: Session, thread: Thread, form: AnswerForm) -> str:
    if form.language.data not in LANGUAGES:
        form.language.data = thread.language
    return render_template("liaison/conversation.html", thread=thread, form=form, **_thread_context(session, thread))


def _thread_context(session: Session, thread: Thread) -> dict[str, Any]:
    return {
        "school": session.get_one(School, thread.school_id),
        "wave": session.get_one(Wave, thread.wave_id),
        "names": _author_names(session, thread),
    }


def _author_names(session: Session, thread: Thread) -> dict[int, str]:
    ids = {message.staff_id for message in thread.messages if message.staff_id is not None}
    people = session.execute(select(Staff.id, Staff.name, Staff.email).where(Staff.id.in_(ids)))
    return {id: name or email for id, name, email in people}
