"""Opening a wave: one edition, some schools, some languages, two days."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from gettext import NullTranslations
from secrets import token_hex

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.languages import LANGUAGES
from engage.questionnaire.text import clean
from engage.questionnaire.wording import Edition
from engage.records.identifiers import ID_MOST, READABLE, free, readable
from engage.records.responses import Invitation
from engage.records.schools import School, StoredEdition, Wave

TITLE_MOST = 200  # characters, as the column holds
IDENTITIES = ("anonymous", "confidential")
ENTRIES = ("open", "code")
SALT = 32  # random bytes
NAMED = 3  # untranslated texts a refusal shows as examples


@dataclass(frozen=True, slots=True)
class NewWave:
    """What a person decides about a wave. `schools` are ids, `languages` tags in the order they are offered.
    An empty `id` is made from the title; both end days count; `results_on` is what families are told."""

    title: str
    schools: tuple[str, ...]
    languages: tuple[str, ...]
    opens: date | None
    closes: date | None
    results_on: date | None = None
    identity: str = "anonymous"
    entry: str = "open"
    id: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why a wave cannot open: the field of NewWave it is about, and what to do, as a sentence."""

    field: str
    sentence: str


class WaveRefused(Exception):
    """The wave was not opened. `refusals` say why; the message is all of their sentences."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("\n".join(f"{each.field}: {each.sentence}" for each in refusals))
        self.refusals = list(refusals)


def open_wave(
    session: Session,
    edition: Edition,
    new: NewWave,
    today: date,
    gaps: Mapping[str, Sequence[str]],
    words: NullTranslations,
) -> Wave:
    """Store the edition, if it is new, and the wave. Raises WaveRefused; never commits.

    `gaps` are the untranslated texts of each language's pages (`readiness.gaps`): families must never be dropped into
    English in the middle of a survey. `words` is the catalogue the refusals are written in.
    """
    new = replace(new, title=clean(new.title, lines=False), languages=tuple(dict.fromkeys(new.languages)))
    if refusals := list(refused(session, new, gaps, words)):
        raise WaveRefused(refusals)
    assert new.opens
    assert new.closes
    wave = Wave(
        id=free(session, Wave, new.id or readable(new.title, f"wave-{new.opens}")),
        edition=_kept(session, edition, today),
        title=new.title,
        opens=new.opens,
        closes=new.closes,
        results_on=new.results_on,
        identity=new.identity,
        entry=new.entry,
        languages=" ".join(new.languages),
        schools=list(session.scalars(select(School).where(School.id.in_(new.schools)))),
    )
    keep_salt(wave)
    session.add(wave)
    session.flush()
    return wave


def refused(
    session: Session, new: NewWave, gaps: Mapping[str, Sequence[str]], words: NullTranslations
) -> Iterator[Refusal]:
    """Everything that keeps a wave from opening."""
    yield from _named(session, new, words)
    yield from _days(new, words)
    yield from _schools(session, new, words)
    yield from _languages(new, gaps, words)
    if new.identity not in IDENTITIES:
        # translators: staff form: who can tie an answer to a family
        yield Refusal("identity", words.gettext("Choose whether answers are anonymous or confidential."))
    if new.entry not in ENTRIES:
        # translators: staff form: one link that everybody uses, or an access code for each household
        yield Refusal("entry", words.gettext("Choose one open link, or one access code for each household."))


def invite(
    session: Session,
    wave: Wave,
    school_id: str,
    language: str,
    digests: Iterable[str],
    household_id: str | None = None,
    student_id: str | None = None,
) -> None:
    """Give a wave invitations, of a household or of none in particular; only the codes' digests are kept. When all are
    made, ask `crowd.small_schools` before you commit."""
    keep_salt(wave)
    session.add_all(
        Invitation(
            digest=digest,
            wave_id=wave.id,
            identity=wave.identity,
            school_id=school_id,
            language=language,
            household_id=household_id,
            student_id=student_id,
        )
        for digest in digests
    )


def keep_salt(wave: Wave) -> None:
    """Give an anonymous wave with codes the salt of its used codes, unless it has one."""
    if (wave.identity, wave.entry) == ("anonymous", "code") and wave.burn_salt is None:
        wave.burn_salt = token_hex(SALT)


def _named(session: Session, new: NewWave, words: NullTranslations) -> Iterator[Refusal]:
    if not new.title:
        # translators: staff form; a wave is one survey asked of some schools between two days
        yield Refusal("title", words.gettext("Give the wave a title, so that staff can tell it from others."))
    elif len(new.title) > TITLE_MOST:
        # translators: staff form
        sentence = words.gettext("The title is too long. Use at most %(most)s letters.")
        yield Refusal("title", sentence % {"most": TITLE_MOST})
    if new.id and (len(new.id) > ID_MOST or not READABLE.match(new.id)):
        # translators: staff form; "address" is the last part of a web address
        sentence = words.gettext("The address may have small letters a to z, digits and hyphens, at most %(most)s.")
        yield Refusal("id", sentence % {"most": ID_MOST})
    elif new.id and session.get(Wave, new.id) is not None:
        # translators: staff form; "address" is the last part of a web address
        yield Refusal("id", words.gettext("Another wave has this address. Choose a different one."))


def _days(new: NewWave, words: NullTranslations) -> Iterator[Refusal]:
    if new.opens is None:
        # translators: staff form: the first day families can answer
        yield Refusal("opens", words.gettext("Give the first day families can answer."))
    if new.closes is None:
        # translators: staff form: the last day families can answer
        yield Refusal("closes", words.gettext("Give the last day families can answer."))
    elif new.opens and new.closes < new.opens:
        # translators: staff form
        yield Refusal("closes", words.gettext("The last day is before the first day. Change one of them."))
    if new.results_on and new.closes and new.results_on <= new.closes:
        # translators: staff form: the day families are told the results will come
        yield Refusal("results_on", words.gettext("Results can only come after the last day families can answer."))


def _schools(session: Session, new: NewWave, words: NullTranslations) -> Iterator[Refusal]:
    if not new.schools:
        # translators: staff form
        yield Refusal("schools", words.gettext("Choose at least one school."))
    askable = [each for each in new.schools if each.isprintable()]  # PostgreSQL refuses a NUL with an error
    known = set(session.scalars(select(School.id).where(School.id.in_(askable))))
    if set(new.schools) - known:
        # translators: staff form
        yield Refusal("schools", words.gettext("One of these schools is not known. Choose from the list."))


def _languages(new: NewWave, gaps: Mapping[str, Sequence[str]], words: NullTranslations) -> Iterator[Refusal]:
    if not new.languages:
        # translators: staff form
        yield Refusal("languages", words.gettext("Choose at least one language."))
    for tag in new.languages:
        if tag not in LANGUAGES:
            # translators: staff form
            yield Refusal("languages", words.gettext("One of these languages is not known. Choose from the list."))
        elif gaps.get(tag):
            yield Refusal("languages", _gap(tag, gaps[tag], words))


def _gap(tag: str, gaps: Sequence[str], words: NullTranslations) -> str:
    # translators: staff form: why a language cannot be offered. %(examples)s are English texts that families would see.
    sentence = words.ngettext(
        "%(language)s cannot be offered yet: %(num)s text on the pages is not translated (%(examples)s). "
        "Translate it first, or leave the language out.",
        "%(language)s cannot be offered yet: %(num)s texts on the pages are not translated (%(examples)s). "
        "Translate them first, or leave the language out.",
        len(gaps),
    )
    examples = " · ".join(gaps[:NAMED]) + (" …" if len(gaps) > NAMED else "")
    return sentence % {"language": LANGUAGES[tag].name, "num": len(gaps), "examples": examples}


def _kept(session: Session, edition: Edition, today: date) -> StoredEdition:
    """The stored edition with this digest."""
    kept = session.get(StoredEdition, edition.digest)
    if kept is None:
        kept = StoredEdition(
            digest=edition.digest, slug=edition.survey("en").slug, document=edition.document, stored_on=today
        )
        session.add(kept)
    return kept
