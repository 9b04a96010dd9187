"""Alembic's entry: runs the revisions on the connection that ``memory.migrations.upgrade`` opened.

The connection is in a transaction already, so a revision is done whole or not at all.
"""

from alembic import context  # noqa: TID253 (only Alembic imports this module)

from memory.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
context.run_migrations()
