"""Putting a backup in the place of an office's data so that a power cut leaves the one or the other, never a mixture.

The backup is unpacked and checked beside the data. An order in a file of its own says how far the exchange is:
``prepared`` may still be called off, ``ready`` is carried through at the next opening, whatever happens.
"""

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from memory.disk import create_private, flush_file, flush_folder, replace_durably, told_by_system
from memory.errors import DiskFull
from memory.lifecycle.backup_file import BackupHead, BackupReader, damaged, read_head
from memory.lifecycle.backup_making import (
    DATABASE,
    SPARE,
    Watch,
    body_key,
    check_database,
    database_key,
)
from memory.locations import Locations
from resources.language import gettext as _

_ORDER = "order.json"
_PLACES = (DATABASE, "blobs", "workspace")
_BLOB = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be put in place: the backup's head, its body's hash, and how far the exchange is."""

    head: BackupHead
    path: str
    sha256: str
    size: int
    phase: Literal["prepared", "ready"] = "prepared"
    erased_again: dict[str, int] = field(default_factory=dict)

    def as_ready(self, erased_again: dict[str, int]) -> "Order":
        """Return the order that is carried through from now on."""
        return replace(self, phase="ready", erased_again=erased_again)


def unpacked(locations: Locations) -> Locations:
    """Return the paths of what is being put in place."""
    return Locations(locations.restoring)


def unpack(locations: Locations, path: Path, key: bytes, watch: Watch) -> Order:
    """Unpack a backup beside an office's data, check all of it, and leave the order to put it in place.

    ``key`` is the backup's own. Nothing of the office is touched. Raises BackupDamaged, DatabaseDamaged, DiskFull,
    BackupStopped or StorageError; then nothing is left.
    """
    discard(locations)
    size = path.stat().st_size if path.is_file() else 0
    watch.total = size
    _check_room(locations, size)
    staging = unpacked(locations)
    try:
        reader = BackupReader(path, body_key(key))
        staging.home.mkdir(mode=0o700)
        staging.blobs.mkdir(mode=0o700)
        staging.workspace.mkdir(mode=0o700)
        for file in reader.files():
            target = _target(staging, file.name, path)
            with os.fdopen(create_private(target), "wb") as opened:
                for piece in file.pieces:
                    opened.write(piece)
                    watch.step(len(piece))
                opened.flush()
                os.fsync(opened.fileno())
        if not staging.database.is_file():
            raise damaged(path)
        check_database(staging.database, database_key(key))
        for folder in (staging.blobs, staging.workspace, staging.home):
            flush_folder(folder)
        order = Order(read_head(path), str(path), reader.sha256, size)
        write_order(locations, order)
        return order
    except BaseException as error:
        discard(locations)
        if isinstance(error, OSError):
            raise told_by_system(error, staging.home) from error
        raise


def order_of(locations: Locations) -> Order | None:
    """Return the order that waits, None where there is none; what is left without an order is removed."""
    try:
        said = json.loads((locations.restoring / _ORDER).read_bytes())
        head = BackupHead(**{**said.pop("head"), "slots": tuple(said["slots"])})
        del said["slots"]
        return Order(head=head, **said)
    except (OSError, ValueError, KeyError, TypeError):
        discard(locations)
        return None


def write_order(locations: Locations, order: Order) -> None:
    """Keep an order; from ``ready`` on there is no way back but another restore. Raises StorageError."""
    path = locations.restoring / _ORDER
    said: dict[str, Any] = asdict(order)
    said["slots"] = list(said["head"].pop("slots"))
    temporary = path.with_suffix(".new")
    try:
        temporary.unlink(missing_ok=True)
        with os.fdopen(create_private(temporary), "wb") as file:
            file.write(json.dumps(said).encode())
            file.flush()
            os.fsync(file.fileno())
        replace_durably(temporary, path)
    except OSError as error:
        raise told_by_system(error, path) from error


def discard(locations: Locations) -> None:
    """Call off what is not ready and remove what was unpacked."""
    shutil.rmtree(locations.restoring, ignore_errors=True)


def put_in_place(locations: Locations) -> None:
    """Exchange the data for what was unpacked; called again after a crash, it goes on where it was.

    Only for an order that is ready, while no database is open. Raises StorageError.
    """
    staging, aside = locations.restoring, locations.replaced
    try:
        aside.mkdir(mode=0o700, exist_ok=True)
        for name in _PLACES:
            if not (staging / name).exists():
                continue  # it has its place already
            if name == DATABASE:
                # The log belongs to the database that goes, and would be read into the one that comes.
                for suffix in ("-wal", "-shm"):
                    (locations.home / (DATABASE + suffix)).unlink(missing_ok=True)
            if (aside / name).is_dir():
                (locations.home / name).rmdir()  # made empty when the office was opened after a crash
            elif (locations.home / name).exists():
                (locations.home / name).replace(aside / name)
            (staging / name).replace(locations.home / name)
            flush_folder(locations.home)
        locations.snapshot.unlink(missing_ok=True)
        # The order goes before the rest: what is left of the folder afterwards is removed at the next opening.
        (staging / _ORDER).unlink(missing_ok=True)
        flush_folder(staging)
        shutil.rmtree(staging)
        shutil.rmtree(aside)
    except OSError as error:
        raise told_by_system(error, locations.home) from error


def tidy(locations: Locations) -> None:
    """Remove what an exchange that was done left; only where no order waits."""
    shutil.rmtree(locations.replaced, ignore_errors=True)


def _target(staging: Locations, name: str, path: Path) -> Path:
    place, _slash, rest = name.partition("/")
    if name == DATABASE:
        return staging.database
    if place == "blobs" and _BLOB.fullmatch(rest):
        return staging.blobs / rest
    if place == "workspace" and rest:
        target = staging.workspace / rest
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return target
    raise damaged(path)


def _check_room(locations: Locations, size: int) -> None:
    # The database is written a second time when it gets the office's key.
    needed, free = 2 * size + SPARE, shutil.disk_usage(locations.home).free
    if free < needed:
        raise DiskFull(
            _(
                "Restoring needs {needed} MB and {folder} has {free} MB left: free some space. Nothing was changed."
            ).format(needed=-(-needed // 10**6), folder=locations.home, free=free // 10**6)
        )


def encrypt_anew(path: Path, former: bytes, key: bytes) -> None:
    """Give a closed database another 32-byte key, in place and durably. Raises StorageError."""
    from sqlcipher3 import dbapi2

    from memory.database import told

    try:
        driver = dbapi2.connect(str(path), isolation_level=None)
        try:
            driver.execute("PRAGMA cipher_log_level = NONE")
            driver.execute(f"PRAGMA key = \"x'{former.hex()}'\"")
            driver.execute("PRAGMA journal_mode = DELETE")
            driver.execute(f"PRAGMA rekey = \"x'{key.hex()}'\"")
        finally:
            driver.close()
    except dbapi2.Error as error:
        raise told(error) from error
    flush_file(path)
