"""Whole sentences about those who answered a survey, for each population. No sentence is put together from nouns,
because languages inflect them. What depends on the rule by which families are counted is in `wording`."""

from collections.abc import Callable
from dataclasses import dataclass
from gettext import NullTranslations

from engage.services.waves.populations import EDUCATOR, FAMILY, LIAISON, STUDENT

Plural = Callable[[int], str]
"""The sentence for a number."""


@dataclass(frozen=True, slots=True)
class PopulationWording:
    """The sentences of one population in one language. An empty one is not needed, or is the same for all.

    Placeholders: `few` and `total_hidden` have minimum, `took_part` count, `took_part_of` count and all, `answered` and
    `answered_some` num and all, `tables` survey, `least_heard` survey, school, share, count, and all, `common`
    question, answer, and share.
    """

    population: str
    who: str
    unit: str
    column: str
    hidden: str
    total_hidden: str
    base_hidden: str
    few: str
    tables: str
    took_part: Plural
    took_part_of: Plural
    answered: Plural
    answered_some: Plural
    roster: str = ""
    rule: str = ""
    roster_rule: str = ""
    likely: str = ""
    perspective: str = ""
    common: str = ""
    least_heard: str = ""
    coverage: str = ""
    everybody: str = ""


def population_wording(population: str, words: NullTranslations) -> PopulationWording:
    """The sentences of a population. Raises KeyError."""
    builders = {FAMILY: _families, EDUCATOR: _educators, STUDENT: _students, LIAISON: _liaisons}
    return builders[population](words)


def _families(words: NullTranslations) -> PopulationWording:
    return PopulationWording(
        population=FAMILY,
        # translators: below the title of a survey, on a page with results: whose answers follow
        who=words.gettext("Families answered this survey."),
        # translators: in a table: families are counted
        unit=words.gettext("families"),
        # translators: heading of a table column: how many families
        column=words.gettext("Families"),
        # translators: privacy: in a table, in place of a number that is too small to show
        hidden=words.gettext("hidden to protect families"),
        # translators: privacy: too few families answered to say how many
        total_hidden=words.gettext("We do not show how many families took part, to protect them."),
        # translators: privacy: under a question; too few families answered it to say how many
        base_hidden=words.gettext("We do not show how many answered, to protect families."),
        # translators: privacy: how to read a table of survey results
        few=words.gettext(
            "If a number comes from fewer than %(minimum)s families, we hide it to protect them. We hide some larger "
            "numbers too, so that the small ones cannot be worked out."
        ),
        # translators: heading in a report; %(survey)s is a survey's title
        tables=words.gettext("%(survey)s: tables by school, language, and how families answered"),
        # translators: how many families answered a survey
        took_part=lambda number: words.ngettext("%(count)s family took part.", "%(count)s families took part.", number),
        # translators: %(count)s families answered a survey, %(all)s families could have
        took_part_of=lambda number: words.ngettext(
            "%(count)s of %(all)s family took part.", "%(count)s of %(all)s families took part.", number
        ),
        # translators: under a question; %(all)s families answered the survey, %(num)s of them this question
        answered=lambda number: words.ngettext(
            "%(num)s of the %(all)s family who took part answered this.",
            "%(num)s of the %(all)s families who took part answered this.",
            number,
        ),
        # translators: under a question that not every family had, because it did not fit what they said before
        answered_some=lambda number: words.ngettext(
            "This question was for %(all)s family. %(num)s of them answered it.",
            "This question was for %(all)s families. %(num)s of them answered it.",
            number,
        ),
        # translators: heading of a table column: how many households could have answered
        roster=words.gettext("Households"),
        # translators: how to read a table of survey results: about the range a share lies in
        likely=words.gettext(
            "Not every family answered. “61% to 74%” means: if those who did not answer think like those who did, "
            "the share among all families very likely lies between these two."
        ),
        # translators: a question for a meeting about survey results
        perspective=words.gettext("What would families say about these figures if they sat at this table?"),
    )


