"""What families read when a survey is shared: a message to send, and the poster. Of surveys that families answer on the
web, with an open link or with access codes from letters."""

from datetime import date
from gettext import NullTranslations

from babel.dates import format_date
from babel.numbers import format_decimal

from engage.base.catalogs import catalogue
from engage.base.config import Settings
from engage.base.languages import LANGUAGES
from engage.domain.paper.documents.poster import Poster, PosterNote
from engage.questionnaire.editions import Edition
from engage.questionnaire.model import Survey, Words
from engage.questionnaire.text_cleaning import clean_text
from engage.services.printing.layouts import font_dir
from engage.services.waves.privacy_notice import LTR, POP, isolate_text, render_notice
from engage.services.waves.privacy_statements import HEADINGS
from engage.services.waves.retention import answers_deleted_on
from engage.storage.models.waves import Wave

TEXT_DOMAIN = "family"


def share_address(wave: Wave, settings: Settings, language: str) -> str:
    """The address that is shared: of the survey, or of the page where families type the code from their letter."""
    return f"{settings.base_url}/{language}/{'c' if wave.entry == 'code' else f'w/{wave.id}'}"


def write_share_message(wave: Wave, edition: Edition, settings: Settings, language: str) -> str:
    """A message to families in one of the wave's languages, with a sentence on each line. The address is alone on the
    last line, so that programs for email and text messages make it a link."""
    words, survey = catalogue(language), edition.survey(language)
    # translators: a message to families, by email or text message, which asks them to answer a survey; %(district)s is
    # the name of a school district, %(title)s that of the survey, %(day)s a date
    sentence = words.gettext(
        "%(district)s would like to hear from your family: “%(title)s”. Please answer by %(day)s."
    ) % {
        "district": _isolate(settings.district_name, language),
        "title": _isolate(survey.title, language),
        "day": _long_date(wave.closes, language),
    }
    sentences = (
        sentence,
        _minutes_text(survey, words, language),
        _privacy_line(wave, words),
        _answer_line(wave, words),
    )
    return "\n".join((*sentences, share_address(wave, settings, language)))


def build_poster(wave: Wave, edition: Edition, settings: Settings, language: str) -> Poster:
    """The poster in one of the wave's languages."""
    words, survey = catalogue(language), edition.survey(language)
    link = share_address(wave, settings, language)
    return Poster(
        language=language,
        district=clean_text(settings.district_name, lines=False),
        title=survey.title,
        leads=(_asks_text(wave, settings, words, language), _minutes_text(survey, words, language)),
        # translators: on a paper form, beside a square code for the camera of a phone; below it stands an address
        scan=words.gettext("Point the camera of your phone at the square, or type this address:"),
        link=link,
        address=link.removeprefix("https://"),
        # translators: on a poster, below the web address of a page that asks for a code; the code came in a letter
        steps=(words.gettext("Then type the code from your letter."),) if wave.entry == "code" else (),
        notes=_poster_notes(wave, settings, words, language),
        fonts=font_dir(settings),
    )


def _asks_text(wave: Wave, settings: Settings, words: NullTranslations, language: str) -> str:
    # translators: on a poster, below the title of a survey; %(district)s is the name of a school district, %(day)s a
    # date
    sentence = words.gettext("%(district)s would like to hear from your family. Please answer by %(day)s.")
    return sentence % {
        "district": isolate_text(settings.district_name),
        "day": _long_date(wave.closes, language),
    }


def _poster_notes(wave: Wave, settings: Settings, words: NullTranslations, language: str) -> tuple[PosterNote, ...]:
    """Who sees the answers, as the survey's own privacy notice says it, and where families get help."""
    notice = render_notice(wave, settings, language, answers_deleted_on(wave, settings))
    notes = [PosterNote(words.gettext(HEADINGS["who_sees"]), notice["who_sees"])]
    # translators: at the foot of a poster about a survey
    help_text = words.gettext("No internet, or do you need help in your language? Ask at your school's office.")
    notes.append(PosterNote("", help_text))
    if settings.interpreter_phone:
        # translators: first page of a paper form; %(phone)s is the number of an interpreter line that costs nothing
        sentence = words.gettext("Call %(phone)s and say your language. An interpreter will help you.")
        notes.append(PosterNote("", sentence % {"phone": f"{LTR}{settings.interpreter_phone}{POP}"}))
    return tuple(notes)


def _minutes_text(survey: Survey, words: NullTranslations, language: str) -> str:
    # translators: how long a survey takes
    sentence = words.ngettext("It takes about %(num)s minute.", "It takes about %(num)s minutes.", survey.minutes)
    return sentence % {"num": format_decimal(survey.minutes, locale=LANGUAGES[language].locale)}


def _privacy_line(wave: Wave, words: NullTranslations) -> str:
    """The same line about privacy as on the survey's first page."""
    if wave.identity == "confidential":
        # translators: privacy: the third of three short lines before a survey begins; the answers are confidential.
        # 'It' is what the family answers
        line = words.gettext("<b>Private.</b> Only the few people who help families see your name with your answers.")
    elif wave.entry == "code":
        # translators: privacy: the third of three short lines before a survey begins; the answers are anonymous. The
        # code came in a letter
        line = words.gettext("<b>No names.</b> We do not store your code with your answers.")
    else:
        # translators: privacy: the third of three short lines before a survey begins; the answers are anonymous
        line = words.gettext("<b>No names.</b> We do not store who you are.")
    return line.replace("<b>", "").replace("</b>", "")


def _answer_line(wave: Wave, words: NullTranslations) -> str:
    if wave.entry == "code":
        # translators: last line of a message to families; below it stands a web address. The code came in a letter
        return words.gettext("Answer here, with the code from your letter:")
    # translators: last line of a message to families; below it stands a web address
    return words.gettext("Answer here:")


def _isolate(text: str | Words, language: str) -> str:
    """A name inside a message. Only a right-to-left language needs control characters, which old phones may show."""
    return isolate_text(text) if LANGUAGES[language].rtl else clean_text(text, lines=False)


def _long_date(day: date, language: str) -> str:
    return format_date(day, "long", locale=LANGUAGES[language].locale)
