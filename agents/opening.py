"""From a folder to the stores of an open office: lock, vault, database and encrypted files."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from agents.roster import seed
from memory.blobs import BlobStore, drop_unreferenced
from memory.database import Database
from memory.disk import told_by_system
from memory.errors import DatabaseKeyWrong, Refused
from memory.locations import Locations
from memory.office_store import office_id, open_database
from memory.ownership import OwnerLock
from resources.language import gettext as _
from vault import destroying
from vault.office_keys import Vault, open_vault
from vault.secret import Secret

if TYPE_CHECKING:
    from agents.lifecycle.going_back import WentBack
    from memory.lifecycle.backup_making import Written


def open_stores(
    locations: Locations, passphrase: Secret | None, vault: Vault | None
) -> tuple[OwnerLock, Vault, Database, BlobStore, str, "WentBack | None"]:
    """Take the office's lock and open what keeps it. Blocks.

    Its erasure, restore, upgrade or change of keys is carried through before.

    Raises OfficeInUse, another StorageError or VaultError; then everything is let go.
    """
    try:
        locations.create()
    except (FileExistsError, NotADirectoryError) as error:
        raise Refused(
            _("{path} is no folder, or lies in a file: choose another place for the office.").format(
                path=locations.home
            )
        ) from error
    except OSError as error:
        raise told_by_system(error, locations.home) from error
    lock = OwnerLock.acquire(locations)
    try:
        if destroying.is_being_erased(locations.home):
            _erase_the_rest(locations)
        vault = vault or open_vault(locations.home, passphrase=passphrase)
        opened = vault
        went_back = _go_back(locations, opened)
        database = _database(locations, vault)
    except BaseException:
        lock.release()
        raise
    try:
        store = BlobStore(locations.blobs)
        # Only here, before any file is written: a file that has no row yet must not look like a leftover.
        store.sweep(database.write_now(drop_unreferenced))
        return lock, vault, database, store, database.write_now(_furnish), went_back
    except BaseException:
        database.close()
        lock.release()
        raise


def _erase_the_rest(locations: Locations) -> None:
    """Go on with erasing an office that a crash cut short; what stands there afterwards is none."""
    from memory.lifecycle import remains

    destroying.finish(locations.home)
    remains.remove(locations, but=(locations.lock,))


def _go_back(locations: Locations, vault: Vault) -> "WentBack | None":
    """Carry out a restore that waits, if one does."""
    if not locations.restoring.exists() and not locations.replaced.exists():
        return None
    from agents.lifecycle.going_back import finish

    return finish(locations, vault, lambda: _database(locations, vault))


def _database(locations: Locations, vault: Vault) -> Database:
    """Open the database with the current key or, where a crash cut a change of keys short, with the pending one."""
    made: list[Written] = []

    def back_up(database: Database) -> None:
        from agents.lifecycle.before_upgrade import back_up_before_upgrade

        made.append(back_up_before_upgrade(locations, vault, database))

    def opened(key: bytes) -> Database:
        return open_database(locations, key, back_up)

    settle: Callable[[], None] = lambda: None  # noqa: E731  one of three ways
    pending = vault.keys.pending_database_key
    try:
        database = opened(vault.keys.database_key)
        if pending is not None:
            settle = vault.abandon_rekey
    except DatabaseKeyWrong:
        if pending is None:
            raise
        database = opened(pending)
        settle = vault.finish_rekey
    try:
        settle()
        if made:
            from memory.lifecycle import backups

            for written in made:
                database.write_now(backups.add, written)
    except BaseException:
        database.close()
        raise
    return database


def _furnish(session: Session) -> str:
    seed(session)
    return office_id(session)