def _educators(words: NullTranslations) -> PopulationWording:
    return PopulationWording(
        population=EDUCATOR,
        # translators: below the title of a survey, on a page with results: whose answers follow
        who=words.gettext("Educators answered this survey."),
        # translators: in a table: educators are counted
        unit=words.gettext("educators"),
        # translators: heading of a table column: how many educators
        column=words.gettext("Educators"),
        # translators: privacy: in a table, in place of a number that is too small to show
        hidden=words.gettext("hidden to protect educators"),
        # translators: privacy: too few educators answered to say how many
        total_hidden=words.gettext("We do not show how many educators took part, to protect them."),
        # translators: privacy: under a question; too few educators answered it to say how many
        base_hidden=words.gettext("We do not show how many answered, to protect educators."),
        # translators: privacy: how to read a table of survey results
        few=words.gettext(
            "If a number comes from fewer than %(minimum)s educators, we hide it to protect them. We hide some larger "
            "numbers too, so that the small ones cannot be worked out."
        ),
        # translators: heading in a report; %(survey)s is a survey's title
        tables=words.gettext("%(survey)s: tables by school"),
        # translators: how many educators answered a survey
        took_part=lambda number: words.ngettext(
            "%(count)s educator took part.", "%(count)s educators took part.", number
        ),
        # translators: how many educators answered a survey. There is no number of aides and other staff, who may answer
        # too
        took_part_of=lambda number: words.ngettext(
            "%(count)s educators took part. These schools have %(all)s teacher; aides and others may answer too.",
            "%(count)s educators took part. These schools have %(all)s teachers; aides and others may answer too.",
            number,
        ),
        # translators: under a question; %(all)s educators answered the survey, %(num)s of them this question
        answered=lambda number: words.ngettext(
            "%(num)s of the %(all)s educator who took part answered this.",
            "%(num)s of the %(all)s educators who took part answered this.",
            number,
        ),
        # translators: under a question that not every educator had, because it did not fit what they said before
        answered_some=lambda number: words.ngettext(
            "This question was for %(all)s educator. %(num)s of them answered it.",
            "This question was for %(all)s educators. %(num)s of them answered it.",
            number,
        ),
        # translators: heading of a table column: how many teachers the school district's list has
        roster=words.gettext("Teachers on the roster"),
        # translators: above a table: who could answer. The pile is a pile of slips with codes, in the school
        rule=words.gettext("Each educator can answer once, with a code from the school's pile."),
        # translators: above a table, after the sentence on who could answer; the roster is the school district's list
        roster_rule=words.gettext("The roster counts teachers; aides and others may answer too."),
        # translators: how to read a table of survey results: about the range a share lies in
        likely=words.gettext(
            "Not every educator answered. “61% to 74%” means: if those who did not answer think like those who did, "
            "the share among all educators very likely lies between these two."
        ),
        # translators: a question for a meeting about survey results
        perspective=words.gettext("What would educators say about these figures if they sat at this table?"),
        # translators: a question for a meeting; %(question)s is a survey's question, %(answer)s what most of them said
        common=words.gettext(
            "“%(question)s” Most educators said “%(answer)s” (%(share)s). Did you expect this? Who would say something "
            "else, and why?"
        ),
        # translators: a question for a meeting; %(survey)s is a survey's title, %(school)s the name of a school
        least_heard=words.gettext(
            "%(survey)s: at %(school)s, the number of answers is %(share)s of the number of teachers on the roster "
            "(%(count)s of %(all)s). What would the other educators add, and how can we ask them?"
        ),
    )


