"""The form that asks for a packet: what is typed, what is wrong with it, and what is wanted by it."""

from collections.abc import Mapping, Sequence

from wtforms import Form, RadioField, SelectField

from engage.base.languages import LANGUAGES
from engage.domain.paper.form.elements import PAPERS
from engage.questionnaire.text_cleaning import visible_text
from engage.services.printing.orders import PacketRefused, PacketRequest
from engage.storage.models.schools import Wave
from engage.web.page_language import gettext

COPIES_MOST = 200  # blank sets in one language
LONGEST = 6  # characters of a number
COPIES = "copies-"  # and a language's tag: the name of a field
CHOICES = {
    "contents": ("households", "blanks"),
    "paper": tuple(PAPERS),
    "style": ("standard", "large", "compact"),
    "arrangement": ("under", "beside"),
    "outside": ("window", "code"),
}
PLACES = ("wave", "school", "not_paper", "closed", "forgotten", "state")  # what is refused because of where


class PacketForm(Form):
    """What a person wants printed. `shown` is the place whose languages and numbers the page showed."""

    place = SelectField(validate_choice=False)
    shown = SelectField(validate_choice=False)
    contents = RadioField(validate_choice=False)
    paper = RadioField(validate_choice=False, default="letter")
    style = RadioField(validate_choice=False, default="standard")
    second = SelectField(validate_choice=False, default="")
    arrangement = RadioField(validate_choice=False, default="under")
    outside = RadioField(validate_choice=False, default="code")

    def problems(self, wave: Wave, copies: Mapping[str, str]) -> dict[str, str]:
        """What is wrong with the form, by the id of a field; `copies` as `typed` gives them."""
        # translators: in a form
        choose = gettext("Choose an option from the list.")
        found = {name: choose for name, known in CHOICES.items() if self[name].data not in known}
        if self.second.data and self.second.data not in wave.offered:
            found["second"] = choose
        if self.contents.data == "blanks":
            wrong = [tag for tag, text in copies.items() if _parse_number(text) is None]
            # translators: in a form: how many paper forms to print in one language
            sentence = gettext("Enter a number from 0 to %(most)s.", most=COPIES_MOST)
            found |= {COPIES + tag: sentence for tag in wrong}
            if not any(_parse_number(text) for text in copies.values()) and not wrong:
                # translators: in a form: nobody can print no paper form at all
                found[COPIES + next(iter(copies))] = gettext("Enter how many forms you want in at least one language.")
        return found

    def wanted(self, copies: Mapping[str, str]) -> PacketRequest:
        """What the form asks for; only for one without problems."""
        blanks = self.contents.data == "blanks"
        numbers = {tag: number for tag, text in copies.items() if (number := _parse_number(text))} if blanks else {}
        return PacketRequest(
            contents=self.contents.data,
            copies=numbers,
            paper=self.paper.data,
            style=self.style.data,
            second=self.second.data or None,
            arrangement=self.arrangement.data,
            outside="code" if blanks else self.outside.data,
        )


def typed_copies(form: Mapping[str, str], tags: Sequence[str]) -> dict[str, str]:
    """The numbers of blank sets as they were typed, by language."""
    return {tag: form.get(COPIES + tag, "") for tag in tags if tag in LANGUAGES}


def refused_field(refused: PacketRefused, wave: Wave) -> str:
    """The id of the field that a refusal is about."""
    tag = str(refused.values.get("language", ""))
    if refused.code in PLACES:
        return "place"
    if refused.code in ("copies", "language", "font", "glyph") and tag in wave.offered:
        return COPIES + tag
    return "style" if refused.code == "tall" else "contents"


def _parse_number(text: str) -> int | None:
    """The number written in digits of any script, 0 for nothing; None for anything else."""
    plain = visible_text(text).strip()
    if not plain:
        return 0
    if len(plain) > LONGEST or not plain.isdecimal():
        return None
    return int(plain) if int(plain) <= COPIES_MOST else None
