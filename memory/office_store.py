"""Opening the database of an office by the process that owns it: make it, bring it up to date, tidy it."""

from collections.abc import Callable

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from memory.database import Database
from memory.disk import told_by_system
from memory.identifiers import new_id, now
from memory.locations import Locations
from memory.migrations import HEAD, schema
from memory.runs import interrupt_unfinished
from memory.tables import OfficeTable, SyncSpaceTable


def open_database(
    locations: Locations, key: bytes, before_upgrade: Callable[[Database], None] = lambda database: None
) -> Database:
    """Open the office's database with its 32-byte key, ready for use; blocks.

    A new one is made, an older one brought up to date from a verified snapshot, and what a crash left under
    way is marked as interrupted. ``before_upgrade`` is given the older one as it is, and may raise to leave it so.
    Only for the owner of the office's lock. Raises DatabaseKeyWrong, DatabaseDamaged, DatabaseNewer,
    MigrationFailed, DiskFull or DiskReadOnly.
    """
    try:
        locations.create()
    except OSError as error:
        raise told_by_system(error, locations.home) from error
    database = Database.open(locations.database, key)
    try:
        revision = database.write_now(_make_if_empty)
        if revision != HEAD:
            before_upgrade(database)
            database.close()
            from memory.migrations.upgrade import upgrade

            upgrade(locations.database, key, locations.backups, revision=revision)
            database = Database.open(locations.database, key)
        database.write_now(interrupt_unfinished)
        database.write_now(_meet_tables)
    except BaseException:
        database.close()
        raise
    return database


def office_id(session: Session) -> str:
    """Return the id of this office, made once and kept for ever."""
    return session.scalars(select(OfficeTable.id)).one()


def _meet_tables(session: Session) -> None:
    """Let an office that syncs note its edits in the tables as they are now."""
    if session.scalar(select(exists().where(SyncSpaceTable.id.is_not(None)))):
        # Imported here, so that an office that does not sync opens without it.
        from memory.sync import space

        space.meet_tables(session)


def _make_if_empty(session: Session) -> str:
    connection = session.connection()
    revision = schema.revision_of(connection)
    if revision is None:
        schema.create(connection)
        session.add(OfficeTable(id=new_id(), created_at=now()))
        return HEAD
    return revision
