#!/usr/bin/env python3
"""For developers, after changing a table: .venv/bin/python .ci/draft_migration.py 0002_what_changes
writes engage/storage/migrations/versions/0002_what_changes.py from the difference between migrations and models,
and pins it in HEAD. Read it before you keep it: Alembic does not see a changed CHECK, a new name or moved rows."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from engage.storage.engine import MIGRATIONS, connect
from engage.storage.upgrade import alembic_config, upgrade

VERSIONS = MIGRATIONS / "versions"
INDEX = r"        batch_op\.create_index\((?:batch_op\.f\()?('\w+')\)?, (.*), unique=(\w+)\)\n"
INDEXES = re.compile(rf"    with op\.batch_alter_table\(('\w+'), schema=None\) as batch_op:\n((?:{INDEX})+)\n")


def draft(name: str) -> Path:
    """The new migration's file."""
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'draft.db'}")
        if any(VERSIONS.glob("[0-9]*.py")):
            upgrade(engine)
        with engine.connect() as connection:
            config = alembic_config(connection)
            config.set_main_option("file_template", "%%(rev)s")
            message = name.split("_", 1)[1].replace("_", " ").capitalize()
            command.revision(config, message, autogenerate=True, rev_id=name)
        engine.dispose()
    return VERSIONS / f"{name}.py"


def tidy(path: Path) -> None:
    """Take out the generator's chatter; an index needs no batch."""
    text = re.sub(r"    # ###.*\n", "", path.read_text("utf-8"))
    path.write_text(INDEXES.sub(_plain_indexes, text), "utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=True)  # noqa: S603  our own command


def _plain_indexes(found: re.Match[str]) -> str:
    return re.sub(INDEX, rf"    op.create_index(\1, {found[1]}, \2, unique=\3)\n", found[2]) + "\n"


tidy(draft(sys.argv[1]))
(MIGRATIONS / "HEAD").write_text(sys.argv[1] + "\n", "utf-8")
