"""Backups of records and keys, and the way back. The ledger and the service's secret are replicated, never restored.

Records are sealed with a key of their day, which lies among the keys and is destroyed with the horizon: an old copy
that somebody kept opens no more. The backup of the keys replaces the one of the day before.
"""

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, insert, make_url, select

from memory.sync.hosted import replaying
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.sealed_file import day_of, open_file, seal_file
from memory.sync.hosted.service import Service
from memory.sync.hosted.store import Store
from memory.sync.hosted.tables.keys import backup_keys
from resources.language import gettext as _

KEYS_FILE = "keys.backup"


@dataclass(frozen=True, slots=True)
class Backup:
    """The two files of a backup."""

    records: Path
    keys: Path


async def back_up(service: Service, folder: Path) -> Backup:
    """Write a backup of the records of this moment, replace that of the keys, and drop what is beyond the horizon."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)
    key = await _key_of_today(service)
    done = Backup(folder / f"records-{service.today}-{service.now()}.backup", folder / KEYS_FILE)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        plain = Path(scratch) / "records"
        await _dump(service.stores.records, plain)
        await asyncio.to_thread(seal_file, plain, done.records, service.today, key)
        fresh = Path(scratch) / "keys"
        await _dump(service.stores.keys, fresh)
        await asyncio.to_thread(os.replace, fresh, done.keys)
    await replaying.mark_tide(service)
    await drop_old(service, folder)
    return done


async def drop_old(service: Service, folder: Path | None = None) -> None:
    """Destroy the keys of backups beyond the horizon, and their files where the folder is known."""
    first = service.today - service.settings.records_backup_horizon_days
    async with service.stores.keys.write() as keys:
        await keys.execute(delete(backup_keys).where(backup_keys.c.day < first))
    await service.stores.keys.checkpoint()
    if folder is not None:
        await asyncio.to_thread(_unlink_before, folder, first)


def _unlink_before(folder: Path, first: int) -> None:
    for file in sorted(folder.glob("records-*.backup")):
        if day_of(file) < first:
            file.unlink()


async def restore(service: Service, records: Path | None, keys: Path | None) -> None:
    """Bring a backup back into a service that is stopped, and replay the ledger over it.

    Nothing that is here goes before all that is brought was found whole. Raises ServiceFault.
    """
    with ExitStack() as scratches:
        whole: list[tuple[Store, Path]] = []
        if keys is not None:
            whole.append((service.stores.keys, await _checked(service.stores.keys, keys, scratches)))
        if records is not None:
            day = await asyncio.to_thread(day_of, records)
            key = await _key_of(service, day, whole[0][1] if whole else None)
            if key is None:
                raise ServiceFault(
                    _(
                        "The key of the backup {file} was destroyed with its horizon; take a newer one."
                    ).format(file=records)
                )
            plain = _scratch(service.settings.data, scratches) / "records"
            with _brought(records):
                await asyncio.to_thread(open_file, records, plain, key)
            whole.append((service.stores.records, await _checked(service.stores.records, plain, scratches)))
        for store, source in whole:
            await _put(store, source)
    for store in service.stores:
        await store.create()
    await replaying.replay(service)
    await replaying.mark_tide(service)


async def _key_of_today(service: Service) -> bytes:
    place = backup_keys.c.day == service.today
    async with service.stores.keys.write() as keys:
        found = await keys.scalar(select(backup_keys.c.backup_key).where(place))
        if found is None:
            found = os.urandom(32)
            await keys.execute(insert(backup_keys).values(day=service.today, backup_key=found))
    return bytes(found)


async def _dump(store: Store, target: Path) -> None:
    if store.is_sqlite:
        async with store.outside() as connection:
            await connection.execute("VACUUM INTO ?", (str(target),))
        return
    await _run_on(store, "pg_dump", "--format=custom", "--no-owner", "--file", str(target))


async def _checked(store: Store, source: Path, scratches: ExitStack) -> Path:
    """Return a file that was found whole and can take the place of a database. Raises ServiceFault."""
    if not store.is_sqlite:
        await _run("pg_restore", "--file", os.devnull, str(source))  # reads and unpacks all of it
        return source
    database = Path(store.path)
    fresh = _scratch(database.parent, scratches) / database.name
    await asyncio.to_thread(_copy, source, fresh, frozenset(store.metadata.tables))
    return fresh


async def _put(store: Store, whole: Path) -> None:
    """Put what a file holds that was found whole in the place of a database."""
    await store.close()
    if store.is_sqlite:
        await asyncio.to_thread(_replace, whole, Path(store.path))
        return
    arguments = ("--clean", "--if-exists", "--no-owner", "--single-transaction")
    await _run_on(store, "pg_restore", *arguments, str(whole))


async def _key_of(service: Service, day: int, keys: Path | None) -> bytes | None:
    """Return the key of the backups of a day: from keys that are brought back, else from those that are here."""
    if keys is None:
        async with service.stores.keys.read() as connection:
            found = await connection.scalar(select(backup_keys.c.backup_key).where(backup_keys.c.day == day))
            return None if found is None else bytes(found)
    if service.stores.keys.is_sqlite:
        return await asyncio.to_thread(_key_in, keys, day)
    with tempfile.TemporaryDirectory(dir=service.settings.data) as scratch:
        rows = Path(scratch) / "rows"
        await _run("pg_restore", "--data-only", "--table", backup_keys.name, "--file", str(rows), str(keys))
        copied = re.search(rf"^{day}\t\\\\x([0-9a-f]+)$", rows.read_text("utf-8"), re.MULTILINE)
    return bytes.fromhex(copied[1]) if copied else None


def _key_in(database: Path, day: int) -> bytes | None:
    with closing(sqlite3.connect(database)) as copy:
        row = copy.execute("SELECT backup_key FROM backup_keys WHERE day = ?", (day,)).fetchone()
    return bytes(row[0]) if row else None


def _scratch(folder: Path, scratches: ExitStack) -> Path:
    return Path(scratches.enter_context(tempfile.TemporaryDirectory(dir=folder)))


@contextmanager
def _brought(source: Path) -> Iterator[None]:
    """Raise ServiceFault where a backup cannot be read, or what it holds not be written."""
    try:
        yield
    except OSError as wrong:
        raise ServiceFault(
            _("The backup {file} cannot be brought here: {reason}.").format(
                file=source, reason=wrong.strerror
            )
        ) from wrong


def _copy(source: Path, fresh: Path, tables: frozenset[str]) -> None:
    """Copy a database that is whole and has some of the tables: before it is, nothing of the former one may go."""
    wrong = ServiceFault(_("{file} is no backup of this service, or a damaged one.").format(file=source))
    try:
        with _brought(source):
            shutil.copyfile(source, fresh)
            with closing(sqlite3.connect(fresh)) as copy:
                found = {
                    name for (name,) in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
                }
                whole = copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            with fresh.open("rb+") as written:
                os.fsync(written.fileno())
    except sqlite3.DatabaseError as no_database:
        raise wrong from no_database
    if not whole or not found & tables:
        raise wrong


def _replace(fresh: Path, database: Path) -> None:
    for end in ("-wal", "-shm"):  # they would be taken for those of the new one
        database.with_name(database.name + end).unlink(missing_ok=True)
    fresh.replace(database)


async def count_rows(store: Store) -> dict[str, int]:
    """Return the number of rows of every table, to hold a restored copy against its original."""
    async with store.read() as connection:
        return {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in store.metadata.sorted_tables
        }


async def _run_on(store: Store, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on a database; its password is for no one who lists the machine's processes."""
    url = make_url(store.url)
    words = {"PGPASSWORD": url.password} if url.password else {}
    address = url.set(drivername="postgresql", password=None).render_as_string()
    await asyncio.to_thread(_run_here, program, ("--dbname", address, *arguments), words)


async def _run(program: str, *arguments: str) -> None:
    await asyncio.to_thread(_run_here, program, arguments, {})


def _run_here(program: str, arguments: tuple[str, ...], words: dict[str, str]) -> None:
    elsewhere = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))  # Debian keeps them off the path
    found = shutil.which(program) or (str(elsewhere[-1]) if elsewhere else None)
    if found is None:
        raise ServiceFault(
            _("{program} is not here; install PostgreSQL’s client programs.").format(program=program)
        )
    environment = {**os.environ, **words}
    command = [found, *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    if ended.returncode != 0:
        raise ServiceFault(
            _("{program} failed: {reason}").format(program=program, reason=ended.stderr.strip()[-500:])
        )
