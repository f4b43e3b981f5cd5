"""Texts of figures, shared by the page, the packet, and the tables."""

from collections.abc import Iterable
from gettext import NullTranslations

from babel import Locale
from babel.lists import format_list
from babel.numbers import format_decimal

from engage.base.languages import LANGUAGES
from engage.questionnaire.answer_text import missing_text
from engage.services.checkpoints.figure_rows import format_percent
from engage.services.checkpoints.findings import Finding, FindingLine
from engage.services.checkpoints.population_wording import population_wording
from engage.services.waves.populations import FAMILY
from engage.storage.language_groups import OTHER
from engage.storage.models.schools import UNDETERMINED


class FigureWording:
    """Sentences and numbers in one language. `words` is its gettext catalog, `population` who answered (`of`)."""

    def __init__(self, language: str, words: NullTranslations, population: str = FAMILY) -> None:
        self.language, self.words = LANGUAGES[language], words
        self.people = population_wording(population, words)

    def of(self, population: str) -> "FigureWording":
        """The same for a survey that this population answered."""
        if population == self.people.population:
            return self
        return FigureWording(self.language.tag, self.words, population)

    def number(self, count: int | None) -> str:
        """A count, or the text for a suppressed one."""
        return self.hidden() if count is None else str(format_decimal(count, locale=self.language.locale))

    def enumerated(self, texts: Iterable[str]) -> str:
        """Several items as a list in a sentence: "Somali, Arabic and Khmer"."""
        return str(format_list([*texts], locale=self.language.locale))

    def hidden(self) -> str:
        """The text in place of a suppressed number."""
        return self.people.hidden

    def share(self, line: FindingLine) -> str:
        """A share in whole percent; a dash if there is none, the text for a suppressed number if its count is
        suppressed."""
        if line.row.hidden:
            return self.hidden()
        return line.row.percent or "–"

    def likely(self, line: FindingLine) -> str:
        """The likely range of the share of all who could have answered: "61% to 74%"."""
        if line.row.low is None or line.row.high is None:
            return self.hidden() if line.row.hidden else "–"
        # translators: in a table: a share lies between these two, such as 61% and 74%
        sentence = self.words.gettext("%(low)s to %(high)s")
        return sentence % {"low": format_percent(line.row.low), "high": format_percent(line.row.high)}

    def brief(self, count: int | None) -> str:
        """A count for a narrow cell, or the short text for a suppressed one."""
        # translators: in a narrow table cell, in place of a number that is hidden to protect people
        return self.words.gettext("hidden") if count is None else self.number(count)

    def short(self, line: FindingLine) -> str:
        """A count and its share, for a narrow cell: "45 (36%)"."""
        share = line.row.percent
        if line.row.hidden or share is None:
            return self.brief(line.row.count)
        # translators: in a table: a count, and its share in parentheses
        return self.words.gettext("%(count)s (%(share)s)") % {"count": self.number(line.row.count), "share": share}

    def label(self, line: FindingLine) -> str:
        """The label of an answer: the text of its choice, or of a missing answer."""
        return line.label if line.label is not None else self.apart(line.row.answer)

    def apart(self, code: str) -> str:
        """The label of a missing-answer code."""
        return missing_text(code, self.words.gettext)

    def counted(self, counting: str) -> str:
        """The heading for how many could have answered, by the wave's rule."""
        if self.people.population != FAMILY:
            return self.people.roster
        templates = {
            # translators: heading of a table column: each family is counted once in each school it has a child in
            "family_school": self.words.gettext("Households by school"),
            # translators: heading of a table column: how many students there are
            "student": self.words.gettext("Students"),
        }
        return templates.get(counting) or self.people.roster

    def rule(self, counting: str, selection: str) -> str:
        """Sentences on who could have answered; empty if unknown. `counting` is empty without a roster."""
        if self.people.population != FAMILY:
            return " ".join(each for each in (self.people.rule, self.people.roster_rule if counting else "") if each)
        rules = {
            # translators: above a table: who is counted as "could have answered"
            "family": self.words.gettext("Each household is counted once. A child with two homes has two households."),
            # translators: above a table: who is counted as "could have answered"
            "family_school": self.words.gettext("Each household is counted once for each school it has a child in."),
            # translators: above a table: who is counted as "could have answered"
            "student": self.words.gettext("Each student is counted once."),
        }
        only = {
            # translators: above a table, after how families are counted: who was asked
            "english_learners": self.words.gettext("Only families with a child who is learning English were asked."),
            # translators: above a table, after how families are counted: who was asked
            "disabilities": self.words.gettext("Only families with a child who has a disability were asked."),
        }
        return " ".join(each for each in (rules.get(counting), only.get(selection)) if each)

    def cut(self, dimension: str) -> str:
        """The name of a breakdown."""
        labels = {
            # translators: a table whose rows are schools
            "school": self.words.gettext("By school"),
            # translators: a table whose rows are the languages families answered in
            "language": self.words.gettext("By language"),
            # translators: a table whose rows are the ways to answer: phone, paper, interview
            "mode": self.words.gettext("By how families answered"),
        }
        return labels[dimension]

    def head(self, dimension: str) -> str:
        """The heading of a breakdown's first column."""
        headings = {
            # translators: heading of a table column
            "school": self.words.gettext("School"),
            # translators: heading of a table column
            "language": self.words.gettext("Language"),
            # translators: heading of a table column: phone, paper or interview
            "mode": self.words.gettext("How families answered"),
        }
        return headings[dimension]

    def group(self, dimension: str, code: str, schools: dict[str, str]) -> str:
        """The name of a group. `schools` are the schools' names by id."""
        if dimension == "school" and code == OTHER:
            # translators: in a list of schools: those that few families answered for, taken together
            return self.words.gettext("Other schools")
        if dimension == "school":
            return schools.get(code, code)
        return self.tongue(code) if dimension == "language" else self.mode(code)

    def tongue(self, tag: str) -> str:
        """A language's name in this language; its native name if there is no translation."""
        if tag == OTHER:
            # translators: in a list of languages: all those that very few families of a school read, taken together
            return self.words.gettext("Other languages")
        if tag == UNDETERMINED:
            # translators: in a list of languages: the roster does not say which language these households read
            return self.words.gettext("Language not known")
        name = Locale.parse(self.language.locale).languages.get(tag.replace("-", "_"))
        return str(name) if name else LANGUAGES[tag].name if tag in LANGUAGES else tag

    def mode(self, code: str) -> str:
        """The name of a response mode."""
        labels = {
            # translators: a way of answering a survey
            "web": self.words.gettext("Phone or computer"),
            # translators: a way of answering a survey
            "paper": self.words.gettext("Paper"),
            # translators: a way of answering a survey: somebody asked the questions and wrote the answers down
            "interview": self.words.gettext("Interview"),
            # translators: in a list of ways of answering a survey: those that few families used, taken together
            OTHER: self.words.gettext("Other ways"),
        }
        return labels.get(code, code)

    def status(self, code: str) -> str:
        """The status of a promise."""
        labels = {
            # translators: how far a promise of the district is
            "planned": self.words.gettext("Planned"),
            # translators: how far a promise of the district is
            "under_way": self.words.gettext("Under way"),
            # translators: how far a promise of the district is
            "done": self.words.gettext("Kept"),
            # translators: how far a promise of the district is: it will not be done
            "dropped": self.words.gettext("No longer planned"),
        }
        return labels.get(code, code)

    def answered(self, finding: Finding) -> str:
        """A sentence on how many of those asked a question answered it."""
        base, answered = finding.whole.base, finding.whole.answered
        if base is None or answered is None:
            return self.people.base_hidden
        text = self._answered(finding, base) % {"num": self.number(answered), "all": self.number(base)}
        if finding.question.kind in ("words", "long_words"):
            # translators: privacy: under a question that families, educators, or students answered in their own words
            text += " " + self.words.gettext("What they wrote is not shown here: people read it first.")
        return text

    def _answered(self, finding: Finding, base: int) -> str:
        """The sentence, with plural forms by the number of those asked."""
        if finding.children and self.people.population != FAMILY:
            # translators: under a question that is asked once for each child
            return self.words.ngettext(
                "Answered for %(num)s of %(all)s child.", "Answered for %(num)s of %(all)s children.", base
            )
        if finding.children and finding.some:
            # translators: under a question that is asked once for each child, and not for every child
            return self.words.ngettext(
                "This question was for %(all)s child. Families answered it for %(num)s of them.",
                "This question was for %(all)s children. Families answered it for %(num)s of them.",
                base,
            )
        if finding.children:
            # translators: under a question that is asked once for each child
            return self.words.ngettext(
                "Answered for %(num)s of the %(all)s child that families told us about.",
                "Answered for %(num)s of the %(all)s children that families told us about.",
                base,
            )
        return (self.people.answered_some if finding.some else self.people.answered)(base)
