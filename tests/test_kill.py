"""An acknowledged submission survives kill -9. The long form is `python -m tests.kill_and_count`."""

import pytest

from tests.kill_and_count import kill_and_count

pytestmark = pytest.mark.slow


def test_nothing_is_lost_or_doubled_when_the_server_is_killed():
    count = kill_and_count(kills=3, between=1.0, families=12)
    assert count.holds, str(count)
    assert count.retries > 0, "the kills came while families were at work"
