"""Riverbend's schools, staff and households."""

from dataclasses import dataclass
from random import Random

WHO_ASKS = {
    "en": "Riverbend School District, Family Engagement Office. Questions? Ask for Hodan Warsame, 555-0142.",
    "es": "Distrito Escolar de Riverbend, Oficina de Familias. ¿Preguntas? Pida hablar con Hodan Warsame, 555-0142.",
    "ar": "منطقة ريفربند التعليمية، مكتب شؤون العائلات. للأسئلة: هودان ورسمه، 555-0142.",
    "so": "Degmada Dugsiyada Riverbend, Xafiiska Qoysaska. Su'aalo ma qabtaa? Weydii Hodan Warsame, 555-0142.",
    "vi": "Học khu Riverbend, Văn phòng Gia đình. Quý vị có thắc mắc? Xin hỏi Hodan Warsame, 555-0142.",
    "zh-Hans": "Riverbend 学区家庭联络办公室。有问题吗？请找 Hodan Warsame，555-0142。",
}

NAME = "Riverbend School District"
PHONE = "555-0142"  # 555-01xx numbers are reserved for fiction
SEED = 20_260

SCHOOLS = {
    "lincoln": "Lincoln Elementary School",
    "cedar-hill": "Cedar Hill Middle School",
    "riverbend-high": "Riverbend High School",
}

TEACHERS = {"lincoln": 34, "cedar-hill": 28, "riverbend-high": 30}

# households by school and the guardian's language
HOUSEHOLDS = {
    "lincoln": {"en": 70, "es": 48, "ar": 14, "so": 22, "vi": 12, "zh-Hans": 6},
    "cedar-hill": {"en": 66, "es": 30, "ar": 18, "so": 10, "vi": 8, "zh-Hans": 10},
    "riverbend-high": {"en": 40, "es": 22, "ar": 8, "so": 8, "vi": 6, "zh-Hans": 4},
}


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who signs in."""

    email: str
    name: str
    role: str
    schools: tuple[str, ...] = ()
    language: str = "en"


STAFF = (
    Person("leader@riverbend.example", "Dana Whitfield", "leader"),
    Person("liaison@riverbend.example", "Hodan Warsame", "liaison", ("lincoln", "cedar-hill")),
    Person("liaison.high@riverbend.example", "Luis Ortega", "liaison", ("riverbend-high",)),
    Person("translator@riverbend.example", "Mai Tran", "translator"),
    Person("admin@riverbend.example", "Sam Okafor", "administrator"),
)


@dataclass(frozen=True, slots=True)
class DemoHousehold:
    """A household that a wave can ask."""

    id: str
    school: str
    language: str


def generate_households(rng: Random) -> list[DemoHousehold]:
    """Generate every household, in school order; ids are drawn from `rng`."""
    return [
        DemoHousehold(f"{rng.getrandbits(128):032x}", school, language)
        for school, languages in HOUSEHOLDS.items()
        for language, count in languages.items()
        for _ in range(count)
    ]
