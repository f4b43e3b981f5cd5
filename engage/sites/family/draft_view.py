"""A draft as one phone may see it. In a household's shared draft, answers from other phones influence which pages are
shown, but are never shown themselves."""

from collections.abc import Mapping
from dataclasses import dataclass

from engage.domain.intake.draft_authors import answers_of_phone, is_sent_by_other_phone
from engage.domain.intake.draft_encryption import DraftContent
from engage.questionnaire.pages import NOTHING, Plan, Step, SurveyPage, build_plan
from engage.questionnaire.question_types import RefusedAnswer
from engage.sites.family import device_secret
from engage.sites.family.validation_messages import validate_step
from engage.sites.family.wave_cache import Offer


@dataclass(frozen=True, slots=True)
class DraftView:
    """The view of one phone: `kept` is the whole draft, `raw` the answers from this phone, `steps` the pages shown,
    `unread` the questions whose answers came from other phones and decide about later ones."""

    plan: Plan
    kept: DraftContent
    raw: Mapping[str, list[str]]
    steps: tuple[Step, ...]
    reply_code: str = ""
    unread: frozenset[str] = NOTHING

    def step(self, page: SurveyPage) -> Step | None:
        """A page as this phone sees it; None if it is not shown."""
        return next((step for step in self.steps if step.page is page), None)

    def is_elsewhere(self, page: SurveyPage) -> bool:
        """Whether another phone of the household has sent this page."""
        return bool(self.reply_code) and is_sent_by_other_phone(self.kept, self.reply_code, page.number, page.keys)

    def wrong(self, page: SurveyPage) -> dict[str, RefusedAnswer]:
        """Refused answers of a page, by slot key. Of another phone's answer, no details are revealed."""
        steps = self.steps if not self.reply_code else self.plan.steps(self.kept.raw)
        step = next((step for step in steps if step.page is page), None)
        problems = validate_step(step, self.kept.raw) if step else {}
        hidden = {key for key in problems if self.reply_code and self.kept.authors.get(key) != [self.reply_code]}
        return {key: RefusedAnswer("elsewhere") if key in hidden else refused for key, refused in problems.items()}


def draft_view(offer: Offer, secret: bytes, draft: DraftContent) -> DraftView:
    """The view of a draft for the phone with this secret."""
    plan = build_plan(offer.edition)
    if not offer.resumes_by_code:
        return DraftView(plan, draft, draft.raw, plan.steps(draft.raw))
    phone_code = device_secret.phone_reply_code(secret, offer.id)
    unread = frozenset(question.id for question in plan.deciding if _is_unread(plan, draft, phone_code, question.id))
    return DraftView(
        plan, draft, answers_of_phone(draft, phone_code), plan.steps(draft.raw, unread), phone_code, unread
    )


def _is_unread(plan: Plan, draft: DraftContent, phone_code: str, key: str) -> bool:
    """Whether the answer to a question may come from another phone; a blank counts too, so that blanks are not
    revealed."""
    page = plan.page_of(key)
    return draft.authors.get(key) != [phone_code] and is_sent_by_other_phone(draft, phone_code, page.number, page.keys)
