"""Going back to a backup, in the same office or in a new folder. The exchange itself is made while nothing is open."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from agents.events import EventBus
from agents.indexing import index_said
from agents.lifecycle.backing_up import Backups
from memory import audit
from memory.blobs import Blob
from memory.database import Database
from memory.disk import told_by_system
from memory.errors import DatabaseKeyWrong, Refused, StorageError
from memory.lifecycle import backups, going_forward, reports, restoring
from memory.lifecycle.backup_file import read_head
from memory.lifecycle.backup_making import Watch, Written, database_key
from memory.lifecycle.erasure import erase
from memory.lifecycle.going_forward import Carried
from memory.lifecycle.restoring import Order
from memory.locations import Locations
from memory.office_store import open_database
from memory.ownership import OwnerLock
from memory.sync import space
from resources.language import gettext as _
from vault import backup_keys
from vault.errors import VaultError
from vault.office_keys import Vault, open_vault
from vault.secret import Secret

STEPS = ("saved", "taken over", "encrypted", "ready", "in place")
"""What the exchange goes through; ``step`` hears each name once it is reached."""

Step = Callable[[str], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WentBack:
    """What became of a restore at this opening.

    ``made_at`` is the instant the office shows now; ``erased_again`` counts, by kind, what was in the backup and had
    been erased since. ``failure`` says why the office is as it was instead.
    """

    made_at: int
    erased_again: dict[str, int] = field(default_factory=dict)
    failure: str = ""


def prepare(locations: Locations, vault: Vault, path: Path, watch: Watch) -> Order:
    """Unpack and check a backup of this office beside its data; the next opening puts it in place. Blocks.

    Raises Refused for one of another office, BackupDamaged, DiskFull, BackupStopped, StorageError or VaultError.
    """
    head = read_head(path)
    if head.office != vault.office_id:
        raise Refused(_("This backup is of another office: restore it into an empty folder with --home."))
    key = vault.open_backup_key(head.id, list(head.slots))
    return restoring.unpack(locations, path, key, watch)


def finish(
    locations: Locations,
    vault: Vault,
    open_now: Callable[[], Database],
    step: Step = lambda name: None,
) -> WentBack | None:
    """Carry out the order that waits, if one does; called by the owner of the lock while nothing is open. Blocks.

    The present state is backed up first. Raises StorageError only where the exchange itself was cut short; the next
    opening goes on with it.
    """
    order = restoring.order_of(locations)
    if order is None:
        restoring.tidy(locations)
        return None
    if order.phase == "prepared":
        try:
            order = _make_ready(locations, vault, order, open_now, step)
        except (StorageError, VaultError) as error:
            _log.warning("going back to a backup was given up: %s", error)
            restoring.discard(locations)
            return WentBack(order.head.made_at, failure=str(error))
    restoring.put_in_place(locations)
    step("in place")
    return WentBack(order.head.made_at, order.erased_again)


def restore_into_new(
    locations: Locations,
    path: Path,
    *,
    words: Secret | None = None,
    passphrase: Secret | None = None,
    watch: Watch | None = None,
) -> WentBack:
    """Make an office out of a backup in a folder that has none; it opens with new keys of its own. Blocks.

    The backup opens with the recovery key's ``words``, else with its ``passphrase``, which the new office then has
    too. Raises Refused where there is an office already, BackupDamaged, DiskFull, StorageError or VaultError.
    """
    try:
        locations.create()
    except OSError as error:
        raise told_by_system(error, locations.home) from error
    lock = OwnerLock.acquire(locations)
    try:
        if locations.database.exists():
            raise Refused(
                _("There is an office in {folder} already: name an empty folder with --home.").format(
                    folder=locations.home
                )
            )
        head = read_head(path)
        slots = list(head.slots)
        if words is not None:
            key = backup_keys.open_by_recovery(slots, head.office, head.id, words)
        elif passphrase is not None:
            key = backup_keys.open_by_passphrase(slots, head.office, head.id, passphrase)
        else:
            raise Refused(_("Give the recovery key of the backup, or its passphrase with --passphrase-file."))
        order = restoring.unpack(locations, path, key, watch or Watch())
        vault = open_vault(locations.home, passphrase=passphrase)
        staging = restoring.unpacked(locations)
        database = open_database(staging, database_key(key))
        try:
            database.write_now(_arrived, order)
        finally:
            database.close()
        restoring.encrypt_anew(staging.database, database_key(key), vault.keys.database_key)
        restoring.write_order(locations, order.as_ready({}))
        restoring.put_in_place(locations)
        return WentBack(order.head.made_at)
    except BaseException:
        restoring.discard(locations)
        raise
    finally:
        lock.release()


def _make_ready(
    locations: Locations, vault: Vault, order: Order, open_now: Callable[[], Database], step: Step
) -> Order:
    key = vault.open_backup_key(order.head.id, list(order.head.slots))
    staging = restoring.unpacked(locations)
    present = open_now()
    try:
        asyncio.run(Backups(present, vault, locations, EventBus()).make("restore"))
        step("saved")
        carried = present.write_now(going_forward.carry)
    finally:
        present.close()
    restored, encrypted = _opened(staging, database_key(key), vault.keys.database_key)
    try:
        counts, blobs = restored.write_now(_take_over, carried, order)
    finally:
        restored.close()
    for blob in blobs:
        (staging.blobs / blob.id).unlink(missing_ok=True)
    step("taken over")
    if not encrypted:
        restoring.encrypt_anew(staging.database, database_key(key), vault.keys.database_key)
    step("encrypted")
    ready = order.as_ready(counts)
    restoring.write_order(locations, ready)
    step("ready")
    return ready


def _opened(staging: Locations, key: bytes, later: bytes) -> tuple[Database, bool]:
    """Open what was unpacked; True with it where a crash came after it got the office's key."""
    try:
        return open_database(staging, key), False
    except DatabaseKeyWrong:
        return open_database(staging, later), True


def _take_over(session: Session, carried: Carried, order: Order) -> tuple[dict[str, int], tuple[Blob, ...]]:
    going_forward.take_over(session, carried)
    subjects = going_forward.come_back(session)
    counts: dict[str, int] = {}
    blobs: tuple[Blob, ...] = ()
    if subjects:
        going_forward.let_go(session, subjects)
        gone = erase(session, list(subjects), reason="owner", reindex=index_said)
        blobs = gone.blobs
        for subject in subjects:
            counts[subject.kind] = counts.get(subject.kind, 0) + 1
        reports.conclude(session, gone.report_id, "quick", "cut_short", {"replayed": len(subjects)})
    _arrived(session, order, counts)
    return counts, blobs


def _arrived(session: Session, order: Order, counts: dict[str, int] | None = None) -> None:
    # What it knew of the owner's other devices is old: it joins them again, and is given everything anew.
    space.leave(session)
    backups.add(session, Written(order.head, Path(order.path), order.sha256, order.size, {}))
    audit.append(session, "backup restored", order.head.id, {"erased again": counts or {}})
