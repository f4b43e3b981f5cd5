"""Error messages about packets, shared by the staff page and the command line."""

import json
from datetime import date
from gettext import NullTranslations

from babel.dates import format_date

from engage.base.languages import LANGUAGES
from engage.services.printing.orders import MessageValues, PacketRefused
from engage.storage.models.paper import Packet


def explain_refusal(refused: PacketRefused, words: NullTranslations, locale: str = "en") -> str:
    """Why a packet was refused, and what to do."""
    return format_message(refused.code, refused.values, words, locale)


def explain_failure(packet: Packet, words: NullTranslations, locale: str = "en") -> str:
    """Why drawing failed; empty if it did not."""
    if not packet.problem:
        return ""
    code, values = json.loads(packet.problem)
    return format_message(code, values, words, locale)


def format_message(code: str, values: MessageValues, words: NullTranslations, locale: str) -> str:
    """The message of a code, with its values filled in; languages by name, dates in the locale's format."""
    filled = {"school": "", "wave": "", "known": "", "question": "", "character": ""} | dict(values)
    if filled.get("language") in LANGUAGES:
        filled["language"] = LANGUAGES[str(filled["language"])].name
    if "closes" in filled:
        filled["closes"] = format_date(date.fromisoformat(str(filled["closes"])), "long", locale=locale)
    if code == "glyph" and not filled["question"]:
        code = "glyph_elsewhere"
    sentences = _order_messages(words) | _print_messages(words) | _file_messages(words)
    return sentences.get(code, sentences["unexpected"]) % filled


def _order_messages(words: NullTranslations) -> dict[str, str]:
    return {
        # translators: why paper surveys cannot be printed; a wave is one survey asked of some schools between two days
        "wave": words.gettext("There is no survey “%(wave)s”. Choose one of these: %(known)s."),
        # translators: why paper surveys cannot be printed
        "school": words.gettext("“%(school)s” is not a school in this survey. Choose one of these: %(known)s."),
        # translators: why paper surveys cannot be printed: the survey is asked on the web or in talks only
        "not_paper": words.gettext("“%(wave)s” is not offered on paper."),
        # translators: why paper surveys cannot be printed; closes is a day
        "closed": words.gettext(
            "“%(wave)s” closed on %(closes)s. You can enter returned forms, but you cannot print more."
        ),
        # translators: why paper surveys cannot be printed: a value that is none of those that can be chosen
        "choice": words.gettext("“%(value)s” is not an option here. Choose one of these: %(known)s."),
        # translators: why paper surveys cannot be printed; language is a name, known are short forms of languages
        "language": words.gettext("“%(wave)s” is not offered in “%(language)s”. Choose one of these: %(known)s."),
        # translators: why paper surveys cannot be printed
        "copies": words.gettext("Enter how many forms you want in each language: a number from 1 to %(most)s."),
        # translators: why paper surveys cannot be printed
        "many": words.gettext(
            "You requested %(sets)s forms. A packet can have at most %(most)s. Request several packets."
        ),
        # translators: why paper surveys cannot be printed: no family of this school is to be asked
        "empty": words.gettext(
            "“%(wave)s” does not include any household at %(school)s. Import the roster, or request blank forms "
            "instead."
        ),
        # translators: why paper surveys cannot be printed: the list of families changed at the same moment
        "changed": words.gettext("The roster has just changed. Try again."),
        # translators: why paper surveys cannot be printed: the list of families is being replaced
        "importing": words.gettext("A roster is being imported. Try again in a few minutes."),
        # translators: why a packet of paper surveys cannot be given up, or drawn again
        "state": words.gettext(
            "This packet is no longer waiting, or it was canceled. Reload the page to see its status."
        ),
        # translators: why a packet of paper surveys cannot be printed again: the names were destroyed by schedule
        "forgotten": words.gettext(
            "The record of which form belongs to which household has been deleted, so this packet cannot be "
            "created again. Request a new one."
        ),
    }


def _print_messages(words: NullTranslations) -> dict[str, str]:
    return {
        # translators: a language cannot be printed because its letters are not installed
        "font": words.gettext(
            "The fonts for %(language)s are not installed on this computer. Ask the administrator to run: engage doctor"
        ),
        # translators: why a survey cannot be printed; character is like U+1F600 GRINNING FACE, question a short name
        "glyph": words.gettext(
            "In %(language)s, the question “%(question)s” has a character that no installed font can print: "
            "%(character)s. Remove it from the text, or install a font that has it."
        ),
        # translators: why a survey cannot be printed; character is like U+1F600 GRINNING FACE
        "glyph_elsewhere": words.gettext(
            "In %(language)s, the text of the questionnaire has a character that no installed font can print: "
            "%(character)s. Remove it from the text, or install a font that has it."
        ),
        # translators: why paper surveys cannot be printed; character is like U+1F600 GRINNING FACE
        "name_glyph": words.gettext(
            "The name of a family, a class, or the school has a character that no installed font can print: "
            "%(character)s. Install a font that has it, or change the name."
        ),
        # translators: a question is too long for one page of paper; question is its short name
        "tall": words.gettext(
            "In %(language)s, the question “%(question)s” does not fit on one page. Choose a smaller text size, "
            "larger paper, or only one language."
        ),
    }


def _file_messages(words: NullTranslations) -> dict[str, str]:
    return {
        # translators: why a packet of paper surveys could not be drawn
        "sealed": words.gettext(
            "The names for this packet cannot be decrypted because the key is missing. Ask the administrator to "
            "restore the key."
        ),
        # translators: why a packet of paper surveys could not be drawn
        "disk": words.gettext("The disk is full. Nothing was saved. Free up space, and request the packet again."),
        # translators: why a packet of paper surveys could not be drawn; reason is what the computer said
        "file": words.gettext("The file could not be saved: %(reason)s. No partial file was kept."),
        # translators: why a packet of paper surveys could not be drawn
        "unexpected": words.gettext(
            "The packet could not be created. The worker's log has the details. The administrator can read it."
        ),
    }
