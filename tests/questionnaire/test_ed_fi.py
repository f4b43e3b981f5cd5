"""Ed-Fi values that follow from a household's answers. Expected values are written by hand from the definitions of the
descriptors, Data Standard 5.2, and of the states' collections."""

import pytest

from engage.questionnaire.answers import assemble_answers
from engage.questionnaire.ed_fi import ELEMENTS, STATE_FIELDS, child_values
from engage.questionnaire.library import shipped_survey
from engage.questionnaire.model import PROFILES

SURVEY = shipped_survey("home-access")
ACCESS, BARRIER, TYPE, PERFORMANCE = (
    "InternetAccessInResidence", "BarrierToInternetAccessInResidence", "InternetAccessTypeInResidence",
    "InternetPerformanceInResidence",
)  # fmt: skip
DEVICE, SHARING, OWNER = (
    "PrimaryLearningDeviceAwayFromSchool", "PrimaryLearningDeviceAccess", "PrimaryLearningDeviceProvider",
)  # fmt: skip
YES = {"internet": ["yes"]}
NO = {"internet": ["no"]}

HOMES: list[tuple[dict[str, list[str]], dict[str, str]]] = [
    ({}, {}),
    ({"internet": ["~dont_know"]}, {TYPE: "Unknown"}),
    (NO, {ACCESS: "false", TYPE: "None"}),
    (NO | {"no_internet_main": ["~refused"]}, {ACCESS: "false", TYPE: "None"}),
    *(
        (NO | {"no_internet_main": [code]}, {ACCESS: "false", TYPE: "None", BARRIER: value})
        for code, value in {
            "not_available": "Not Available",
            "cost": "Not Affordable",
            "sign_up": "Other",
            "no_device": "Other",
            "elsewhere": "Other",
            "safety": "Not Desired",
            "not_wanted": "Not Desired",
            "other": "Other",
        }.items()
    ),
    (YES, {ACCESS: "true"}),
    (YES | {"internet_type": ["~dont_know"]}, {ACCESS: "true"}),  # there is internet, so not "Unknown"
    *(
        (YES | {"internet_type": [code]}, {ACCESS: "true", TYPE: value})
        for code, value in {
            "line": "Residential Broadband",
            "home_5g": "Residential Broadband",
            "cell_phone": "Cellular Network",
            "school_hot_spot": "Hot Spot",
            "hot_spot": "Hot Spot",
            "community": "Community Provided Wi-Fi",
            "satellite": "Satellite",
            "dial_up": "Dial-up",
            "other": "Other",
        }.items()
    ),
    *(
        (YES | {"connection": [code]}, {ACCESS: "true", PERFORMANCE: value})
        for code, value in {"few": "Yes", "often": "Sometimes", "too_much": "No"}.items()
    ),
    (YES | {"connection": ["~dont_know"]}, {ACCESS: "true"}),
    # on paper, off the route: the answer does not count
    (NO | {"internet_type": ["line"], "connection": ["few"]}, {ACCESS: "false", TYPE: "None"}),
    (YES | {"no_internet_main": ["cost"]}, {ACCESS: "true"}),
]
CHILDREN: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    ({"main_device": "none"}, {DEVICE: "None"}),
    ({"main_device": "none", "owner": "school", "sharing": "one"}, {DEVICE: "None"}),
    *(
        ({"main_device": code}, {DEVICE: value})
        for code, value in {
            "laptop": "Laptop Computer",
            "chromebook": "Chromebook",
            "desktop": "Desktop Computer",
            "tablet": "Tablet",
            "phone": "Smartphone",
            "other": "Other",
        }.items()
    ),
    *(
        ({"main_device": "tablet", "owner": code}, {DEVICE: "Tablet", OWNER: value})
        for code, value in {"family": "Personal", "school": "School", "other": "Other"}.items()
    ),
    *(
        ({"main_device": "tablet", "sharing": code}, {DEVICE: "Tablet", SHARING: value})
        for code, value in {"nobody": "Not Shared", "one": "Shared", "more": "Shared"}.items()
    ),
]


def values(home, *children, state=""):
    raw = {"children": [str(len(children))]} | home
    for number, child in enumerate(children, 1):
        raw |= {f"child.{number}.{name}": [code] for name, code in child.items()}
    return child_values(SURVEY, assemble_answers(SURVEY, raw, lenient=True)[0], state)


@pytest.mark.parametrize(("home", "expected"), HOMES, ids=str)
def test_what_is_said_about_the_home_counts_for_every_child(home, expected):
    assert values(home, {}, {}) == [expected, expected]


@pytest.mark.parametrize(("child", "expected"), CHILDREN, ids=str)
def test_each_child_has_its_own_device(child, expected):
    assert values({}, child, {"main_device": "phone"}) == [expected, {DEVICE: "Smartphone"}]


def test_every_combination_has_the_values_of_its_parts():
    for home, of_home in HOMES:
        for child, of_child in CHILDREN:
            assert values(home, child) == [of_home | of_child]


def test_every_code_value_but_one_can_be_reached():
    found = [{**a, **b} for _, a in HOMES for _, b in CHILDREN]
    reached = {element: {each[element] for each in found if element in each} for element in ELEMENTS}
    missing = {element: set(codes) - reached[element] for element, codes in ELEMENTS.items()}
    assert {element: codes for element, codes in missing.items() if codes} == {SHARING: {"Unknown"}}


def test_a_home_without_children_has_no_values():
    assert values(YES) == []


MINNESOTA = [
    (YES | {"internet_type": ["school_hot_spot"], "connection": ["often"]}, {"main_device": "laptop"}, {
        ACCESS: "Yes", TYPE: "SchoolProvidedHotSpot", "InternetPerformance": "Yes - But not consistent",
        "DigitalDevice": "Desktop/Laptop",
    }),
    (YES | {"internet_type": ["home_5g"], "connection": ["few"]}, {"main_device": "phone", "owner": "family"}, {
        ACCESS: "Yes", TYPE: "ResidentialBroadband", "InternetPerformance": "Yes - No issues",
        "DigitalDevice": "SmartPhone", OWNER: "Personal",
    }),
    (NO | {"no_internet_main": ["cost"]}, {"main_device": "none"}, {
        ACCESS: "No - Not Affordable", "DigitalDevice": "None",
    }),
    (NO | {"no_internet_main": ["not_wanted"]}, {"main_device": "chromebook", "sharing": "more"}, {
        ACCESS: "No - Other", "DigitalDevice": "Chromebook", SHARING: "Shared",
    }),
    (NO, {}, {}),  # the state has no plain "No"
    ({"internet": ["~dont_know"]}, {}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("home", "child", "expected"), MINNESOTA)
def test_minnesota_has_one_field_for_access_and_its_barrier(home, child, expected):
    assert values(home, child, state="mn") == [expected]


def test_new_york_has_devices_owners_and_sharing():
    child = {"main_device": "chromebook", "owner": "school", "sharing": "nobody"}
    assert values(YES, child, state="ny") == [{DEVICE: "Chromebook", OWNER: "school", SHARING: "not shared"}]


def test_every_state_has_a_field_for_every_element():
    assert STATE_FIELDS.keys() == set(PROFILES)
    assert all(fields.keys() == ELEMENTS.keys() for fields in STATE_FIELDS.values())
