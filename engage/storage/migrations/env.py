"""Run by Alembic, on the connection that engage.storage.upgrade hands over. There is no alembic.ini."""

from alembic import context

import engage.storage.models  # noqa: F401  every table joins Base.metadata
from engage.storage.models.base import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    transactional_ddl=True,  # a step that fails leaves nothing behind, on SQLite too
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
