"""Opening a wave: an edition, schools, languages, first and last day."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from gettext import NullTranslations
from secrets import token_hex
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from engage.base.languages import LANGUAGES
from engage.questionnaire.editions import Edition, translatable_texts
from engage.questionnaire.model import Survey
from engage.questionnaire.text_cleaning import clean_text, is_possible_id
from engage.services.waves import privacy_notice
from engage.services.waves.populations import DESIGNS, FAMILY, STUDENT
from engage.services.waves.screening import find_unscreened_questions, screening_items
from engage.services.waves.student_surveys import StudentSurveyFacts, find_problems, format_examples
from engage.storage.fast_statements import BulkStatement
from engage.storage.language_groups import store_language_groups
from engage.storage.models.invitations import Invitation
from engage.storage.models.responses import MODES
from engage.storage.models.schools import School
from engage.storage.models.waves import StoredEdition, Wave
from engage.storage.slugs import ID_MOST, READABLE, make_slug, unique_slug

TITLE_MOST = 200  # characters, the length of the column
IDENTITIES = ("anonymous", "confidential")
ENTRIES = ("open", "code")
COUNTINGS = ("family", "family_school", "student", "educator", "event")
ASKED_GROUPS = ("everyone", "english_learners", "disabilities")
SALT = 32  # random bytes
INVITATION_COLUMNS = (
    *("digest", "wave_id", "identity", "school_id", "language", "household_id", "student_id", "used"),
)


@dataclass(frozen=True, slots=True)
class NewWave:
    """The settings of a new wave. `schools` are ids, `languages` tags in the order they are offered. An empty `id` is
    made from the title; `opens` and `closes` are inclusive; `results_on` is the day announced to families; `counting`
    is the sampling unit, `asked` whose households are invited. `federal_funds` is asked for a survey of students
    only."""

    title: str
    schools: tuple[str, ...]
    languages: tuple[str, ...]
    opens: date | None
    closes: date | None
    results_on: date | None = None
    identity: str = "anonymous"
    entry: str = "open"
    id: str = ""
    modes: tuple[str, ...] = MODES
    counting: str = "family"
    asked: str = "everyone"
    federal_funds: bool | None = None


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """One invitation: the digest of its access code and its target; a student if the wave counts students. `language`
    is what the household reads, whether or not the wave offers it."""

    digest: str
    school_id: str
    language: str
    household_id: str | None = None
    student_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason why a wave cannot open: the field of NewWave, and a sentence that says what to do."""

    field: str
    sentence: str


