"""Roster import in the browser: preview first, then confirmation."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from engage.domain.roster import import_parts
from engage.domain.roster.staging_db import FILE, StagingDb, claim_folder, delete_folder
from engage.services.tasks.store_roster import begin_roster
from engage.sites.administration import roster as page
from engage.storage.engine import read_session, write_session
from engage.storage.models.audit import AuditEvent
from tests.domain.roster.generator import Files, small
from tests.domain.roster.test_cases import CASES
from tests.hygiene import check, read
from tests.makers import PASSWORD, staff
from tests.people import StaffMember

pytestmark = pytest.mark.slow

ROSTER = "/staff/administration/roster"


@pytest.fixture
def someone(site: Any, engine) -> Callable[[str], StaffMember]:
    """A signed-in person with a role."""

    def comes(role: str, number: int = 1) -> StaffMember:
        email = f"{role}{number}@district.example"
        with write_session(engine) as session:
            staff(session, role, email=email)
            session.commit()
        return StaffMember(site).signs_in(email, PASSWORD)

    return comes


def packed(files: Files, tmp_path: Path) -> bytes:
    return files.zip(tmp_path / "upload" / "x.zip").read_bytes()


def zipped(folder: Path) -> bytes:
    """Return a folder as Explorer compresses it: its files are in one folder of a ZIP file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for each in sorted(folder.iterdir()):
            file.write(each, f"{folder.name}/{each.name}")
    return out.getvalue()


def brings(person: StaffMember, body: bytes | None, languages: bytes | None = None, status: int = 200) -> StaffMember:
    """Upload the files through the page's form."""
    person.opens(ROSTER)
    data: dict[str, Any] = {"csrf_token": person.field("csrf_token")}
    data["roster"] = (io.BytesIO(body or b""), "roster.zip" if body is not None else "")
    if languages is not None:
        data["languages"] = (io.BytesIO(languages), "languages.csv")
    answer = posts(person, ROSTER, data)
    if answer.status_code == 302:
        return person.opens(answer.location)
    assert answer.status_code == status, answer.text[:2000]
    person.response = answer
    person.page = read(answer.text)
    check(person.page)
    return person


def posts(person: StaffMember, address: str, data: dict[str, Any]) -> Any:
    """Send a form with files, with its body in memory."""
    files = {name: FileStorage(*each) if isinstance(each, tuple) else each for name, each in data.items()}
    boundary, body = encode_multipart(files)
    kind = f"multipart/form-data; boundary={boundary}"
    return person.client.post(address, data=body, content_type=kind, base_url=person.base_url)


def test_files_are_looked_at_and_then_brought_in(someone, district, tmp_path: Path) -> None:
    administrator = someone("administrator")
    brings(administrator, packed(small(), tmp_path))
    administrator.sees("What would change", "Students500", "Households500", ("Students now: 0. After the import: 5."))
    assert not district.students
    administrator.sends(button="Update the roster")
    administrator.sees("The roster was imported.", "Lincoln Elementary", "4 guardians are in the roster.")
    assert len(district.students) == 5
    (done,) = district.imports.values()
    assert done.imported_by is not None
    with read_session(district.engine) as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.deed == "import roster"))
    assert (event.actor, event.about) == ("administrator1@district.example", done.id)
    assert '"students_added":5' in event.detail
    assert "Amina" not in event.detail
    brings(administrator, packed(small(), tmp_path)).sees("No changes. The roster already matches the files.")
    administrator.sends(button="Update the roster")


def test_files_may_be_given_up(someone, district, tmp_path: Path) -> None:
    administrator = someone("administrator")
    brings(administrator, packed(small(), tmp_path))
    administrator.sends(button="Keep the roster as it is").sees("Nothing was changed.")
    assert not district.students
    assert not list((district.settings.data_dir / "rosters").glob("*"))


def test_languages_beside(someone, district, tmp_path: Path) -> None:
    administrator = someone("administrator")
    brings(administrator, packed(small(), tmp_path), b"studentId,language\nsam,Somali\n").sends(
        button="Update the roster"
    )
    assert district.students["sam"].home_language == "so"


def test_what_is_not_used_is_shown_and_escaped(someone, district, tmp_path: Path) -> None:
    files = small()
    files.row("users", "sam")["metadata.homeLanguage"] = "<script>alert(1)</script>"
    files.row("users", "amina")["agentSourcedIds"] = "=HYPERLINK(1),hodan"
    files.row("users", "leo")["givenName"] = "<img src=x onerror=alert(1)>"
    files.row("orgs", "s1")["name"] = "<b>Lincoln</b>"
    administrator = someone("administrator")
    brings(administrator, packed(files, tmp_path))
    administrator.sees(
        "“<script>alert(1)</script>” is not a recognized language", "2 rows or parts of rows were not used."
    )
    assert not list(administrator.page.all("script"))
    address = administrator.path
    answer = administrator.client.get(f"{address}/refused.csv", base_url=administrator.base_url)
    assert answer.mimetype == "text/csv"
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    administrator.opens(address).sends(button="Update the roster").sees("<b>Lincoln</b>")
    assert not [one for one in administrator.page.all("b") if one.text == "Lincoln"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (None, "Choose a ZIP file first."),
        (b"not a zip", "This is not a ZIP file."),
        (b"", "This is not a ZIP file."),
    ],
)
def test_what_cannot_be_brought_in(body: bytes | None, sentence: str, someone, district) -> None:
    brings(someone("administrator"), body, status=422).sees(sentence)


