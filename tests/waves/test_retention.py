"""The day on which the answers of a wave are deleted."""

from datetime import date

from engage.config import Settings
from engage.records.schools import Wave
from engage.waves.retention import answers_deleted_on


def test_answers_are_stored_for_three_years_unless_the_district_says_otherwise() -> None:
    wave = Wave(id="fall", opens=date(2026, 9, 1), closes=date(2026, 10, 2))
    assert answers_deleted_on(wave, Settings()) == date(2029, 10, 1)
    assert answers_deleted_on(wave, Settings(keep_answers_days=30)) == date(2026, 11, 1)
