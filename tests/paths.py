"""Where the checkout and its modules are, for tests that read files."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
ENGAGE = ROOT / "engage"


def modules() -> list[Path]:
    """Every module of the code but the migrations' steps."""
    return sorted(path for path in ENGAGE.rglob("*.py") if "versions" not in path.parts)
