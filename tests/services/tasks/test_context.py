"""Work with a low priority leaves that of the other threads as it is."""

import os
import threading

import pytest

from engage.services.tasks.context import NICENESS, run_with_low_priority


def priority() -> int:
    """The niceness of the calling thread."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_only_the_thread_that_works_has_a_low_priority() -> None:
    before = priority()
    assert run_with_low_priority(priority) == min(before + NICENESS, 19)
    assert priority() == before


def test_an_error_of_the_work_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        run_with_low_priority(lambda: 1 / 0)
