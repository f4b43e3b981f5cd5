"""The shipped surveys, by slug: the current version of each, and earlier versions in the folder `earlier`, so that a
trend can be shown from them."""

from functools import lru_cache
from pathlib import Path

from engage.base.languages import shipped_folder
from engage.questionnaire.model import Survey
from engage.questionnaire.parser import read_survey

EARLIER = "earlier"


def survey_files(folder: Path | None = None) -> dict[str, Path]:
    """Return the files of the current surveys by slug, in alphabetical order. A file is named after its slug."""
    return {path.stem: path for path in sorted((folder or shipped_folder("surveys")).glob("*.toml"))}


def shipped_survey(slug: str, folder: Path | None = None, version: int | None = None) -> Survey:
    """Return the survey with this slug, the current version by default. Raises KeyError, which lists the valid slugs,
    or SurveyProblems for an invalid file."""
    files = survey_files(folder)
    if slug not in files:
        raise KeyError(f'there is no survey "{slug}"; there are {", ".join(files) or "none"}')
    current = _read_cached_survey(files[slug], files[slug].stat().st_mtime_ns)
    if version in (None, current.version):
        return current
    path = files[slug].parent / EARLIER / f"{slug}-{version}.toml"
    if not path.is_file():
        raise KeyError(f'there is no version {version} of the survey "{slug}"')
    return _read_cached_survey(path, path.stat().st_mtime_ns)


def shipped_surveys(folder: Path | None = None) -> list[Survey]:
    """Return the current version of every shipped survey."""
    return [_read_cached_survey(path, path.stat().st_mtime_ns) for path in survey_files(folder).values()]


def earlier_surveys(folder: Path | None = None) -> list[Survey]:
    """Return the earlier versions of all surveys."""
    paths = sorted((folder or shipped_folder("surveys")).glob(f"{EARLIER}/*.toml"))
    return [_read_cached_survey(path, path.stat().st_mtime_ns) for path in paths]


@lru_cache(maxsize=64)
def _read_cached_survey(path: Path, _changed: int) -> Survey:
    """Read a survey file. Cached; `_changed` is its modification time in ns, so that a changed file is read again."""
    return read_survey(path)
