"""Which groups and numbers each audience is shown, by who answers a survey.

Educators and students are shown by school only, and to leaders under the same rule as to the public: a colleague who
knows the staff of a school, or the children of a class, recognizes one of five more easily than one of five families of
a district.
"""

from collections.abc import Mapping

from engage.domain.summaries.suppression import LEADERS, PUBLIC, SuppressionPolicy
from engage.domain.summaries.tables import DIMENSIONS

FAMILY = "family"
AUDIENCES = ("leaders", "public")


def shown_dimensions(population: str) -> tuple[str, ...]:
    """The groups that the figures of a population are broken down by."""
    return DIMENSIONS if population == FAMILY else ("school",)


def audience_policies(population: str) -> Mapping[str, SuppressionPolicy]:
    """The policy for each audience."""
    return {"leaders": LEADERS if population == FAMILY else PUBLIC, "public": PUBLIC}


def audience_minimums(population: str) -> dict[str, int]:
    """The least number of respondents that is shown, for each audience."""
    return {audience: policy.minimum for audience, policy in audience_policies(population).items()}
