"""Serials tolerate handwriting and typing errors."""

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from engage.domain.security.form_serials import generate_serials, is_unregistered, parse_serial, unregistered_serial

SYMBOLS = "23456789CDFGHJKMNPRTVWX"


def one(seed: int) -> str:
    return next(generate_serials(Random(seed), ()))


def test_serials_are_seven_characters_and_none_comes_twice() -> None:
    serials = list(islice(generate_serials(Random(1), ()), 5000))
    assert len(set(serials)) == 5000
    assert all(len(serial) == 7 and serial[3] == "-" for serial in serials)


def test_a_serial_that_is_taken_is_not_given_again() -> None:
    first = list(islice(generate_serials(Random(7), ()), 3))
    assert not set(first) & set(islice(generate_serials(Random(7), first), 3))


def test_registered_and_unregistered_serials_never_meet() -> None:
    assert not any(is_unregistered(serial) for serial in islice(generate_serials(Random(3), ()), 5000))
    assert all(is_unregistered(unregistered_serial(number)) for number in (0, 1, 529, 279_840))


def test_unregistered_serials_count_up_and_end() -> None:
    assert len({unregistered_serial(number) for number in range(3000)}) == 3000
    with pytest.raises(ValueError, match="279840"):
        unregistered_serial(279_841)


@given(some.integers(0, 2**32), some.sampled_from(["{}", " {} ", "{} \n"]), some.booleans())
def test_reading_is_tolerant(seed: int, around: str, lower: bool) -> None:
    serial = one(seed)
    typed = around.format(serial.lower() if lower else serial)
    assert parse_serial(typed) == serial
    assert parse_serial(typed.replace("-", "")) == serial
    assert parse_serial(" ".join(typed.replace("-", "–"))) == serial
    assert parse_serial(typed.translate({ord("0") + n: 0x660 + n for n in range(10)})) == serial  # Arabic-Indic digits
    assert parse_serial(typed.translate({ord("0") + n: 0xFF10 + n for n in range(10)})) == serial  # full width


@given(some.integers(0, 2**32), some.integers(0, 5), some.sampled_from(SYMBOLS))
def test_one_wrong_symbol_is_seen(seed: int, place: int, wrong: str) -> None:
    symbols = one(seed).replace("-", "")
    typed = symbols[:place] + wrong + symbols[place + 1 :]
    assert (parse_serial(typed) is None) == (typed != symbols)


@given(some.integers(0, 2**32), some.integers(0, 4))
def test_two_exchanged_neighbours_are_seen(seed: int, place: int) -> None:
    symbols = one(seed).replace("-", "")
    typed = symbols[:place] + symbols[place + 1] + symbols[place] + symbols[place + 2 :]
    assert (parse_serial(typed) is None) == (typed != symbols)


@given(some.text())
def test_anything_can_be_read(typed: str) -> None:
    found = parse_serial(typed)
    assert found is None or parse_serial(found) == found


@pytest.mark.parametrize("typed", ["", "-", "K", "K7W-2M", "K7W-2MXX", "' or 1=1 --", "\x00" * 6, "é" * 999])
def test_what_is_no_serial_is_none(typed: str) -> None:
    assert parse_serial(typed) is None
