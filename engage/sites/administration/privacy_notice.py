"""The page of the privacy notice: the texts of each statement, by language, grouped by who reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import BooleanField, TextAreaField, ValidationError

from engage.base.languages import LANGUAGES
from engage.questionnaire.text_cleaning import clean_text
from engage.services.waves import privacy_notice as privacy
from engage.services.waves.populations import EDUCATOR, FAMILY, STUDENT
from engage.services.waves.privacy_notice import TEXT_MOST
from engage.services.waves.privacy_statements import STATEMENTS, Statement, notice_headings
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.edit_forms import EditForm
from engage.web.page_language import SOURCE, gettext
from engage.web.permissions import enters, person


class StatementForm(EditForm):
    """The district's own texts of one statement: a field for each language, named by its tag. A text is not cleaned, so
    that hidden characters in it are found."""

    fits = BooleanField()

    def __init__(self, statement: str, before: Mapping[str, str], **options: Any) -> None:
        """A form of a statement and its stored texts, by language."""
        super().__init__(data=dict(before), **options)
        self.statement, self.before = statement, before
        self.prefix_ids(statement)

    @property
    def texts(self) -> dict[str, str]:
        """The texts in the form, by language."""
        return {tag: self[tag].data or "" for tag in LANGUAGES}

    @property
    def has_new_english(self) -> bool:
        """Whether the English text differs from the stored one."""
        return clean_text(self.texts[SOURCE], lines=False) != self.before.get(SOURCE, "")


def _check_faults(form: StatementForm, field: TextAreaField) -> None:
    """Refuse a text that cannot be shown or printed, with one message per fault."""
    text = field.data or ""
    faults = privacy.find_faults(form.statement, _one_line(text)) if text.strip() else []
    sentences = [_problem_sentence(code, about, form.statement) for code, about in faults]
    if sentences:
        raise ValidationError(" ".join(dict.fromkeys(sentences)))


def _check_translation(form: StatementForm, field: TextAreaField) -> None:
    """Refuse an unchanged translation of a changed English text, unless the person confirms that it still fits."""
    stored = form.before.get(field.name)
    left = stored is not None and field.name != SOURCE and clean_text(field.data or "", lines=False) == stored
    if left and form.has_new_english and not form.fits.data:
        # translators: staff form, at a translation of a text whose English was changed
        sentence = gettext(
            "The English text has changed. Update this translation too, or confirm below that it still fits."
        )
        raise ValidationError(sentence)


for _tag in LANGUAGES:
    setattr(StatementForm, _tag, TextAreaField(validators=[_check_faults, _check_translation]))


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One statement: its heading, the kind of survey it belongs to ("" for all), the standard texts by language, the
    current English text, the languages without a translation of it, and the form."""

    name: str
    heading: str
    kind: str
    of_district: bool
    places: str
    shipped: Mapping[str, str]
    english: str
    waiting: tuple[str, ...]
    form: StatementForm


@blueprint.get("/privacy-notice")
@enters("edit privacy notice")
def privacy_notice() -> str:
    """All statements with their texts."""
    with read_session(runtime().engine) as session:
        return _render_page(session)


@blueprint.post("/privacy-notice/<statement>")
@enters("edit privacy notice")
def change_statement(statement: str) -> Response | tuple[str, int]:
    """Store the district's own texts of one statement; an empty one restores the standard text."""
    if statement not in STATEMENTS:
        abort(404)
    with write_session(runtime().engine) as session:
        before = privacy.load_district_texts(session).get(statement, {})
        form = StatementForm(statement, before)
        if not form.validate():
            return _render_page(session, form), form.refusal_status
        changed = privacy.store_district_texts(session, statement, form.texts, person().id, runtime().today())
        if changed:
            log_event(session, "change privacy notice", statement, languages=" ".join(changed))
        session.commit()
    flash(_stored_message(changed))
    return redirect(url_for("administration.privacy_notice"))


def _stored_message(changed: list[str]) -> str:
    if not changed:
        # translators: shown to staff who saved a form without a change
        return gettext("Nothing was changed.")
    # translators: shown to staff after a text for families was changed
    return gettext("The text was saved. Surveys opened from now on will use it.")


def _one_line(text: str) -> str:
    """The text on one line; hidden characters are preserved, so that they are found."""
    return " ".join(text.split("\n")).replace("\r", "")


