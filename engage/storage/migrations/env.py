"""Alembic environment. Runs on the connection passed by engage.storage.upgrade; there is no alembic.ini."""

from alembic import context

import engage.storage.models  # noqa: F401  every table joins Base.metadata
from engage.storage.models.base import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by rebuilding it
    transactional_ddl=True,  # a failed step is rolled back completely, on SQLite too
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
