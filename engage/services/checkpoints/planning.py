"""Planning a checkpoint: a meeting on a date that reviews some waves."""

from collections.abc import Iterator, Sequence
from datetime import date
from gettext import NullTranslations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engage.questionnaire.text_cleaning import clean_text, is_possible_id
from engage.storage.models.checkpoints import Checkpoint
from engage.storage.models.waves import Wave
from engage.storage.slugs import make_slug, unique_slug

TEXT_DOMAIN = "staff"

TITLE_MOST = 200  # characters, the length of the column


class CheckpointRefused(Exception):
    """The checkpoint was not created. `refusals` are pairs: the field, and a sentence that says what to do."""

    def __init__(self, refusals: Sequence[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{field}: {sentence}" for field, sentence in refusals))
        self.refusals = list(refusals)


def create_checkpoint(
    session: Session, title: str, meets_on: date | None, wave_ids: Sequence[str], words: NullTranslations
) -> Checkpoint:
    """Create a checkpoint over some waves; its id is made from the title. Raises CheckpointRefused; never commits."""
    title = clean_text(title, lines=False)
    printable = [wave_id for wave_id in wave_ids if is_possible_id(wave_id)]
    waves = list(session.scalars(select(Wave).where(Wave.id.in_(printable)).order_by(Wave.id)))
    if refusals := list(_find_refusals(title, meets_on, wave_ids, waves, words)):
        raise CheckpointRefused(refusals)
    assert meets_on
    checkpoint = Checkpoint(
        id=unique_slug(session, Checkpoint, make_slug(title, f"checkpoint-{meets_on}")),
        title=title,
        meets_on=meets_on,
        waves=waves,
    )
    session.add(checkpoint)
    session.flush()
    return checkpoint


def _find_refusals(
    title: str, meets_on: date | None, wave_ids: Sequence[str], waves: Sequence[Wave], words: NullTranslations
) -> Iterator[tuple[str, str]]:
    if not title:
        # translators: staff form; a checkpoint is a dated meeting with frozen figures
        yield "title", words.gettext("Enter a title for the checkpoint. Families see it above the results.")
    elif len(title) > TITLE_MOST:
        # translators: staff form
        yield "title", words.gettext("The title is too long. Use at most %(most)s characters.") % {"most": TITLE_MOST}
    if meets_on is None:
        # translators: staff form
        yield "meets_on", words.gettext("Enter the date of the meeting.")
    if not wave_ids:
        # translators: staff form; a wave is one survey asked of some schools between two days
        yield "waves", words.gettext("Choose at least one survey.")
    elif len(waves) != len(set(wave_ids)):
        # translators: staff form; a wave is one survey asked of some schools between two days
        yield "waves", words.gettext("One of these surveys is not recognized. Choose from the list.")