class WaveRefused(Exception):
    """The wave was not opened. `refusals` are the reasons; the message consists of their sentences."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("\n".join(f"{each.field}: {each.sentence}" for each in refusals))
        self.refusals = list(refusals)


@dataclass(frozen=True, slots=True)
class OpeningConditions:
    """Conditions for opening a wave.

    `gaps` are the untranslated texts of each language's pages (`catalogs.translation_gaps`), including the district's
    own texts of the privacy notice: a survey must not switch to English in the middle. `screened` are the items with a
    screening decision (`screening.load_decisions`), `protected` those of them in a protected area. `student_surveys`:
    whether an administrator has allowed surveys of students; `today` decides whether families get their notice in time.
    """

    gaps: Mapping[str, Sequence[str]]
    screened: Container[str]
    protected: Container[str] = ()
    student_surveys: bool = False
    today: date = date.min


def open_wave(
    session: Session,
    edition: Edition,
    new: NewWave,
    today: date,
    conditions: OpeningConditions,
    words: NullTranslations,
) -> Wave:
    """Store the wave, and its edition if it is new. `words` is the gettext catalog for the refusals. Raises
    WaveRefused; never commits."""
    new = replace(new, title=clean_text(new.title, lines=False), languages=tuple(dict.fromkeys(new.languages)))
    if refusals := list_refusals(session, edition, new, conditions, words):
        raise WaveRefused(refusals)
    assert new.opens
    assert new.closes
    wave = Wave(
        id=unique_slug(session, Wave, new.id or make_slug(new.title, f"wave-{new.opens}")),
        edition=_ensure_edition(session, edition, today),
        title=new.title,
        opens=new.opens,
        closes=new.closes,
        results_on=new.results_on,
        identity=new.identity,
        entry=new.entry,
        languages=" ".join(new.languages),
        modes=" ".join(mode for mode in MODES if mode in new.modes),
        counting=new.counting,
        asked=new.asked,
        population=edition.survey("en").population,
        federal_funds=new.federal_funds,
        schools=list(session.scalars(select(School).where(School.id.in_(new.schools)))),
        privacy_notice=privacy_notice.build_notice_json(
            session, new.identity, new.entry, new.languages, edition.survey("en").population
        ),
    )
    ensure_salt(wave)
    session.add(wave)
    session.flush()
    return wave


def list_refusals(
    session: Session, edition: Edition, new: NewWave, conditions: OpeningConditions, words: NullTranslations
) -> list[Refusal]:
    """All reasons against opening a wave."""
    notices = privacy_notice.find_untranslated_texts(session, new.languages, edition.survey("en").population)
    gaps = {tag: [*conditions.gaps.get(tag, ()), *notices.get(tag, ())] for tag in new.languages}
    return [
        *find_refusals(session, new, gaps, words),
        *_survey_refusals(edition, new, conditions.screened, words),
        *_design_refusals(edition.survey("en"), new, words),
        *_student_refusals(edition.survey("en"), new, conditions, words),
    ]


def fit_population(new: NewWave, survey: Survey) -> NewWave:
    """The wave with the settings that follow from who answers the survey."""
    if survey.population == FAMILY:
        return replace(new, federal_funds=None)
    funds = new.federal_funds if survey.population == STUDENT else None
    return replace(new, **asdict(DESIGNS[survey.population]), federal_funds=funds)


def find_refusals(
    session: Session, new: NewWave, gaps: Mapping[str, Sequence[str]], words: NullTranslations
) -> Iterator[Refusal]:
    """The reasons against opening a wave that do not depend on the survey."""
    yield from _title_refusals(session, new, words)
    yield from _date_refusals(new, words)
    yield from _school_refusals(session, new, words)
    yield from _language_refusals(new, gaps, words)
    if new.identity not in IDENTITIES:
        # translators: staff form: who can tie an answer to a family
        yield Refusal("identity", words.gettext("Choose whether answers are anonymous or confidential."))
    if new.entry not in ENTRIES:
        # translators: staff form: one link that everybody uses, or an access code for each household
        yield Refusal("entry", words.gettext("Choose either one open link or an access code for each household."))
    yield from _method_refusals(new, words)


def add_unnamed_invitations(
    session: Session, wave: Wave, school_id: str, language: str, digests: Iterable[str]
) -> None:
    """Add invitations that belong to no household in particular. When all are added, check
    `invitations.find_small_schools` before the commit."""
    add_invitations(session, wave, (NewInvitation(digest, school_id, language) for digest in digests))


def add_invitations(session: Session, wave: Wave, invited: Iterable[NewInvitation]) -> None:
    """Add invitations to a wave; only the codes' digests are stored. They are inserted in the order of the digests, so
    that the storage order reveals nothing."""
    ensure_salt(wave)
    session.flush()
    rows = [
        (each.digest, wave.id, wave.identity, each.school_id, each.language, each.household_id, each.student_id, False)
        for each in sorted(invited, key=lambda each: each.digest)
    ]
    values: dict[str, Any] = {name: bindparam(name) for name in INVITATION_COLUMNS}
    statement = insert(Invitation.__table__).values(values)  # type: ignore[arg-type]  # of a mapped class, it is a table
    BulkStatement(session.connection(), statement, INVITATION_COLUMNS, ["used"]).run(rows)
    if is_unlinked(wave):
        store_language_groups(session.connection(), wave.id)


def is_unlinked(wave: Wave) -> bool:
    """Whether it uses access codes without recording which were used."""
    return (wave.identity, wave.entry) == ("anonymous", "code")


def ensure_salt(wave: Wave) -> None:
    """Set the salt for the used codes of an anonymous wave, unless it has one."""
    if is_unlinked(wave) and wave.burn_salt is None:
        wave.burn_salt = token_hex(SALT)


def _title_refusals(session: Session, new: NewWave, words: NullTranslations) -> Iterator[Refusal]:
    if not new.title:
        # translators: staff form; a wave is one survey asked of some schools between two days
        yield Refusal("title", words.gettext("Enter a title so that staff can tell this survey from others."))
    elif len(new.title) > TITLE_MOST:
        # translators: staff form
        sentence = words.gettext("The title is too long. Use at most %(most)s characters.")
        yield Refusal("title", sentence % {"most": TITLE_MOST})
    if new.id and (len(new.id) > ID_MOST or not READABLE.match(new.id)):
        # translators: staff form; "address" is the last part of a web address
        sentence = words.gettext(
            "Use only lowercase letters a to z, digits, and hyphens in the address, at most %(most)s characters."
        )
        yield Refusal("id", sentence % {"most": ID_MOST})
    elif new.id and session.get(Wave, new.id) is not None:
        # translators: staff form; "address" is the last part of a web address
        yield Refusal("id", words.gettext("Another survey already has this address. Choose a different one."))


def _date_refusals(new: NewWave, words: NullTranslations) -> Iterator[Refusal]:
    if new.opens is None:
        # translators: staff form: the first day on which people can answer
        yield Refusal("opens", words.gettext("Enter the first day to answer."))
    if new.closes is None:
        # translators: staff form: the last day on which people can answer
        yield Refusal("closes", words.gettext("Enter the last day to answer."))
    elif new.opens and new.closes < new.opens:
        # translators: staff form
        yield Refusal("closes", words.gettext("The last day is before the first day. Change one of them."))
    if new.results_on and new.closes and new.results_on <= new.closes:
        # translators: staff form: the day families are told the results will come
        yield Refusal("results_on", words.gettext("The results date must be after the last day to answer."))


def _school_refusals(session: Session, new: NewWave, words: NullTranslations) -> Iterator[Refusal]:
    if not new.schools:
        # translators: staff form
        yield Refusal("schools", words.gettext("Choose at least one school."))
    askable = [school for school in new.schools if is_possible_id(school)]
    active = set(session.scalars(select(School.id).where(School.id.in_(askable), School.active)))
    if set(new.schools) - active:
        # translators: staff form
        yield Refusal("schools", words.gettext("One of these schools is not recognized. Choose from the list."))


def _method_refusals(new: NewWave, words: NullTranslations) -> Iterator[Refusal]:
    if not new.modes or set(new.modes) - set(MODES):
        # translators: staff form: on the web, on paper, or in a talk
        yield Refusal("modes", words.gettext("Choose at least one way to answer."))
    if new.counting not in COUNTINGS:
        # translators: staff form: whether a family is asked once, once for each school, or once for each child
        yield Refusal(
            "counting",
            words.gettext(
                "Choose whether to count one response for each family, for each "
                "family at each of its schools, or for each student."
            ),
        )
    if new.asked not in ASKED_GROUPS:
        # translators: staff form: all households, or those of some children
        yield Refusal("asked", words.gettext("Choose who is invited."))
    elif new.asked != "everyone" and new.entry == "open" and "web" in new.modes:
        # translators: staff form: an open link is one web address that everybody can use
        sentence = words.gettext(
            "Anyone can answer with an open link. To invite only some families, choose access codes."
        )
        yield Refusal("asked", sentence)


def _survey_refusals(
    edition: Edition, new: NewWave, screened: Container[str], words: NullTranslations
) -> Iterator[Refusal]:
    """The survey's reasons against opening: undecided questions, and missing translations."""
    waiting = [str(question.text) for question in find_unscreened_questions(edition.survey("en"), screened)]
    if waiting:
        # translators: staff form. To screen is to decide whether a question asks about something private that the law
        # protects; %(examples)s are questions
        sentence = words.ngettext(
            "%(num)s question in this questionnaire has not been screened yet (%(examples)s). Decide about it on "
            "the Content screening page.",
            "%(num)s questions in this questionnaire have not been screened yet (%(examples)s). Decide about "
            "them on the Content screening page.",
            len(waiting),
        )
        yield Refusal("survey", sentence % {"num": len(waiting), "examples": format_examples(waiting)})
    english = {context: text for context, text, _ in translatable_texts(edition.survey("en"))}
    for tag in new.languages:
        missing = [english[each] for each in edition.missing(tag)] if tag in LANGUAGES else []
        if missing:
            yield Refusal("languages", _survey_gap_sentence(tag, missing, words))


