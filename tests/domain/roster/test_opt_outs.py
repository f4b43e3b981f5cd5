"""A roster import never ends an opt-out."""

from datetime import date

import pytest

from engage.domain.roster.opt_outs import mark_children, unmark_children
from engage.storage.engine import write_session
from engage.storage.models.roster import OptedOutStudent, OptOut
from tests.domain.roster.generator import Files, small

pytestmark = pytest.mark.slow

KEY = b"o" * 32  # the key of the fixture's imports
DAY = date(2026, 9, 1)
FAMILY = ("amina", "yusuf", "hodan")


def refuses(district, *members: str) -> str:
    """Opt out the household with exactly these members."""
    home = district.home_of(*members)
    with write_session(district.engine) as session:
        session.add(OptOut(household_id=home, recorded_on=DAY))
        mark_children(session, KEY, home, DAY)
        session.commit()
    return home


def refusing(district) -> set[frozenset[str]]:
    """Return the members of opted-out households."""
    return {district.homes[row.household_id] for row in district.rows_of(OptOut)}


def without(*ids: str) -> Files:
    files = small()
    for id in ids:
        files.drop("users", id)
    return files


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "on the list since before there were marks"])
def test_a_family_that_is_missing_once_is_not_asked_when_it_is_back(district, marked: bool) -> None:
    district.brings(small())
    if marked:
        refuses(district, *FAMILY)
    else:
        home = district.home_of(*FAMILY)
        district.put(lambda session: session.add(OptOut(household_id=home, recorded_on=DAY)))
    district.brings(without(*FAMILY))
    assert refusing(district) == set()
    district.brings(small())
    assert refusing(district) == {frozenset(FAMILY)}
    district.brings(small())
    assert len(district.rows_of(OptOut)) == 1


def test_a_home_that_splits_refuses_in_both_halves(district) -> None:
    files = small()
    files.student("ali", "s1", "hodan", "omar", name="Ali Yusuf")
    files.guardian("omar", "Omar Yusuf")
    district.brings(files)
    refuses(district, *FAMILY, "ali", "omar")
    files.row("users", "hodan")["metadata.homeId"] = "here"
    files.row("users", "omar")["metadata.homeId"] = "there"
    district.brings(files)
    assert refusing(district) == {frozenset((*FAMILY, "ali")), frozenset(("ali", "omar"))}


def test_the_other_home_of_a_child_goes_on_being_asked(district) -> None:
    files = small()
    district.brings(files)
    refuses(district, "leo", "ana")
    files.row("users", "ben")["metadata.readingLanguage"] = "es"
    files.student("zoe", "s1", "ben", name="Zoe Miller")
    district.brings(files)
    assert refusing(district) == {frozenset(("leo", "ana"))}
    district.brings(without("leo", "ana"))
    assert refusing(district) == set()


@pytest.mark.parametrize("who", ["ana", "ben"])
def test_two_homes_that_become_one_refuse_if_one_did(district, who: str) -> None:
    district.brings(small())
    refuses(district, "leo", who)
    files = small()
    files.row("users", "ben")["metadata.homeId"] = "elm st 1"
    district.brings(files)
    assert refusing(district) == {frozenset(("leo", "ana", "ben"))}


def test_a_new_brother_is_marked_too(district) -> None:
    district.brings(small())
    refuses(district, *FAMILY)
    files = small()
    files.student("ali", "s1", "hodan", name="Ali Yusuf")
    district.brings(files)
    district.brings(without(*FAMILY))
    files = without("amina", "yusuf")
    files.student("ali", "s1", "hodan", name="Ali Yusuf")
    district.brings(files)
    assert refusing(district) == {frozenset(("ali", "hodan"))}


def test_off_the_list_is_off_for_good(district) -> None:
    district.brings(small())
    home = refuses(district, *FAMILY)
    with write_session(district.engine) as session:
        session.delete(session.get_one(OptOut, home))
        unmark_children(session, KEY, home)
        session.commit()
    assert district.rows_of(OptedOutStudent) == []
    district.brings(without(*FAMILY))
    district.brings(small())
    assert refusing(district) == set()


def test_a_child_of_two_refusing_homes_stays_marked_for_the_other(district) -> None:
    district.brings(small())
    ana = refuses(district, "leo", "ana")
    refuses(district, "leo", "ben")
    with write_session(district.engine) as session:
        session.delete(session.get_one(OptOut, ana))
        unmark_children(session, KEY, ana)
        session.commit()
    assert len(district.rows_of(OptedOutStudent)) == 1
    district.brings(small())
    assert refusing(district) == {frozenset(("leo", "ben"))}


def test_a_mark_names_no_child(district) -> None:
    district.brings(small())
    refuses(district, *FAMILY)
    district.brings(without(*FAMILY))
    marks = {row.digest for row in district.rows_of(OptedOutStudent)}
    assert len(marks) == 2
    assert not any(name in mark for name in FAMILY for mark in marks)
