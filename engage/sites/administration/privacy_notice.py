"""The privacy notice: what families are told about their answers, statement by statement and language by language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from engage.base.languages import LANGUAGES
from engage.questionnaire.text_cleaning import clean
from engage.services.waves import privacy_notice as privacy
from engage.services.waves.privacy_notice import STATEMENTS, TEXT_MOST
from engage.sites.administration.blueprint import blueprint
from engage.storage.engine import reading, writing
from engage.web.audit import audited
from engage.web.context import state
from engage.web.page_language import SOURCE, gettext
from engage.web.permissions import enters, person


@dataclass(frozen=True, slots=True)
class Row:
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
    with reading(state().engine) as session:
        return _page(session)


@blueprint.post("/privacy-notice/<statement>")
@enters("edit privacy notice")
def change_statement(statement: str) -> Response | tuple[str, int]:
    """Put the district's own texts of one statement in place; an empty one brings the standard text back."""
    if statement not in STATEMENTS:
        abort(404)
    with writing(state().engine) as session:
        before = privacy.edited(session).get(statement, {})
        typed = {tag: request.form.get(tag, before.get(tag, "")) for tag in LANGUAGES}
        problems = _problems(statement, typed) | _stale(before, typed)
        if problems:
            return _page(session, statement, typed, problems), 422
        changed = privacy.store(session, statement, typed, person().id, state().today())
        if changed:
            audited(session, "change privacy notice", statement, languages=" ".join(changed))
        session.commit()
    flash(_stored(changed))
    return redirect(url_for("administration.privacy_notice"))


def _stored(changed: list[str]) -> str:
    if not changed:
        # translators: shown to staff who saved a form without a change
        return gettext("Nothing was changed.")
    # translators: shown to staff after a text for families was changed
    return gettext("The text is stored. Surveys that are opened from now on use it.")


def _problems(statement: str, typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with the texts, by language: one sentence for each fault."""
    found: dict[str, str] = {}
    for tag, text in typed.items():
        if text.strip():
            said = [_sentence(code, about, statement) for code, about in privacy.faults(statement, _one_line(text))]
            found |= {tag: " ".join(dict.fromkeys(said))} if said else {}
    return found


def _one_line(text: str) -> str:
    """The text on one line; hidden characters stay, so that they are found."""
    return " ".join(text.split("\n")).replace("\r", "")


def _sentence(code: str, about: str, statement: str) -> str:
    sentences = {
        # translators: staff form: a text is too long
        "long": gettext("This is too long. Use at most %(most)s letters.", most=TEXT_MOST),
        # translators: staff form; character is the code of a sign that cannot be seen, like U+202E
        "hidden": gettext("This text holds the hidden character %(character)s. Type the words again.", character=about),
        # translators: staff form; < and > would be taken for a command by a browser
        "markup": gettext("Write the text without < and >."),
        # translators: staff form; character is = + - or @
        "formula": gettext("Begin with a letter, not with %(character)s.", character=about),
        # translators: staff form; character is a sign that has no type, such as a smiling face
        "picture": gettext("Paper cannot show %(character)s. Use letters, digits and punctuation.", character=about),
        # translators: staff form; place is a word in braces that is replaced, like {day}
        "place": gettext("%(place)s means nothing here.", place=about),
        # translators: staff form; place is a word in braces that is replaced, like {day}
        "missing": gettext("Keep %(place)s in the text. %(meaning)s", place=about, meaning=_places(statement)),
    }
    return sentences[code]


def _stale(before: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """Translations that were left as they are although the English text has changed, unless somebody says they fit."""
    if request.form.get("fits") or clean(typed[SOURCE], lines=False) == before.get(SOURCE, ""):
        return {}
    kept = [tag for tag, text in before.items() if tag != SOURCE and clean(typed[tag], lines=False) == text]
    # translators: staff form, at a translation of a text whose English was changed
    said = gettext("The English text has changed. Change this translation too, or say below that it still fits.")
    return dict.fromkeys(kept, said)


def _page(
    session: Session, wrong: str = "", typed: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> str:
    own = privacy.edited(session)
    rows = [
        _row(name, typed or {}, problems or {}) if name == wrong else _row(name, own.get(name, {}))
        for name in STATEMENTS
    ]
    return render_template("administration/privacy_notice.html", rows=rows, wrong=wrong)


def _row(name: str, own: Mapping[str, str], problems: Mapping[str, str] | None = None) -> Row:
    statement, english = STATEMENTS[name], own.get(SOURCE, "")
    waiting = [each.name for tag, each in LANGUAGES.items() if english and tag != SOURCE and not own.get(tag)]
    return Row(
        name,
        gettext(privacy.HEADINGS[statement.part]),
        _kind(name),
        statement.of_district,
        _places(name),
        {tag: privacy.shipped(name, tag) for tag in LANGUAGES},
        own,
        problems or {},
        tuple(waiting),
        confirm=problems is not None,
    )


def _kind(name: str) -> str:
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


def _places(name: str) -> str:
    """What the words in braces of a statement become."""
    meanings = {
        # translators: staff form: {district} is a word in braces that is replaced; keep it as it is
        "district": gettext("{district} becomes the name of the district."),
        # translators: staff form: {phone} is a word in braces that is replaced; keep it as it is
        "phone": gettext("{phone} becomes the district's telephone number."),
        # translators: staff form: {day} is a word in braces that is replaced; keep it as it is
        "day": gettext("{day} becomes the day on which the answers are deleted."),
        # translators: staff form: {days} is a word in braces that is replaced; keep it as it is
        "days": gettext("{days} becomes a time, such as 30 days: how long a phone keeps unfinished answers."),
    }
    return " ".join(said for place, said in meanings.items() if place in STATEMENTS[name].allows)