def _problem_sentence(code: str, about: str, statement: str) -> str:
    sentences = {
        # translators: staff form: a text is too long
        "long": gettext("This is too long. Use at most %(most)s characters.", most=TEXT_MOST),
        # translators: staff form; character is the code of a sign that cannot be seen, like U+202E
        "hidden": gettext(
            "This text contains the hidden character %(character)s. Type the text again.", character=about
        ),
        # translators: staff form; < and > would be taken for a command by a browser
        "markup": gettext("Do not use < or > in the text."),
        # translators: staff form; character is = + - or @
        "formula": gettext("Start with a letter, not with %(character)s.", character=about),
        # translators: staff form; character is a sign that has no type, such as a smiling face
        "picture": gettext(
            "%(character)s cannot be printed on paper. Use letters, digits, and punctuation.", character=about
        ),
        # translators: staff form; place is a word in braces that is replaced, like {day}
        "place": gettext("%(place)s cannot be used here.", place=about),
        # translators: staff form; place is a word in braces that is replaced, like {day}
        "missing": gettext(
            "Keep %(place)s in the text. %(meaning)s", place=about, meaning=_placeholder_meanings(statement)
        ),
    }
    return sentences[code]


def _render_page(session: Session, wrong: StatementForm | None = None) -> str:
    """The page; `wrong` is a form with errors."""
    texts = privacy.load_district_texts(session)
    rows = [
        _statement_row(wrong)
        if wrong and name == wrong.statement
        else _statement_row(StatementForm(name, texts.get(name, {}), formdata=None))
        for name in STATEMENTS
    ]
    groups = [(title, list(group)) for title, group in groupby(rows, lambda row: _group_title(STATEMENTS[row.name]))]
    return render_template("administration/privacy_notice.html", rows=rows, groups=groups)


def _group_title(statement: Statement) -> str:
    """The heading above the statements that the same people read."""
    titles = {
        # translators: staff page: heading above texts that families read
        FAMILY: gettext("Surveys of families"),
        # translators: staff page: heading above texts that teachers and other educators read
        EDUCATOR: gettext("Surveys of educators"),
        # translators: staff page: heading above texts that students read
        STUDENT: gettext("Surveys of students"),
    }
    # translators: staff page: heading above texts that families and others read, such as educators or students
    return titles.get(_only_population(statement), gettext("More than one kind of survey"))


def _statement_row(form: StatementForm) -> StatementRow:
    statement, texts, shipped = STATEMENTS[form.statement], form.texts, _shipped_texts(form.statement)
    waiting = [each.name for tag, each in LANGUAGES.items() if texts[SOURCE] and not texts[tag]]
    return StatementRow(
        form.statement,
        gettext(notice_headings(statement.populations[0])[statement.part]),
        _survey_kind(form.statement),
        statement.of_district,
        _placeholder_meanings(form.statement),
        shipped,
        texts[SOURCE] or shipped[SOURCE],
        tuple(waiting),
        form,
    )


def _shipped_texts(statement: str) -> dict[str, str]:
    return {tag: privacy.shipped_text(statement, tag) for tag in LANGUAGES}


def _survey_kind(name: str) -> str:
    kinds = {
        # translators: staff page: for which surveys a text is; nobody can tell whose an answer is
        "who_sees_open": gettext("Anonymous survey with one open link"),
        # translators: staff page: for which surveys a text is; each household has a code of its own
        "who_sees_code": gettext("Anonymous survey with access codes"),
        # translators: staff page: for which surveys a text is; a few people can tell whose an answer is
        "who_sees_confidential": gettext("Confidential survey"),
        # translators: staff page: for which surveys a text is
        "on_phone_choice": gettext("Survey of educators, anonymous survey of families, or survey with one open link"),
        # translators: staff page: for which surveys a text is
        "on_phone": gettext("Survey of students, or confidential survey with access codes"),
    }
    return kinds.get(name, _population_kind(STATEMENTS[name]))


def _population_kind(statement: Statement) -> str:
    kinds = {
        # translators: staff page: for which surveys a text is: teachers and other educators answer them
        EDUCATOR: gettext("Survey of educators"),
        # translators: staff page: for which surveys a text is: students answer them
        STUDENT: gettext("Survey of students"),
    }
    return kinds.get(_only_population(statement), "")


def _only_population(statement: Statement) -> str:
    """Who alone reads a statement; empty if several populations do."""
    return statement.populations[0] if len(statement.populations) == 1 else ""


def _placeholder_meanings(name: str) -> str:
    """The meanings of the placeholders of a statement."""
    meanings = {
        # translators: staff form: {district} is a word in braces that is replaced; keep it as it is
        "district": gettext("{district} is replaced with the name of the district."),
        # translators: staff form: {phone} is a word in braces that is replaced; keep it as it is
        "phone": gettext("{phone} is replaced with the district's phone number."),
        # translators: staff form: {day} is a word in braces that is replaced; keep it as it is
        "day": gettext("{day} is replaced with the date the answers will be deleted."),
        # translators: staff form: {days} is a word in braces that is replaced; keep it as it is
        "days": gettext(
            "{days} is replaced with a length of time, such as 30 days: how long a phone keeps unfinished answers."
        ),
    }
    return " ".join(meaning for place, meaning in meanings.items() if place in STATEMENTS[name].allows)
