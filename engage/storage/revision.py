"""How far a database has come, without loading what upgrades it."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """The newest revision this version knows. Pinned in a file, so that two branches collide in git, not at night."""
    return (MIGRATIONS / "HEAD").read_text("utf-8").strip()


def current_revision(engine: Engine) -> str | None:
    """The revision the database stands at; None for an empty one."""
    with engine.execution_options(reads=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()
