"""The language of a page: from the address for families, from the account for staff."""

from datetime import date, datetime
from typing import Any

from babel.dates import format_interval
from flask import Flask, g
from flask_babel import Babel, format_date, format_decimal, format_percent, format_time
from jinja2.nodes import EvalContext
from jinja2.utils import pass_eval_context
from markupsafe import Markup, escape
from werkzeug.routing import BaseConverter, ValidationError

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES, Language
from engage.web.context import runtime

SOURCE = "en"


class LanguageConverter(BaseConverter):
    """Converter of a supported language's tag in an address; any other gets "not found"."""

    regex = r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"

    def to_python(self, value: str) -> str:
        """The tag. Raises ValidationError for an unsupported language."""
        if value not in LANGUAGES:
            raise ValidationError
        return value


def language() -> Language:
    """The language of the current page."""
    return LANGUAGES.get(g.get("language", SOURCE), LANGUAGES[SOURCE])


def set_language(tag: str) -> None:
    """Set the language for the rest of this page."""
    g.language = tag


def gettext(message: str, **values: Any) -> str:
    """The translated sentence, with its named placeholders filled in."""
    text = catalogue(language().tag).gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, num: int, **values: Any) -> str:
    """The translated sentence for `num` things. The number is written as the page's language does: 1,234."""
    return catalogue(language().tag).ngettext(one, many, num) % {"num": format_decimal(num), **values}


@pass_eval_context
def _template_ngettext(context: EvalContext, one: str, many: str, num: int, **values: Any) -> str:
    """`ngettext` in templates."""
    text = catalogue(language().tag).ngettext(one, many, num)
    sentence = Markup(text) if context.autoescape else text  # noqa: S704  our own texts; values are escaped
    return sentence % {"num": format_decimal(num), **values}


def pgettext(context: str, message: str) -> str:
    """The translation of a word in a context: one English word may need two."""
    return catalogue(language().tag).pgettext(context, message)


def language_markup(text: str) -> Markup:
    """Text, escaped, and marked with its own language and direction if they differ from the page's."""
    tag = getattr(text, "language", None)
    if tag is None or tag == language().tag:
        return escape(text)
    details = LANGUAGES[tag]
    return Markup('<span lang="{}" dir="{}">{}</span>').format(details.tag, details.direction, str(text))


def ltr(text: str) -> str:
    """Digits and codes that must read from left to right inside a sentence of any direction (between marks U+200E)."""
    return f"\u200e{text}\u200e"


def long_date(day: date) -> str:
    """A date in the format of the page's language, with the name of the month. Raises TypeError for a moment, whose
    date depends on the time zone; see `local_day`."""
    if isinstance(day, datetime):
        raise TypeError("a moment is not a day; ask local_day for its day in the district")
    return str(format_date(day, "long"))


def short_days(first: date, last: date) -> str:
    """Two days as an interval for tables, as the page's language writes it: Nov 9 – Dec 4, 2026."""
    return str(format_interval(first, last, "yMMMd", locale=language().locale))


def local_day(moment: datetime) -> date:
    """The date of a moment (stored in UTC) in the district's time zone."""
    return runtime().settings.local_day(moment)


def local_time(moment: datetime) -> str:
    """The time of day of a moment (a stored one is UTC) in the district, as the page's language writes it: 2:05 PM."""
    return str(format_time(runtime().settings.local_time(moment), "short", rebase=False))


def install(app: Flask) -> None:
    """Install the languages in an app: addresses, translations in templates, dates and numbers."""
    app.url_map.converters["lang"] = LanguageConverter
    Babel(app, locale_selector=lambda: language().locale, configure_jinja=False)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # added by the extension
        lambda message: catalogue(language().tag).gettext(message),
        lambda one, many, num: catalogue(language().tag).ngettext(one, many, num),
        newstyle=True,
        pgettext=pgettext,
    )
    app.jinja_env.globals["ngettext"] = _template_ngettext  # Jinja's own writes 1234
    app.jinja_env.globals.update(worded=language_markup, page_language=language, languages=LANGUAGES)
    app.jinja_env.globals.update(long_date=long_date, short_days=short_days, local_day=local_day, local_time=local_time)
    app.jinja_env.filters.update(decimal=format_decimal, percent=format_percent)
