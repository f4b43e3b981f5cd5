"""Riverbend's educators: last spring's survey, in which they find the school easier to reach than families do. They have
their own random numbers, so that the rest of the story does not change with them."""

from random import Random

from sqlalchemy.orm import Session

from engage.demo.district import SEED
from engage.demo.story import LASTED, SPRING, DemoContext, open_demo_wave
from engage.demo.voices import raw_answers
from engage.domain.intake.access_code_use import SPENT_KEY, CodeUse, used_code_digest
from engage.domain.intake.group_assignment import assign_due_groups
from engage.domain.intake.group_encryption import GROUP_KEY
from engage.domain.intake.submission import Submission, accept_response
from engage.domain.security import access_codes
from engage.questionnaire.editions import load_edition
from engage.questionnaire.library import shipped_survey
from engage.services.waves.opening import NewWave, add_unnamed_invitations
from engage.storage.models.schools import UNDETERMINED, School
from engage.storage.models.waves import Wave

SLUG = "educator-beliefs"
ANSWERED = {"lincoln": 22, "cedar-hill": 17, "riverbend-high": 8}  # too few at the high school to be shown
SPARE = 4  # slips
REACHABLE = {"easy_to_ask": ["easy", "very_easy", "very_easy", "easy", "very_easy", "between"]}


def add_educator_wave(session: Session, author: DemoContext, schools: dict[str, int]) -> Wave:
    """Open last spring's survey of educators, with a pile of codes for each school, and store the answers. `schools`
    are the numbers of teachers."""
    rng, survey = Random(SEED + 2), shipped_survey(SLUG)
    opens = author.today - SPRING
    new = NewWave(
        title=f"{survey.title}, last spring",
        schools=tuple(schools),
        languages=("en", "es"),
        opens=opens,
        closes=opens + LASTED,
        identity="anonymous",
        entry="code",
        modes=("web",),
        counting="educator",
        id=f"{SLUG}-spring",
    )
    wave = open_demo_wave(session, author, survey, new)
    for school in schools:
        codes = _add_pile(session, author, wave, school, schools[school] + SPARE, rng)
        for code in codes[: ANSWERED[school]]:
            _answer(session, author, wave, school, code, rng)
    assign_due_groups(session.connection(), author.secret(GROUP_KEY), author.today)
    return wave


def add_teachers(session: Session, numbers: dict[str, int]) -> None:
    """Store how many teachers each school has."""
    for school, number in numbers.items():
        session.get_one(School, school).teachers = number
    session.flush()


def _add_pile(session: Session, author: DemoContext, wave: Wave, school: str, number: int, rng: Random) -> list[str]:
    """Store a pile of codes, and return them."""
    key = author.secret(access_codes.ACCESS_KEY)
    codes = [access_codes.generate_access_code(rng) for _ in range(number)]
    digests = [access_codes.digest(code, key) for code in codes]
    add_unnamed_invitations(session, wave, school, UNDETERMINED, digests)
    return codes


def _answer(session: Session, author: DemoContext, wave: Wave, school: str, code: str, rng: Random) -> None:
    survey = load_edition(wave.edition.document).survey("en")
    raw = raw_answers(survey, "en", rng) | {id: [rng.choice(codes)] for id, codes in REACHABLE.items()}
    submission = Submission(
        survey,
        wave,
        school_id=school,
        language="en",
        mode="web",
        raw=raw,
        submission_key=f"{rng.getrandbits(256):064x}",
        chance=CodeUse(
            access_codes.digest(code, author.secret(access_codes.ACCESS_KEY)),
            spent=used_code_digest(author.secret(SPENT_KEY), wave.burn_salt or "", code),
        ),
        group_key=author.secret(GROUP_KEY),
    )
    accept_response(session.connection(), submission, today=wave.opens, rng=rng)
