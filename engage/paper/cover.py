"""The top of the first page: who asks, who will see it, that it is voluntary, how to fill it in and give it back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from gettext import NullTranslations

from babel.dates import format_date

from engage.paper.setting import Setting
from engage.paper.sheet import Block, Column, Example, Panel, beside

PAD = 4.0  # mm inside the panel
BETWEEN = 8.0  # mm between the two columns


@dataclass(frozen=True, slots=True)
class Cover:
    """What a sheet says about itself.

    `identity` is the wave's ("anonymous", "confidential", "" where there is no wave); `returns` is a sentence in the
    sheet's language, "" for the usual one; `opens` and `closes` are the days between which answers are taken.
    `interpreter` is the telephone number of the free interpreters. `phone` says how to answer on a phone instead: "link"
    (the survey's page), "code" (the same, and the household's own code) or "". `reply` asks for a strip with the secret
    reply code to tear off. `outside` is what shows when the set is folded: "window" (whose it is), "code" (its serial
    only) or "". With `reply` or `outside` the first page is a cover of its own.
    """

    district: str
    identity: str = ""
    returns: str = ""
    opens: date | None = None
    closes: date | None = None
    interpreter: str = ""
    phone: str = ""
    reply: bool = False
    outside: str = ""

    @property
    def leaf(self) -> bool:
        """Whether the cover has the first page to itself."""
        return self.reply or bool(self.outside)


def cover_blocks(setting: Setting, cover: Cover, width: float, most: float) -> list[Block]:
    """The cover, `width` mm wide: title and purpose, then what to know beside how to fill in.

    In large print, or where that is higher than `most` mm, the parts stand below each other.
    """
    head = _head(setting, width)
    each = (width - BETWEEN) / 2
    told, how = _about(setting, cover, each), _how(setting, cover, each)
    about = _stacked(told, gap=3)
    if not setting.sizes.large and head.height + 5 + max(about.height, how.height) <= most:
        return [_stacked([head, beside([(0.0, about), (each + BETWEEN, how)])], gap=5)]
    parts = [*_about(setting, cover, width), _how(setting, cover, width)]
    return [head, *(replace(part, gap=5.0) for part in parts)]


def _head(setting: Setting, width: float) -> Block:
    column = Column()
    column.add(setting.text(setting.survey.title, width, setting.sizes.title))
    column.add(setting.text(setting.survey.purpose, width, setting.sizes.body), gap=2.5)
    return column.block()


def _stacked(blocks: Sequence[Block], gap: float) -> Block:
    column = Column()
    for block in blocks:
        column.put(block, gap=gap)
    return column.block()


def _about(setting: Setting, cover: Cover, width: float) -> list[Block]:
    words, minutes = setting.words, setting.survey.minutes
    rows = [
        # translators: heading on the first page of a paper form, above the name of the school district
        (words.gettext("Who is asking"), [cover.district]),
        # translators: heading: who will read the answers
        (words.gettext("Who will see your answers"), _sees(words, cover.identity)),
        # translators: heading on the first page of a paper form: answering is voluntary
        (words.gettext("It is your choice"), _choice(words)),
        # translators: heading on the first page of a paper form
        (words.gettext("How long it takes"), [_minutes(words, minutes)]),
    ]
    return [_told(setting, head, _joined(sentences), width) for head, sentences in rows]


def _sees(words: NullTranslations, identity: str) -> list[str]:
    """The promises of the wave, as the family reads them on a phone too, as far as they hold for paper."""
    # translators: a promise to the family
    nameless = words.gettext("We do not ask for your name.")
    # translators: a promise to the family, important to those who fear for their stay in the country
    never = words.gettext("Your answers are never used for immigration matters.")
    if identity == "anonymous":
        # translators: first page of a paper form; the answers are anonymous, but whoever types them in sees the paper
        private = words.gettext("Please do not write your name on this form.")
        # translators: a promise: only sums are shown
        return [nameless, private, words.gettext("The school sees what many families said together."), never]
    if identity == "confidential":
        # translators: a promise: the answers are confidential
        private = words.gettext(
            "Your answers are kept private. Only the few people who help families with these needs may see them."
        )
        # translators: a promise: only sums are shown to all others
        return [nameless, private, words.gettext("Everyone else sees only what many families said together."), never]
    # translators: a promise on a paper form that belongs to no survey round yet
    return [words.gettext("The people at your school and district who work on this survey."), never]


def _choice(words: NullTranslations) -> list[str]:
    return [
        # translators: first page of a paper form; spoken to a parent or grandparent, politely
        words.gettext("You do not have to answer. You can skip any question, and you can stop at any time."),
        # translators: a promise to the family: nobody is punished for an answer
        words.gettext("Your answers are never used to punish you or your child."),
    ]


def _minutes(words: NullTranslations, minutes: int) -> str:
    # translators: how long a survey takes
    said = words.ngettext("It takes about %(num)s minute.", "It takes about %(num)s minutes.", minutes)
    return said % {"num": minutes}


def _joined(sentences: Sequence[str]) -> str:
    """Sentences as one paragraph; Chinese puts no space after its full stop."""
    return "".join(each if each.endswith("。") else f"{each} " for each in sentences).rstrip()


def _told(setting: Setting, head: str, text: str, width: float) -> Block:
    column = Column()
    column.add(setting.text(head, width, setting.sizes.lead))
    column.add(setting.text(text, width, setting.sizes.body), gap=0.3)
    return column.block()


def _how(setting: Setting, cover: Cover, width: float) -> Block:
    words, inner = setting.words, width - 2 * PAD
    column = Column()
    # translators: heading on the first page of a paper form
    column.add(setting.text(words.gettext("How to fill in this form"), inner, setting.sizes.lead))
    # translators: first page of a paper form; beside it stands a box with a cross in it
    cross = words.gettext("Put a cross in the box next to your answer.")
    column.put(_shown(setting, ("crossed",), cross, inner), gap=2.5)
    # translators: first page of a paper form; beside it stand a box that is all black and a box with a cross in it
    mistake = words.gettext("If you make a mistake, fill in the whole box and cross the right one.")
    column.put(_shown(setting, ("filled", "crossed"), mistake, inner), gap=2.2)
    # translators: first page of a paper form; beside it stands an empty box
    blank = words.gettext("Leave blank what you do not want to answer.")
    column.put(_shown(setting, ("empty",), blank, inner), gap=2.2)
    # translators: heading on the first page of a paper form, above how to give it back
    column.put(_told(setting, words.gettext("When you are done"), _return(setting, cover), inner), gap=4)
    height = column.y + 2 * PAD
    tint = Panel(0, 0, width, height, ink=0.93)
    return Block(height, (tint, *(item.moved(PAD, PAD) for item in column.items)))


def _return(setting: Setting, cover: Cover) -> str:
    words = setting.words
    # translators: first page of a paper form: how to give it back
    sentences = [cover.returns or words.gettext("Give this form to your child's school.")]
    days = {
        name: format_date(day, "long", locale=setting.language.locale)
        for name, day in (("opens", cover.opens), ("closes", cover.closes))
        if day is not None
    }
    if len(days) == 2:
        # translators: first page of a paper form; opens and closes are dates like October 3, 2025
        sentences.append(words.gettext("We take answers from %(opens)s to %(closes)s.") % days)
    elif "closes" in days:
        # translators: first page of a paper form; closes is a date like October 3, 2025
        sentences.append(words.gettext("Please give it back by %(closes)s.") % days)
    return _joined(sentences)


def _shown(setting: Setting, how: Sequence[str], text: str, width: float) -> Block:
    """A sentence with the boxes it speaks of before it."""
    size = setting.sizes.box
    indent = 2 * (size + 1.2) + 1.6
    said = setting.text(text, width - indent, setting.sizes.body)
    top = max(0.0, said.first_middle - size / 2)
    examples = [Example(index * (size + 1.2), top, size, size, each) for index, each in enumerate(how)]
    return Block(max(said.height, size), (*examples, said.moved(indent, 0)))
