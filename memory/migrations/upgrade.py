"""Bringing an older database up to date: a verified snapshot before each revision; on failure back to it."""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from memory import integrity
from memory.database import engine, told
from memory.disk import create_private, flush_folder, told_by_system
from memory.errors import DatabaseDamaged, MigrationFailed
from memory.migrations import REVISIONS
from resources.language import gettext as _

_log = logging.getLogger(__name__)
FOLDER = Path(__file__).parent
_KEPT = 3
"""Snapshots of earlier upgrades that stay."""


def upgrade(path: Path, key: bytes, backups: Path, *, revision: str) -> None:
    """Take a closed database from its revision to today's, one revision after the other.

    Raises MigrationFailed with the database as it was before the revision that failed, DiskFull or
    DatabaseDamaged with it untouched.
    """
    for target in REVISIONS[REVISIONS.index(revision) + 1 :]:
        snapshot = take_snapshot(path, key, backups, name=f"before-{target}")
        try:
            run_revision(path, key, target)
        except Exception as error:
            # Whatever a revision may raise, the database is put back as it was.
            restore_snapshot(snapshot, path, key)
            _log.exception("migration to %s failed", target)
            raise MigrationFailed(
                _(
                    "The office could not be brought up to date and was left as it was: use the earlier "
                    "version of Bureau and report this (revision {target})."
                ).format(target=target)
            ) from error
    for old in sorted(backups.glob("before-*.db"), key=lambda file: file.stat().st_mtime)[:-_KEPT]:
        old.unlink()


def run_revision(path: Path, key: bytes, target: str) -> None:
    """Run one revision on a closed database in one transaction, without a snapshot.

    Raises whatever the revision raises, or DatabaseDamaged where rows have lost what they refer to.
    """
    from alembic import command
    from alembic.config import Config

    from memory.sync import hooks

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    with_engine = engine(path, key)
    try:
        with with_engine.connect() as connection:
            # A rebuilt table is dropped on the way, which must not take the rows that refer to it along.
            _driver(connection).execute("PRAGMA foreign_keys = OFF")
            with connection.begin():
                # They name tables that a revision may rebuild; opening makes those that the new tables demand.
                hooks.drop(connection)
                config.attributes["connection"] = connection
                command.upgrade(config, target)
                problems = integrity.structure(connection)
                if problems:
                    raise DatabaseDamaged("; ".join(problems))
    finally:
        with_engine.dispose()


def take_snapshot(path: Path, key: bytes, backups: Path, *, name: str) -> Path:
    """Write an encrypted copy of the database under the same key, check it as a whole and return its path.

    Raises DiskFull, DiskReadOnly or DatabaseDamaged; then no copy is left.
    """
    # A copy of a damaged index is sound, so the copy alone proves nothing about the original.
    _check(path, key)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    snapshot = backups / f"{name}-{stamp}.db"
    try:
        os.close(create_private(snapshot))
        with_engine = engine(path, key)
        try:
            with with_engine.connect() as connection:
                # VACUUM runs in no transaction, so it goes past the engine's own BEGIN.
                _driver(connection).execute("VACUUM INTO ?", (str(snapshot),))
        finally:
            with_engine.dispose()
        _check(snapshot, key)
        descriptor = os.open(snapshot, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        flush_folder(backups)
    except BaseException as error:
        snapshot.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise told_by_system(error, snapshot) from error
        if isinstance(error, DatabaseError) or type(error).__module__.startswith("sqlcipher3"):
            raise told(error) from error  # type: ignore[arg-type]  # the driver has no types
        raise
    return snapshot


def restore_snapshot(snapshot: Path, path: Path, key: bytes) -> None:
    """Put a closed database back to a snapshot, whole or not at all. Raises a StorageError."""
    _check(snapshot, key)
    temporary = path.with_name(path.name + ".restored")
    try:
        temporary.unlink(missing_ok=True)
        with os.fdopen(create_private(temporary), "wb") as target, snapshot.open("rb") as source:
            while piece := source.read(1 << 20):
                target.write(piece)
            target.flush()
            os.fsync(target.fileno())
        # The log belongs to the database that goes: first away with it, or it would be read into the new one.
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        temporary.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise told_by_system(error, path) from error


def _check(database: Path, key: bytes) -> None:
    if problems := integrity.problems_in(database, key):
        raise DatabaseDamaged(
            _("The database is damaged ({problem}): restore the newest backup before updating.").format(
                problem=problems[0]
            )
        )


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
