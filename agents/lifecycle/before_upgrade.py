"""The backup that is made of a whole office before its database is brought up to date by a later Bureau."""

import secrets
from pathlib import Path

from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from memory import settings
from memory.database import Database, engine, told
from memory.disk import told_by_system
from memory.errors import StorageError
from memory.lifecycle.backup_file import publish
from memory.lifecycle.backup_making import (
    COPY,
    DatabaseCopy,
    Watch,
    Written,
    check_room,
    copy_database,
    database_key,
    new_head,
    write_backup,
)
from memory.locations import Locations
from vault.office_keys import Vault

MARK = ".bureau-backups"
"""A file in each folder that was chosen: a mount point without its disk does not have it."""


def back_up_before_upgrade(locations: Locations, vault: Vault, database: Database) -> Written:
    """Back up an office whose database is still of an earlier form; who opens it notes the backup afterwards. Blocks.

    Goes to the office's own folder where the chosen one is out of reach. Raises StorageError; then the upgrade is
    not begun, and nothing of the backup is left.
    """
    folder = _folder(locations, database)
    check_room(locations, folder)
    key = secrets.token_bytes(32)
    head = new_head(vault.office_id, "migration", lambda identifier: vault.wrap_backup_key(identifier, key))
    place = locations.backups / f"{COPY}{head.id}"
    watch = Watch()
    try:
        copy = _copy(database, place, database_key(key), watch)
        lost = {blob_id for blob_id in copy.blob_ids if not (locations.blobs / blob_id).exists()}
        written = write_backup(locations, folder, head, key, copy, watch, missing=lost)
        publish(written.path)
        return written
    except OSError as error:
        raise told_by_system(error, folder) from error
    finally:
        place.unlink(missing_ok=True)


def _copy(database: Database, place: Path, key: bytes, watch: Watch) -> DatabaseCopy:
    # Only a connection that does not write can be copied from.
    reader = engine(database.path, database.key, read_only=True)
    try:
        with Session(reader) as session, session.begin():
            return copy_database(session, place, key, watch)
    except DatabaseError as error:
        raise told(error) from error
    finally:
        reader.dispose()


def _folder(locations: Locations, database: Database) -> Path:
    try:
        chosen = database.write_now(settings.value, "backup.folder").get("path")
    except StorageError:  # an earlier form may keep settings otherwise
        return locations.backups
    return Path(chosen) if chosen and (Path(chosen) / MARK).exists() else locations.backups
