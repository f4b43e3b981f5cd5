"""Two people at the same time are as good as one after the other, for every action that a page offers."""

from pathlib import Path

import pytest

from engage.base.config import Settings
from tests.pairs import run

LEAST = 30  # actions; fewer mean that the crawl does not reach them any more


@pytest.mark.postgres
@pytest.mark.thorough
def test_two_at_once_are_as_good_as_one_after_the_other(tmp_path: Path, settings: Settings) -> None:
    results = run(tmp_path, settings.database_url)
    assert {endpoint: wrong for endpoint, (_, wrong) in results.items() if wrong} == {}
    assert len(results) >= LEAST