def test_a_zip_without_schools(someone, district) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as file:
        file.writestr("../users.csv", "x")
    administrator = someone("administrator")
    brings(administrator, body.getvalue(), status=422).sees("“../users.csv”, which points outside the ZIP file")


def test_many_who_would_go_are_asked_about(someone, district, tmp_path: Path) -> None:
    district.brings(small())
    files = small()
    for id in ("sam", "mai", "linh"):
        files.drop("users", id)
    administrator = someone("administrator")
    brings(administrator, packed(files, tmp_path)).sees("Are these files complete?", "2 of 5 students")
    administrator.sends(button="Update the roster", status=409).sees("confirm that this is correct")
    assert len(district.students) == 5
    administrator.sends(button="Update the roster", sure="yes").sees("The roster was imported.")
    assert len(district.students) == 3


def test_rows_nobody_could_read_are_named_before_anything_else(someone, district) -> None:
    district.brings(CASES / "v_ok")
    administrator = someone("administrator")
    brings(administrator, zipped(CASES / "v_ctrl"))
    administrator.sees("Some rows could not be read (users.csv).", "Missing but kept: Students 1")
    administrator.sees_no("No changes. The roster already matches the files.")
    administrator.sees("The row contains a character")
    administrator.sends(button="Update the roster").sees("The roster was imported.")
    assert len(district.students) == 8


def test_households_are_shown_by_language_and_whether_it_is_offered(someone, district, tmp_path: Path) -> None:
    files = small()
    files.row("users", "linh")["metadata.readingLanguage"] = "Hmoob"
    administrator = someone("administrator")
    brings(administrator, packed(files, tmp_path))
    rows = ("English1Yes", "Somali1Yes", "Spanish1Yes", "Hmong1No (asked in English)")
    administrator.sees("Households by language", *rows, "Language not known1No (asked in English)")
    administrator.sends(button="Update the roster").sees("Hmong1No (asked in English)", "Language not known1No")


def test_remarks_are_grouped_and_those_about_families_come_first(someone, district, tmp_path: Path) -> None:
    files = small()
    for number in range(30):
        files.guardian(f"m{number}", email="none")
        files.row("users", "sam")["agentSourcedIds"] = "ghost"
    files.row("users", "leo")["grades"] = "14TH"
    administrator = someone("administrator")
    brings(administrator, packed(files, tmp_path))
    first, second = list(administrator.page.all("table"))[2:4]
    assert "The guardian “ghost” was not found." in first.text
    assert "The grade “14TH” is not recognized." in first.text
    assert "30" in second.text
    assert "“none” is not an email address." in second.text
    [folded] = next(administrator.page.all("main")).all("details")
    assert folded.text.startswith("Contacts, classes, and other files (30)")
    answer = administrator.client.get(f"{administrator.path}/refused.csv", base_url=administrator.base_url)
    assert len(answer.data.decode("utf-8-sig").splitlines()) == 33
    administrator.sends(button="Keep the roster as it is")


def test_guardians_who_look_the_same_are_counted(someone, district) -> None:
    administrator = someone("administrator")
    brings(administrator, zipped(CASES / "dupguard"))
    administrator.sees(
        "2 guardians have the same name, email address, and phone number",
        "This guardian has the same name, email address, and phone number as “g2”",
    )
    administrator.sends(button="Keep the roster as it is")


def test_a_refusal_lists_what_was_found(someone, district) -> None:
    administrator = someone("administrator")
    brings(administrator, zipped(CASES / "roles_us"), status=422)
    administrator.sees(
        "No student in the files can be used", "The endDate “6/10/2027” is not a date", "This person has no role"
    )


def test_somebody_else_was_quicker(someone, district, tmp_path: Path) -> None:
    administrator = someone("administrator")
    brings(administrator, packed(small(), tmp_path))
    district.settings.data_dir.joinpath("rosters")
    address = administrator.path
    shelf = district.settings.data_dir / "rosters"
    before = set(shelf.glob("*"))
    district.brings(small())
    assert set(shelf.glob("*")) == before
    administrator.opens(address).sends(button="Update the roster", status=409)
    administrator.sees("Another roster was imported in the meantime.")
    administrator.sends(button="Keep the roster as it is")