def _design_refusals(survey: Survey, new: NewWave, words: NullTranslations) -> Iterator[Refusal]:
    """The reasons against asking this survey in this way."""
    if survey.identity == "anonymous" != new.identity:
        # translators: staff form: some questionnaires may only be asked without a link to the family
        yield Refusal("identity", words.gettext("This questionnaire can only be anonymous."))
    if survey.identity == "confidential" != new.identity:
        # translators: staff form: some questionnaires are asked so that staff can help a child, so they need its name
        yield Refusal("identity", words.gettext("This questionnaire can only be confidential."))
    if survey.population != FAMILY and fit_population(new, survey) != new:
        # translators: staff form: the person who answers is an educator, a student, or a liaison
        yield Refusal("identity", words.gettext("This questionnaire is not for families. Choose it again."))
    if new.counting == "student" and any(section.repeat for section in survey.sections):
        # translators: staff form: a family would be asked once for each child, and each time about all of its children
        sentence = words.gettext(
            "This questionnaire already asks about each child of a family. Count one response for each family instead."
        )
        yield Refusal("counting", sentence)


def _student_refusals(
    survey: Survey, new: NewWave, conditions: OpeningConditions, words: NullTranslations
) -> Iterator[Refusal]:
    """The reasons against asking students."""
    if survey.population == STUDENT:
        items = screening_items(survey).items()
        facts = StudentSurveyFacts(
            is_allowed=conditions.student_surveys,
            federal_funds=new.federal_funds,
            protected=[str(question.text) for item, question in items if item in conditions.protected],
            opens=new.opens,
            today=conditions.today,
        )
        yield from (Refusal(*problem) for problem in find_problems(facts, words))


