"""The shipped surveys, by slug."""

from functools import lru_cache
from pathlib import Path

from engage.base.languages import shipped_folder
from engage.questionnaire.model import Survey
from engage.questionnaire.parser import read_survey


def survey_files(folder: Path | None = None) -> dict[str, Path]:
    """Return the survey files by slug, in alphabetical order. A file is named after its slug."""
    return {path.stem: path for path in sorted((folder or shipped_folder("surveys")).glob("*.toml"))}


def shipped_survey(slug: str, folder: Path | None = None) -> Survey:
    """Return the survey with this slug. Raises KeyError, which lists the valid slugs, or SurveyProblems for an invalid
    file."""
    files = survey_files(folder)
    if slug not in files:
        raise KeyError(f'there is no survey "{slug}"; there are {", ".join(files) or "none"}')
    return _read_cached_survey(files[slug], files[slug].stat().st_mtime_ns)


def shipped_surveys(folder: Path | None = None) -> list[Survey]:
    """Return every shipped survey."""
    return [_read_cached_survey(path, path.stat().st_mtime_ns) for path in survey_files(folder).values()]


@lru_cache(maxsize=64)
def _read_cached_survey(path: Path, _changed: int) -> Survey:
    """Read a survey file. Cached; `_changed` is its modification time in ns, so that a changed file is read again."""
    return read_survey(path)
