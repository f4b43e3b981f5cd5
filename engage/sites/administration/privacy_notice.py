"""The privacy notice: what families are told about their answers, statement by statement and language by language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.languages import LANGUAGES
from engage.questionnaire.text_cleaning import clean_text
from engage.services.waves import privacy_notice as privacy
from engage.services.waves.privacy_notice import STATEMENTS, TEXT_MOST
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import read_session, write_session
from engage.web.audit import log_event
from engage.web.context import runtime
from engage.web.page_language import SOURCE, gettext
from engage.web.permissions import enters, person


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One statement: the heading families see above it, the kind of survey it belongs to ("" for all), and by language
    the standard text, the district's own, and what is wrong with what was typed."""

    name: str
    heading: str
    kind: str
    of_district: bool
    places: str
    shipped: Mapping[str, str]
    own: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    confirm: bool = False


@blueprint.get("/privacy-notice")
@enters("edit privacy notice")
def privacy_notice() -> str:
    """Every statement with its texts."""
    with read_session(runtime().engine) as session:
        return _render_page(session)


@blueprint.post("/privacy-notice/<statement>")
@enters("edit privacy notice")
def change_statement(statement: str) -> Response | tuple[str, int]:
    """Put the district's own texts of one statement in place; an empty one brings the standard text back."""
    if statement not in STATEMENTS:
        abort(404)
    with write_session(runtime().engine) as session:
        before = privacy.load_district_texts(session).get(statement, {})
        typed = {tag: request.form.get(tag, before.get(tag, "")) for tag in LANGUAGES}
        problems = _find_problems(statement, typed) | _stale_problems(before, typed)
        if problems:
            return _render_page(session, statement, typed, problems), 422
        changed = privacy.store_district_texts(session, statement, typed, person().id, runtime().today())
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


def _find_problems(statement: str, typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the texts, by language: one sentence for each fault."""
    found: dict[str, str] = {}
    for tag, text in typed.items():
        if text.strip():
            said = [
                _problem_sentence(code, about, statement)
                for code, about in privacy.find_faults(statement, _one_line(text))
            ]
            found |= {tag: " ".join(dict.fromkeys(said))} if said else {}
    return found


def _one_line(text: str) -> str:
    """The text on one line; hidden characters stay, so that they are found."""
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


def _stale_problems(before: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """Translations that were left as they are although the English text has changed, unless somebody says they fit."""
    if request.form.get("fits") or clean_text(typed[SOURCE], lines=False) == before.get(SOURCE, ""):
        return {}
    kept = [tag for tag, text in before.items() if tag != SOURCE and clean_text(typed[tag], lines=False) == text]
    # translators: staff form, at a translation of a text whose English was changed
    said = gettext("The English text has changed. Update this translation too, or confirm below that it still fits.")
    return dict.fromkeys(kept, said)


def _render_page(
    session: Session, wrong: str = "", typed: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> str:
    own = privacy.load_district_texts(session)
    rows = [
        _statement_row(name, typed or {}, problems or {}) if name == wrong else _statement_row(name, own.get(name, {}))
        for name in STATEMENTS
    ]
    return render_template("administration/privacy_notice.html", rows=rows, wrong=wrong)


def _statement_row(name: str, own: Mapping[str, str], problems: Mapping[str, str] | None = None) -> StatementRow:
    statement, english = STATEMENTS[name], own.get(SOURCE, "")
    waiting = [each.name for tag, each in LANGUAGES.items() if english and tag != SOURCE and not own.get(tag)]
    return StatementRow(
        name,
        gettext(privacy.HEADINGS[statement.part]),
        _survey_kind(name),
        statement.of_district,
        _placeholder_meanings(name),
        {tag: privacy.shipped_text(name, tag) for tag in LANGUAGES},
        own,
        problems or {},
        tuple(waiting),
        confirm=problems is not None,
    )


def _survey_kind(name: str) -> str:
    kinds = {
        # translators: staff page: for which surveys a text is; nobody can tell whose an answer is
        "who_sees_open": gettext("Anonymous survey with one open link"),
        # translators: staff page: for which surveys a text is; each household has a code of its own
        "who_sees_code": gettext("Anonymous survey with access codes"),
        # translators: staff page: for which surveys a text is; a few people can tell whose an answer is
        "who_sees_confidential": gettext("Confidential survey"),
        # translators: staff page: for which surveys a text is
        "on_phone_choice": gettext("Anonymous survey, or a survey with one open link"),
        # translators: staff page: for which surveys a text is
        "on_phone": gettext("Confidential survey with access codes"),
    }
    return kinds.get(name, "")


def _placeholder_meanings(name: str) -> str:
    """What the words in braces of a statement become."""
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
    return " ".join(said for place, said in meanings.items() if place in STATEMENTS[name].allows)