def _survey_gap_sentence(tag: str, missing: Sequence[str], words: NullTranslations) -> str:
    # translators: staff form: why a language cannot be offered. %(examples)s are English texts that families would see.
    sentence = words.ngettext(
        "%(language)s cannot be offered yet: %(num)s translation is missing from the questionnaire "
        "(%(examples)s). Add it first, or leave the language out.",
        "%(language)s cannot be offered yet: %(num)s translations are missing from the questionnaire "
        "(%(examples)s). Add them first, or leave the language out.",
        len(missing),
    )
    return sentence % {"language": LANGUAGES[tag].name, "num": len(missing), "examples": format_examples(missing)}


def _language_refusals(new: NewWave, gaps: Mapping[str, Sequence[str]], words: NullTranslations) -> Iterator[Refusal]:
    if not new.languages:
        # translators: staff form
        yield Refusal("languages", words.gettext("Choose at least one language."))
    for tag in new.languages:
        if tag not in LANGUAGES:
            # translators: staff form
            yield Refusal("languages", words.gettext("One of these languages is not recognized. Choose from the list."))
        elif gaps.get(tag):
            yield Refusal("languages", _page_gap_sentence(tag, gaps[tag], words))


def _page_gap_sentence(tag: str, gaps: Sequence[str], words: NullTranslations) -> str:
    # translators: staff form: why a language cannot be offered. %(examples)s are English texts that families would see.
    sentence = words.ngettext(
        "%(language)s cannot be offered yet: %(num)s translation is missing from the family pages "
        "(%(examples)s). Add it first, or leave the language out.",
        "%(language)s cannot be offered yet: %(num)s translations are missing from the family pages "
        "(%(examples)s). Add them first, or leave the language out.",
        len(gaps),
    )
    return sentence % {"language": LANGUAGES[tag].name, "num": len(gaps), "examples": format_examples(gaps)}


def _ensure_edition(session: Session, edition: Edition, today: date) -> StoredEdition:
    """The stored edition with this digest, created if it is new."""
    stored = session.get(StoredEdition, edition.digest)
    if stored is None:
        stored = StoredEdition(
            digest=edition.digest, slug=edition.survey("en").slug, document=edition.document, stored_on=today
        )
        session.add(stored)
    return stored
