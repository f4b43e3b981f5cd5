"""The form that requests a packet: its fields, their validation, and the resulting request."""

from collections.abc import Sequence

from wtforms import Field, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import ValidationError

from engage.base.languages import LANGUAGES
from engage.questionnaire.text_cleaning import visible_text
from engage.services.printing.orders import PacketRefused, PacketRequest
from engage.storage.models.waves import Wave
from engage.web.forms import BaseForm
from engage.web.page_language import gettext

COPIES_MOST = 200  # blank sets in one language
LONGEST = 6  # characters of a number
COPIES = "copies-"  # followed by a language's tag: the name of a field
PLACES = ("wave", "school", "not_paper", "closed", "forgotten", "state")  # refusals that concern the place
Choices = list[tuple[str, str]]


def _contents_choices() -> Choices:
    return [
        # translators: choice: print one paper form for every household of the school, in the language it reads
        ("households", gettext("One form for each household")),
        # translators: choice: print paper forms that belong to no household, to hand out at a meeting
        ("blanks", gettext("Blank forms for an event")),
    ]


def _paper_choices() -> Choices:
    return [
        # translators: a paper size of North America
        ("letter", gettext("Letter (8.5 × 11 inches)")),
        # translators: a paper size of most of the world
        ("a4", gettext("A4 (210 × 297 mm)")),
    ]


def _style_choices() -> Choices:
    return [
        # translators: choice: the usual size of letters
        ("standard", gettext("Standard print")),
        # translators: choice: large letters
        ("large", gettext("Large print")),
        # translators: choice: small letters and little space
        ("compact", gettext("Compact")),
    ]


def _arrangement_choices() -> Choices:
    return [
        # translators: choice: the second language stands below the first
        ("under", gettext("Below the first language")),
        # translators: choice: the second language stands in a column of its own
        ("beside", gettext("Next to the first language")),
    ]


def _outside_choices() -> Choices:
    return [
        # translators: choice: the folded paper goes into an envelope with a window
        ("window", gettext("For a window envelope")),
        # translators: choice: nobody can read a name on the folded paper; the serial is the short number of a paper
        # form
        ("code", gettext("Form number only")),
    ]


class CopiesField(StringField):
    """The number of blank sets in one language, in digits of any script."""

    @property
    def number(self) -> int | None:
        """The number, 0 if empty; None for any text that is not a number from 0 to `COPIES_MOST`."""
        plain = visible_text(self.data or "").strip()
        if not plain:
            return 0
        if len(plain) > LONGEST or not plain.isdecimal():
            return None
        return int(plain) if int(plain) <= COPIES_MOST else None


class PrintPlaceForm(BaseForm):
    """A wave and a school."""

    wave = SelectField(choices=[])
    school = SelectField(choices=[])

    @property
    def place(self) -> tuple[str, str]:
        """The ids as sent; empty if they were not."""
        return str(self.wave.data or ""), str(self.school.data or "")


class PacketForm(PrintPlaceForm):
    """A request for a packet. `shown` is the wave and the school, separated by a space, whose languages and numbers the
    page showed. A subclass made by
    `packet_form_class` has one more field for each language."""

    shown = HiddenField()
    contents = RadioField(choices=_contents_choices)
    paper = RadioField(choices=_paper_choices, default="letter")
    style = RadioField(choices=_style_choices, default="standard")
    second = SelectField(choices=[], default="")
    arrangement = RadioField(choices=_arrangement_choices, default="under")
    outside = RadioField(choices=_outside_choices, default="code")
    all_schools = False
    """Whether packets for all schools are requested."""
    household_problem = ""
    """Why this person may not print a set for each household; empty if allowed."""

    @property
    def copies(self) -> dict[str, CopiesField]:
        """The fields for numbers of blank sets, by language."""
        return {
            field.name.removeprefix(COPIES): field
            for field in self
            if isinstance(field, CopiesField) and field.name.startswith(COPIES)
        }

    def validate_school(self, field: Field) -> None:
        """The place must be the one whose numbers the page showed. Raises ValidationError."""
        if not self.wave.errors and not field.errors and " ".join(self.place) != self.shown.data:
            # translators: staff form: somebody chose another school, and has not seen yet how many forms that needs
            sentence = gettext("You chose a different survey or school. Check the details below, then continue.")
            raise ValidationError(sentence)

    def require_households(self) -> None:
        """Refuse other contents: packets for all schools have a set for each household."""
        self.all_schools = True

    def validate_contents(self, field: Field) -> None:
        """Sets for households need a permission. Raises ValidationError."""
        if self.all_schools and field.data != "households" and not field.errors:
            # translators: staff form: blank paper forms cannot be asked for for all schools at once
            raise ValidationError(gettext("For all schools at once, choose one form for each household."))
        if field.data == "households" and self.household_problem:
            raise ValidationError(self.household_problem)

    def to_request(self) -> PacketRequest:
        """The request; only for a form without errors."""
        blanks = self.contents.data == "blanks"
        numbers = {tag: field.number for tag, field in self.copies.items() if field.number} if blanks else {}
        return PacketRequest(
            contents=self.contents.data,
            copies=numbers,
            paper=self.paper.data,
            style=self.style.data,
            second=self.second.data or None,
            arrangement=self.arrangement.data,
            outside="code" if blanks else self.outside.data,
        )


def packet_form_class(tags: Sequence[str]) -> type[PacketForm]:
    """The form class for a wave that is offered in these languages."""
    fields = {COPIES + tag: CopiesField(validators=[_check_copies]) for tag in tags if tag in LANGUAGES}
    return type("PacketFormOfWave", (PacketForm,), fields)


def second_choices(tags: Sequence[str]) -> Choices:
    """Choices of a second language on a sheet: none, or one that the wave is offered in."""
    # translators: in a list of languages: the paper form is in one language only
    return [("", gettext("None")), *((tag, LANGUAGES[tag].name) for tag in tags if tag in LANGUAGES)]


def refused_field(refused: PacketRefused, wave: Wave) -> str:
    """The name of the field that a refusal is about."""
    tag = str(refused.values.get("language", ""))
    if refused.code in PLACES:
        return "school"
    if refused.code in ("copies", "language", "font", "glyph") and tag in wave.offered and tag in LANGUAGES:
        return COPIES + tag
    return "style" if refused.code == "tall" else "contents"


def _check_copies(form: PacketForm, field: CopiesField) -> None:
    """If blank sets are requested, each field is a number, and at least one is not 0. Raises ValidationError."""
    if form.contents.data != "blanks":
        return
    if field.number is None:
        # translators: in a form: how many paper forms to print in one language
        raise ValidationError(gettext("Enter a number from 0 to %(most)s.", most=COPIES_MOST))
    fields = list(form.copies.values())
    if field is fields[0] and all(each.number == 0 for each in fields):
        # translators: in a form: nobody can print no paper form at all
        raise ValidationError(gettext("Enter how many forms you want in at least one language."))
