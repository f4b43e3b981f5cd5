"""Remarks about a roster's files, as lines of the page: remarks by kind, warnings, households by language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask_babel import format_decimal

from engage.base.catalogs import catalogue
from engage.base.languages import LANGUAGES
from engage.domain.roster.diff import Loss
from engage.domain.roster.remarks import RemarkGroup, reason_text
from engage.web.language_labels import language_name
from engage.web.page_language import gettext, language, ngettext

ISOLATE, POP = "\u2068", "\u2069"  # isolates a value of any script inside a sentence of any direction


@dataclass(frozen=True, slots=True)
class KindLine:
    """Remarks of one kind about one file. `lines`: where the first ones are, empty if they are about the whole file;
    `others`: more values of the file than the sentence names; `families`: whether it changes who is asked."""

    count: int
    file: str
    sentence: str
    lines: str
    others: str
    families: bool


@dataclass(frozen=True, slots=True)
class LanguageLine:
    """Households that read a language; `offered` is text on whether surveys are offered in it."""

    name: str
    households: int
    offered: str


def kind_lines(groups: Iterable[RemarkGroup]) -> list[KindLine]:
    """Remarks by kind and file."""
    words = catalogue(language().tag)
    return [
        KindLine(
            group.count,
            group.file,
            reason_text(group.example, words),
            _line_numbers(group),
            _other_values(group),
            group.families,
        )
        for group in groups
    ]


def _line_numbers(group: RemarkGroup) -> str:
    numbers = ", ".join(format_decimal(line) for line in group.lines if line)
    return f"{numbers}, …" if numbers and group.count > len(group.lines) else numbers


def _other_values(group: RemarkGroup) -> str:
    """The values that the sentence does not name, each with its count."""
    if len(group.values) < 2:
        return ""
    named = (f"{ISOLATE}“{value}” ({format_decimal(number)}){POP}" for value, number in group.values[1:])
    values = ", ".join(named)
    if group.more:
        return ngettext(
            # translators: below a sentence about one value in a file; values is a list of more like it
            "Also %(values)s and %(num)s more value.",
            "Also %(values)s and %(num)s more values.",
            group.more,
            values=values,
        )
    # translators: below a sentence about one value in a file; values is a list of more like it
    return gettext("Also %(values)s.", values=values)


def language_lines(counted: Iterable[tuple[str, int]]) -> list[LanguageLine]:
    """Households by language, in the order given."""
    return [LanguageLine(language_name(tag), number, _offer_status(tag)) for tag, number in counted]


def _offer_status(tag: str) -> str:
    if tag in LANGUAGES:
        # translators: in a table of languages: whether surveys are offered in one
        return gettext("Yes")
    # translators: in a table of languages: surveys are not offered in one, or it is not known
    return gettext("No (asked in English)")


def loss_lines(losses: Sequence[Loss]) -> list[str]:
    """Groups that would lose many members, as lines of a list."""
    return [_loss_line(each) for each in losses]


def _loss_line(loss: Loss) -> str:
    numbers = {"gone": format_decimal(loss.gone), "all": format_decimal(loss.size)}
    if loss.kind == "guardians":
        # translators: line of a list: so many people would be deleted
        return gettext("%(gone)s of %(all)s guardians", **numbers)
    if loss.kind == "school":
        # translators: line of a list: so many of a school's students would be deleted
        return gettext("%(school)s: %(gone)s of %(all)s students", school=loss.name, **numbers)
    if loss.kind == "language":
        # translators: line of a list of warnings: so many households that read a language would no longer be there
        return gettext(
            "%(language)s: %(gone)s of %(all)s households, removed or changed to another language",
            language=language_name(loss.name),
            **numbers,
        )
    # translators: line of a list: so many people would be deleted
    return gettext("%(gone)s of %(all)s students", **numbers)
