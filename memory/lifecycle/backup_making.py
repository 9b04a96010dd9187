"""Making a backup: a copy of the database's pages, the encrypted files it names, the agents' files; then a check.

The copy of the database is under a key derived from the backup's own, so a backup never holds the key of a database
that was in use.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from memory import integrity
from memory.database import told
from memory.disk import create_private, flush_file, told_by_system
from memory.errors import BackupDamaged, BackupStopped, DatabaseDamaged, DiskFull, ErasedMeanwhile
from memory.identifiers import new_id, now
from memory.lifecycle.backup_file import (
    CHUNK,
    ENDING,
    GONE,
    PART,
    BackupHead,
    BackupReader,
    BackupWriter,
    damaged,
    publish,
    shred,
)
from memory.lifecycle.erased import newest as newest_erased
from memory.locations import Locations
from memory.tables import BlobTable
from resources.language import gettext as _

Progress = Callable[[int, int], None]
"""Is told the bytes done and the bytes there are, roughly; from a worker thread."""

DATABASE = "office.db"
COPY = "copy-"
SPARE = 256 * 1024 * 1024
"""Bytes of a disk that no backup touches."""

_PAGES = 1024
_ASKED_EVERY = 64
"""Chunks between two looks at the space that is left."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watch:
    """How far the work is, and whether its owner called it off."""

    progress: Progress | None = None
    cancelled: Callable[[], bool] | None = None
    done: int = 0
    total: int = 0

    def step(self, size: int) -> None:
        """Add bytes that are done. Raises BackupStopped where it was called off."""
        if self.cancelled is not None and self.cancelled():
            raise BackupStopped(_("Stopped: nothing was changed."))
        self.done += size
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)


@dataclass(frozen=True, slots=True)
class DatabaseCopy:
    """A copy of the database on disk: ``blob_ids`` are the files it names, ``erased`` its newest tombstones."""

    path: Path
    sha256: str
    blob_ids: tuple[str, ...]
    erased: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Written:
    """A finished and checked backup, to be published at ``path``; ``sha256`` is of its body, ``size`` in bytes."""

    head: BackupHead
    path: Path
    sha256: str
    size: int
    facts: dict[str, Any]


def new_head(office: str, occasion: str, slots_for: Callable[[str], list[dict[str, Any]]]) -> BackupHead:
    """Return the head of a backup about to be made; ``slots_for`` wraps its key for a backup's id."""
    identifier = new_id()
    return BackupHead(identifier, office, now(), occasion, tuple(slots_for(identifier)))


def file_name(head: BackupHead) -> str:
    """Return the name of a backup's file: when it was made, and the beginning of its id."""
    from datetime import UTC, datetime

    stamp = datetime.fromtimestamp(head.made_at / 1000, UTC).strftime("%Y-%m-%d %H.%M.%S")
    return f"Bureau {stamp} {head.id[:8]}{ENDING}"


def database_key(key: bytes) -> bytes:
    """Return the 32-byte key of the database in a backup, from the backup's own key."""
    return _derive(key, b"bureau/v1/backup-database")


def body_key(key: bytes) -> bytes:
    """Return the 32-byte key of the body of a backup, from the backup's own key."""
    return _derive(key, b"bureau/v1/backup-body")


