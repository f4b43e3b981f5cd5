"""Changing the last day of a wave that is open or scheduled."""

from datetime import date, timedelta
from gettext import NullTranslations
from typing import NamedTuple

from sqlalchemy import update
from sqlalchemy.orm import Session

from engage.services.waves.opening import Refusal, WaveRefused
from engage.storage.models.paper import SheetLink
from engage.storage.models.responses import ResponseLink
from engage.storage.models.waves import Wave


class NewDays(NamedTuple):
    """The new last day, and the day announced for the results, if any."""

    closes: date | None
    results_on: date | None


def change_days(
    session: Session, wave: Wave, days: NewDays, *, today: date, keep_links: timedelta, words: NullTranslations
) -> None:
    """Change the last day of a wave; answers stay. Links from answers and sheets to households are stored for
    `keep_links` after the last day. If it becomes earlier, so does their deletion; if it becomes later, existing links
    are deleted on the day set before. Raises WaveRefused; never commits."""
    closes, results_on = days.closes, days.results_on
    if refusals := _find_refusals(wave, closes, results_on, today, words):
        raise WaveRefused(refusals)
    assert closes
    wave.closes, wave.results_on = closes, results_on
    for table in (ResponseLink, SheetLink):
        late = table.wave_id == wave.id, table.forget_on > closes + keep_links
        session.execute(update(table).where(*late).values(forget_on=closes + keep_links))


def _find_refusals(
    wave: Wave, closes: date | None, results_on: date | None, today: date, words: NullTranslations
) -> list[Refusal]:
    if wave.closes < today:
        # translators: staff form: a wave is one survey asked of some schools between two days
        return [Refusal("closes", words.gettext("This survey has closed. To ask again, open a new survey."))]
    if closes is None:
        # translators: staff form: the last day on which people can answer
        return [Refusal("closes", words.gettext("Enter the last day to answer."))]
    refusals = []
    if closes < today:
        # translators: staff form: the last day on which people can answer
        refusals.append(
            Refusal(
                "closes", words.gettext("The last day cannot be in the past. To close the survey soon, choose today.")
            )
        )
    elif closes < wave.opens:
        # translators: staff form
        refusals.append(Refusal("closes", words.gettext("The last day is before the first day. Change one of them.")))
    elif wave.delete_on and closes >= wave.delete_on:
        # translators: staff form: a wave cannot be made so long; %(day)s is a date like 2029-10-01
        sentence = words.gettext(
            "Families were told that their answers will be deleted on %(day)s. Choose an earlier last day."
        )
        refusals.append(Refusal("closes", sentence % {"day": wave.delete_on.isoformat()}))
    if results_on and results_on <= closes:
        # translators: staff form: the day families are told the results will come
        sentence = words.gettext("The results date must be after the last day to answer.")
        refusals.append(Refusal("results_on", sentence))
    return refusals