def interrupted(administrator: StaffMember, district, tmp_path: Path) -> Path:
    """Confirm an upload, in a process that ends before anything else is stored. Returns its folder."""
    brings(administrator, packed(small(), tmp_path))
    folder = district.settings.data_dir / "rosters" / administrator.path.rsplit("/", 1)[1]
    with StagingDb(folder / FILE) as stage:
        by = stage.stored_value("by")
    begin_roster(district.site, folder, by)
    return folder


def test_another_person_continues_an_interrupted_import(someone, district, tmp_path: Path) -> None:
    first, second = someone("administrator"), someone("administrator", 2)
    interrupted(first, district, tmp_path)
    someone("leader").opens(ROSTER).sees("A roster import was interrupted.").sees_no(
        "Continue the import", "Past imports"
    )
    second.opens(ROSTER).sends(button="Continue the import").sees("The roster was imported.", "Past imports")
    second.sees_no("A roster import was interrupted.")
    assert len(district.students) == 5
    with read_session(district.engine) as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.deed == "import roster"))
    assert event.actor == "administrator1@district.example", "the one who confirmed it"


def test_the_preview_continues_an_interrupted_import_and_does_not_discard_it(someone, district, tmp_path: Path) -> None:
    administrator = someone("administrator")
    interrupted(administrator, district, tmp_path)
    address = administrator.path
    administrator.sends(button="Keep the roster as it is", status=409)
    administrator.opens(address).sends(button="Update the roster").sees("The roster was imported.")
    assert len(district.students) == 5


def test_an_import_that_is_running_is_not_continued_twice(someone, district, tmp_path: Path) -> None:
    administrator = someone("administrator")
    folder = interrupted(administrator, district, tmp_path)
    administrator.opens(ROSTER)
    with claim_folder(folder):
        administrator.sends(button="Continue the import").sees(
            "A roster is being imported. Try again in a few minutes."
        )
        administrator.sees("The numbers on this page may change").sees_no("Continue the import")
        brings(administrator, packed(small(), tmp_path), status=409).sees("A roster is being imported. Try again")
    assert not district.students
    administrator.opens(ROSTER).sends(button="Continue the import")


def test_files_of_another_version_are_uploaded_again(someone, district, tmp_path: Path, monkeypatch) -> None:
    administrator = someone("administrator")
    folder = interrupted(administrator, district, tmp_path)
    administrator.opens(ROSTER)
    monkeypatch.setattr(import_parts, "ORDER", 0)
    administrator.sends(button="Continue the import").sees("cannot be continued. Import the complete roster again.")
    brings(administrator, packed(small(), tmp_path)).sends(button="Update the roster").sees("The roster was imported.")
    delete_folder(folder)


def test_files_that_are_gone_are_uploaded_again(someone, district, tmp_path: Path) -> None:
    administrator = someone("administrator")
    delete_folder(interrupted(administrator, district, tmp_path))
    administrator.opens(ROSTER).sees("cannot be continued. Import the complete roster again.")
    brings(administrator, packed(small(), tmp_path)).sends(button="Update the roster").sees("The roster was imported.")
    administrator.sees_no("cannot be continued")
    assert len(district.students) == 5


def test_a_roster_is_its_owners_only(someone, district, tmp_path: Path) -> None:
    administrator, other = someone("administrator"), someone("administrator", 2)
    address = brings(administrator, packed(small(), tmp_path)).path
    for end in ("", "/refused.csv"):
        other.opens(address + end, status=404)
    for token in ("0" * 32, "x", "..", "%2e%2e", "a" * 5000, "%00"):
        administrator.opens(f"{ROSTER}/{token}/refused.csv", status=404)
    administrator.opens(address).sends(button="Keep the roster as it is")
    administrator.opens(address, status=404)


def test_who_may_see_and_who_may_import(someone, district) -> None:
    someone("leader").opens(ROSTER).sees("Roster").sees_no("See what would change")
    someone("liaison").opens(ROSTER, status=403)
    someone("translator").opens(ROSTER, status=403)


def test_only_a_roster_may_be_large(someone, district, site, monkeypatch) -> None:
    large = b"x" * 1_600_000  # more than any other form may have
    administrator = someone("administrator")
    brings(administrator, large, status=422).sees("This is not a ZIP file.")
    monkeypatch.setattr(page, "MOST_BYTES", 1_550_000)
    brings(administrator, large, status=413)
    stranger = StaffMember(site)
    answer = posts(stranger, ROSTER, {"roster": (io.BytesIO(large), "x.zip")})
    assert answer.status_code in (400, 413)
    administrator.opens("/staff/administration/staff")
    answer = administrator.client.post(
        "/staff/administration/staff", data={"name": "x" * 1_600_000}, base_url=administrator.base_url
    )
    assert answer.status_code == 413
