"""Paths of the checkout and its modules, for tests that read files."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
ENGAGE = ROOT / "engage"


def modules() -> list[Path]:
    """Return every module of the code except migrations."""
    return sorted(path for path in ENGAGE.rglob("*.py") if "versions" not in path.parts)