def _students(words: NullTranslations) -> PopulationWording:
    return PopulationWording(
        population=STUDENT,
        # translators: below the title of a survey, on a page with results: whose answers follow
        who=words.gettext("Students answered this survey."),
        # translators: in a table: students are counted
        unit=words.gettext("students"),
        # translators: heading of a table column: how many students there are
        column=words.gettext("Students"),
        # translators: privacy: in a table, in place of a number that is too small to show
        hidden=words.gettext("hidden to protect students"),
        # translators: privacy: too few students answered to say how many
        total_hidden=words.gettext("We do not show how many students took part, to protect them."),
        # translators: privacy: under a question; too few students answered it to say how many
        base_hidden=words.gettext("We do not show how many answered, to protect students."),
        # translators: privacy: how to read a table of survey results
        few=words.gettext(
            "If a number comes from fewer than %(minimum)s students, we hide it to protect them. We hide some larger "
            "numbers too, so that the small ones cannot be worked out."
        ),
        # translators: heading in a report; %(survey)s is a survey's title
        tables=words.gettext("%(survey)s: tables by school"),
        # translators: how many students answered a survey
        took_part=lambda number: words.ngettext(
            "%(count)s student took part.", "%(count)s students took part.", number
        ),
        # translators: %(count)s students answered a survey, %(all)s students could have
        took_part_of=lambda number: words.ngettext(
            "%(count)s of %(all)s student took part.", "%(count)s of %(all)s students took part.", number
        ),
        # translators: under a question; %(all)s students answered the survey, %(num)s of them this question
        answered=lambda number: words.ngettext(
            "%(num)s of the %(all)s student who took part answered this.",
            "%(num)s of the %(all)s students who took part answered this.",
            number,
        ),
        # translators: under a question that not every student had, because it did not fit what they said before
        answered_some=lambda number: words.ngettext(
            "This question was for %(all)s student. %(num)s of them answered it.",
            "This question was for %(all)s students. %(num)s of them answered it.",
            number,
        ),
        # translators: heading of a table column: how many students there are
        roster=words.gettext("Students"),
        # translators: above a table: who could answer. A slip is a small paper with a code
        rule=words.gettext("Each student in grades 3 to 12 can answer once, with a slip. Families can say no."),
        # translators: above a table, after the sentence on who could answer: about the number of students
        roster_rule=words.gettext("Students whose families said no are counted too."),
        # translators: how to read a table of survey results: about the range a share lies in
        likely=words.gettext(
            "Not every student answered. “61% to 74%” means: if those who did not answer think like those who did, "
            "the share among all students very likely lies between these two."
        ),
        # translators: a question for a meeting about survey results
        perspective=words.gettext("What would students say about these figures if they sat at this table?"),
        # translators: a question for a meeting; %(question)s is a survey's question, %(answer)s what most of them said
        common=words.gettext(
            "“%(question)s” Most students said “%(answer)s” (%(share)s). Did you expect this? Who would say something "
            "else, and why?"
        ),
        # translators: a question for a meeting; %(survey)s is a survey's title, %(school)s the name of a school
        least_heard=words.gettext(
            "%(survey)s: of the students at %(school)s, %(share)s answered (%(count)s of %(all)s). What would the "
            "others add?"
        ),
    )


def _liaisons(words: NullTranslations) -> PopulationWording:
    # translators: privacy: in place of how many debriefs there are, and how to read a table. A debrief is what a
    # community liaison writes down after an event
    few = words.gettext("We do not show a number of debriefs below %(minimum)s.")

    def took_part(number: int) -> str:
        # translators: how many debriefs there are. A debrief is what a community liaison writes down after an event
        return words.ngettext(
            "Community liaisons wrote %(count)s debrief.", "Community liaisons wrote %(count)s debriefs.", number
        )

    return PopulationWording(
        population=LIAISON,
        # translators: below the title of a survey, on a page with results: whose answers follow
        who=words.gettext("Community liaisons answered this survey after events."),
        # translators: in a table: debriefs are counted, which are what community liaisons write down after events
        unit=words.gettext("debriefs"),
        # translators: heading of tables and of a table column: how many debriefs there are. A debrief is what a
        # community liaison writes down after an event
        column=words.gettext("Debriefs"),
        # translators: in a narrow table cell, in place of a number that is hidden to protect people
        hidden=words.gettext("hidden"),
        total_hidden=few,
        # translators: privacy: under a question; too few debriefs answer it to say how many
        base_hidden=words.gettext("We do not show how many debriefs answer this."),
        few=few,
        # translators: heading in a report; %(survey)s is a survey's title
        tables=words.gettext("%(survey)s: tables by school"),
        took_part=took_part,
        took_part_of=took_part,
        # translators: under a question; there are %(all)s debriefs, and %(num)s of them have an answer to this question
        answered=lambda number: words.ngettext(
            "%(num)s of the %(all)s debrief answer this.", "%(num)s of the %(all)s debriefs answer this.", number
        ),
        # translators: under a question that not every debrief had, because it did not fit what was said before
        answered_some=lambda number: words.ngettext(
            "This question was for %(all)s debrief. %(num)s of them answer it.",
            "This question was for %(all)s debriefs. %(num)s of them answer it.",
            number,
        ),
        # translators: above a table: who could answer. A debrief is what a community liaison writes down after an event
        rule=words.gettext("Liaisons write one debrief after each event."),
        # translators: heading of tables and of a table column: how many debriefs there are. A debrief is what a
        # community liaison writes down after an event
        coverage=words.gettext("Debriefs"),
        # translators: heading of a table column: all schools together
        everybody=words.gettext("All schools"),
    )