def check_room(locations: Locations, folder: Path) -> int:
    """Return about how many bytes a backup will have. Raises DiskFull before anything is written."""
    database = sum(_size(locations.database.with_name(DATABASE + end)) for end in ("", "-wal"))
    files = sum(_size(path) for place in (locations.blobs, locations.workspace) for path in _walk(place))
    needed = {locations.backups: database, folder: database + files}
    if _same_disk(locations.backups, folder):
        needed = {folder: 2 * database + files}
    for place, size in needed.items():
        free = shutil.disk_usage(place).free
        if free < size + SPARE:
            raise DiskFull(
                _(
                    "The backup needs {needed} MB and {folder} has {free} MB left: free some space, or choose "
                    "another folder. Nothing was written."
                ).format(needed=-(-(size + SPARE) // 10**6), folder=place, free=free // 10**6)
            )
    return 2 * database + 2 * files


def copy_database(session: Session, target: Path, key: bytes, watch: Watch) -> DatabaseCopy:
    """Copy the database of an open session page by page under another key and check the copy as a whole.

    The copy shows the database as it was at one instant. Raises BackupStopped, DatabaseDamaged, StorageError.
    """
    connection = session.connection()
    blob_ids = tuple(session.scalars(select(BlobTable.id).order_by(BlobTable.id)))
    marks = newest_erased(session)
    copy_pages(connection, target, key, watch)
    check_database(target, key)
    return DatabaseCopy(target, _digest(target), blob_ids, marks)


def copy_pages(connection: Connection, target: Path, key: bytes, watch: Watch | None = None) -> None:
    """Copy a database page by page into a new file under a key of 32 bytes; it is on disk on return."""
    from sqlcipher3 import dbapi2

    source: Any = connection.connection.driver_connection
    page = int(source.execute("PRAGMA page_size").fetchone()[0])  # SQLCipher gives text
    before = 0

    def copied(_status: int, remaining: int, total: int) -> None:
        nonlocal before
        if watch is not None:
            watch.step((total - remaining - before) * page)
        before = total - remaining

    os.close(create_private(target))
    try:
        driver = dbapi2.connect(str(target), isolation_level=None)
        try:
            driver.execute("PRAGMA cipher_log_level = NONE")
            driver.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            source.backup(driver, pages=_PAGES, progress=copied, sleep=0)
        finally:
            driver.close()
    except dbapi2.Error as error:
        raise told(error) from error
    flush_file(target)


def check_database(path: Path, key: bytes) -> None:
    """Read every page of a closed database. Raises DatabaseDamaged with what was found first."""
    if problems := integrity.problems_in(path, key, read_only=True):
        raise DatabaseDamaged(
            _(
                "The database is damaged ({problem}): run “bureau doctor”, or restore the newest backup."
            ).format(problem=problems[0])
        )


def write_backup(
    locations: Locations,
    folder: Path,
    head: BackupHead,
    key: bytes,
    copy: DatabaseCopy,
    watch: Watch,
    *,
    missing: Collection[str] = (),
) -> Written:
    """Write and verify a backup of a copied database and of the office's files; the copy stays.

    It is not published yet: first it is noted, so that a crash leaves no copy that nobody knows of.

    ``missing`` are ids of files known to be lost: the backup goes without them and says how many they are.
    Raises ErasedMeanwhile where a file is gone, BackupStopped, DiskFull, BackupDamaged or StorageError; then
    nothing of it is left.
    """
    path = folder / file_name(head)
    try:
        writer = BackupWriter(path, head, body_key(key))
    except OSError as error:
        raise told_by_system(error, folder) from error
    try:
        left_out = lost = 0
        with copy.path.open("rb") as database:
            writer.add(DATABASE, _watched(_read(database), watch, folder))
        for blob_id in copy.blob_ids:
            file = locations.blobs / blob_id
            if not file.exists():
                if blob_id not in missing:
                    raise ErasedMeanwhile(blob_id)
                lost += 1
                continue
            # Opened before it is named: a file erased from here on is still read to its end.
            with file.open("rb") as opened_blob:
                writer.add(f"blobs/{blob_id}", _watched(_read(opened_blob), watch, folder))
        for file in _walk(locations.workspace):
            name = f"workspace/{file.relative_to(locations.workspace).as_posix()}"
            try:
                with file.open("rb") as opened:
                    writer.add(name, _watched(_read(opened), watch, folder))
            except PermissionError as error:
                _log.info("a file of the workspace is left out of the backup: %s", error.strerror)
                left_out += 1
        facts = {"files": len(copy.blob_ids) - lost, "lost": lost, "left_out": left_out}
        sha256 = writer.finish(facts)
        _verify(writer.part, body_key(key), sha256, copy.sha256, watch)
        return Written(head, path, sha256, writer.part.stat().st_size, facts)
    except BaseException as error:
        writer.abandon()
        if isinstance(error, OSError):
            raise told_by_system(error, folder) from error
        raise


def verify(path: Path, key: bytes, watch: Watch) -> BackupReader:
    """Read a whole backup and check every hash in it; return its reader. Raises BackupDamaged or BackupStopped."""
    reader = BackupReader(path, body_key(key))
    for file in reader.files():
        for piece in file.pieces:
            watch.step(len(piece))
    return reader


def sweep(locations: Locations, folder: Path, noted: Collection[str] = ()) -> int:
    """Remove what a killed backup or removal left half-done; return how many files. Only while none is being made.

    What is whole and ``noted``, by its path, is published instead.
    """
    removed = 0
    for place, pattern in (
        (locations.backups, f"{COPY}*"),
        (folder, f"*{ENDING}*{GONE}"),
        (folder, f"*{ENDING}{PART}"),
    ):
        for path in place.glob(pattern) if place.is_dir() else ():
            final = path.with_name(path.name.removesuffix(PART))
            with suppress(OSError):  # a folder that may be read only: the file is noise and harms nobody
                if str(final) in noted and not final.exists():
                    publish(final)
                    continue
                shred(path)
                removed += 1
    return removed


def _verify(path: Path, key: bytes, sha256: str, database_sha256: str, watch: Watch) -> None:
    reader = BackupReader(path, key)
    for file in reader.files():
        digest = hashlib.sha256()
        for piece in file.pieces:
            digest.update(piece)
            watch.step(len(piece))
        if file.name == DATABASE and digest.hexdigest() != database_sha256:
            raise damaged(path)
    if reader.sha256 != sha256:
        raise BackupDamaged(
            _("The disk gave back something else than was written: choose another folder for backups.")
        )


def _watched(pieces: Iterator[bytes], watch: Watch, folder: Path) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        watch.step(len(piece))
        if number % _ASKED_EVERY == 0 and shutil.disk_usage(folder).free < SPARE // 2:
            raise DiskFull(
                _("The disk with {folder} filled up: free some space, or choose another folder.").format(
                    folder=folder
                )
            )
        yield piece


def _read(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the plain files below a folder in order; links are not followed and not kept."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _same_disk(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _derive(key: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, None, purpose).derive(key)
