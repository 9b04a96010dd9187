"""The tables of a new office, made at once, and the mark that says which revision a database is at."""

from sqlalchemy import Connection, inspect, text

from memory.errors import DatabaseDamaged, DatabaseNewer
from memory.migrations import HEAD, REVISIONS
from memory.tables import Base
from resources.language import gettext as _

_VERSION_TABLE = """
    CREATE TABLE alembic_version (
        version_num VARCHAR(32) NOT NULL,
        CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
    )
"""


def create(connection: Connection) -> None:
    """Make every table and mark the database as today's, in the caller's transaction."""
    Base.metadata.create_all(connection)
    create_full_text(connection)
    connection.exec_driver_sql(_VERSION_TABLE)
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def create_full_text(connection: Connection) -> None:
    """Make the full-text tables, which are no mapped tables."""
    from memory.recall import full_text

    full_text.create(connection)


def revision_of(connection: Connection) -> str | None:
    """Return the revision a database is at, None where it is empty.

    Raises DatabaseNewer where a later Bureau wrote it, DatabaseDamaged where it is no office.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise DatabaseDamaged(
            _("This database is not one of Bureau's: choose another folder, or restore the newest backup.")
        )
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found not in REVISIONS:
        raise DatabaseNewer(
            _("A newer Bureau wrote this office (revision {found}): update Bureau to open it.").format(
                found=found
            )
        )
    return str(found)
