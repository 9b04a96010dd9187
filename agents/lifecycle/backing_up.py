"""Backups of an office: made when its owner says so and on schedule, listed, rotated, removed."""

import asyncio
import logging
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from sqlalchemy.orm import Session

from agents.events import BackupsChanged, EventBus, Notice
from agents.lifecycle.before_upgrade import MARK
from memory import audit, settings
from memory.database import Database
from memory.disk import create_private, told_by_system
from memory.errors import ErasedMeanwhile, NotFound, Refused, StorageError
from memory.identifiers import now
from memory.lifecycle import backups, restoring
from memory.lifecycle.backup_file import damaged, part_of, publish, read_head, rewrap, shred
from memory.lifecycle.backup_making import (
    COPY,
    Progress,
    Watch,
    Written,
    check_room,
    copy_database,
    database_key,
    new_head,
    sweep,
    verify,
    write_backup,
)
from memory.lifecycle.backups import Backup, Keep, Occasion
from memory.locations import Locations
from resources.language import gettext as _
from vault.errors import VaultError
from vault.office_keys import Vault

_TRIES = 3
_FIRST_LOOK_SECONDS = 300.0
_LOOK_EVERY_SECONDS = 1800.0
_DAYS = {"off": 0, "daily": 1, "weekly": 7}

log = logging.getLogger(__name__)


class Backups:
    """The backups of an open office; one is made at a time."""

    def __init__(self, database: Database, vault: Vault, locations: Locations, bus: EventBus) -> None:
        self._database = database
        self._vault = vault
        self._locations = locations
        self._bus = bus
        self._turn = asyncio.Lock()
        self._ending = threading.Event()
        self._schedule: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to make backups when they are due; the first look is some minutes after a start."""
        if self._schedule is None:
            self._schedule = asyncio.create_task(self._keep_schedule(), name="scheduled backups")

    async def close(self) -> None:
        """End the schedule and the backup under way, of which nothing is left."""
        self._ending.set()
        if self._schedule is not None:
            self._schedule.cancel()
            await asyncio.gather(self._schedule, return_exceptions=True)
        async with self._turn:
            return

    async def all(self) -> tuple[Backup, ...]:
        """Return the backups that were not removed, the latest first."""
        return await self._database.read(backups.backups)

    async def folder(self) -> Path:
        """Return the folder that backups are written to."""
        chosen = (await self._database.read(settings.value, "backup.folder")).get("path")
        return Path(chosen) if chosen else self._locations.backups

    async def choose_folder(self, folder: Path | None) -> Path:
        """Write later backups to this folder, or to the office's own for None; those made before stay where they are.

        Raises Refused or StorageError where it cannot be used.
        """
        if folder is not None:
            folder = await asyncio.to_thread(_mark, folder)
        value = {} if folder is None else {"path": str(folder)}
        await self._database.write(_choose, value)
        self._bus.publish(BackupsChanged())
        return folder or self._locations.backups

    async def make(
        self,
        occasion: Occasion = "owner",
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Backup:
        """Make a backup and verify it; then let go of those that the rotation no longer keeps.

        ``progress`` is called from a worker thread. Raises BackupStopped, DiskFull, Refused, DatabaseDamaged,
        BackupDamaged or StorageError; then nothing of it is left.
        """
        stopped = threading.Event()

        def called_off() -> bool:
            return stopped.is_set() or self._ending.is_set() or (cancelled is not None and cancelled())

        async with self._turn:
            making = asyncio.ensure_future(self._make_and_rotate(occasion, Watch(progress, called_off)))
            try:
                made = await asyncio.shield(making)
            except asyncio.CancelledError:
                stopped.set()  # its thread notices; until then the turn is its own
                await asyncio.gather(making, return_exceptions=True)
                raise
        self._bus.publish(BackupsChanged())
        return made

    async def _make_and_rotate(self, occasion: Occasion, watch: Watch) -> Backup:
        made = await self._make(occasion, watch)
        await self._rotate()
        return made

    async def check(
        self,
        backup_id: str,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Backup:
        """Read a whole backup again. Raises BackupDamaged, VaultError, NotFound or BackupStopped."""
        known = await self.find(backup_id)
        watch = Watch(progress, cancelled, total=known.size)

        def read() -> None:
            reader = verify(path, self._key_of(path), watch)
            if reader.sha256 != known.sha256:
                raise damaged(path)

        path = Path(known.path)
        await asyncio.to_thread(read)
        return await self._database.write(backups.verified, known.id)

    async def prepare_restore(
        self,
        name: str,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Backup:
        """Unpack and check a backup, named by id or path; the next opening of the office goes back to it.

        The state of that moment is backed up first, and what was erased since is erased again. Raises Refused,
        NotFound, BackupDamaged, DiskFull, BackupStopped, StorageError or VaultError; then all stays as it is.
        """
        from agents.lifecycle.going_back import prepare

        path = (
            Path(name) if await asyncio.to_thread(Path(name).is_file) else Path((await self.find(name)).path)
        )
        async with self._turn:
            watch = Watch(progress, cancelled)
            order = await asyncio.to_thread(prepare, self._locations, self._vault, path, watch)
        head = order.head
        return Backup(
            *(head.id, head.made_at, order.path, cast(Occasion, head.occasion), order.sha256, order.size),
            *(now(), None),
        )

    async def call_off_restore(self) -> None:
        """Stay with the present after ``prepare_restore``."""
        async with self._turn:
            await asyncio.to_thread(restoring.discard, self._locations)

    async def remove(self, backup_id: str) -> None:
        """Destroy a backup's key and remove its file. Raises NotFound, Refused or StorageError."""
        known = await self.find(backup_id)
        async with self._turn:
            await self._remove(known)
        self._bus.publish(BackupsChanged())

    async def find(self, name: str) -> Backup:
        """Return a backup by its id or the beginning of it, or by its path. Raises NotFound or Refused."""
        every = await self.all()
        found = [one for one in every if one.id == name or one.path == name]
        found = found or [one for one in every if len(name) >= 6 and one.id.startswith(name)]
        if len(found) > 1:
            raise Refused(_("Several backups begin with “{name}”: use the whole id.").format(name=name))
        if not found:
            raise NotFound(_("There is no backup “{name}”: see “bureau backup list”.").format(name=name))
        return found[0]

    async def take_over_keys(self) -> tuple[Backup, ...]:
        """Let every backup open with the recovery key and passphrase of now instead of the former ones.

        Returns those that could not be reached: they still open with the former ones only.
        """
        unreached: list[Backup] = []
        async with self._turn:
            for known in await self.all():
                try:
                    await asyncio.to_thread(self._take_over, Path(known.path))
                except (OSError, StorageError, VaultError) as error:
                    log.info("a backup keeps its former ways to be opened: %s", error)
                    unreached.append(known)
        if unreached:
            self._bus.publish(
                Notice(
                    _("Some backups still open with the former recovery key only ({count}).").format(
                        count=len(unreached)
                    ),
                    _("Keep the former words as long as you keep these backups."),
                )
            )
        return tuple(unreached)

    def _take_over(self, path: Path) -> None:
        head = read_head(path)
        rewrap(path, self._vault.wrap_backup_key(head.id, self._key_of(path)))

    def _key_of(self, path: Path) -> bytes:
        head = read_head(path)
        return self._vault.open_backup_key(head.id, list(head.slots))

    async def _make(self, occasion: Occasion, watch: Watch) -> Backup:
        folder = await self.folder()
        await asyncio.to_thread(_there, folder, self._locations)
        noted = {one.path for one in await self.all()}
        await asyncio.to_thread(sweep, self._locations, folder, noted)
        missing: set[str] = set()
        tries = 0
        while tries < _TRIES:
            watch.done = 0
            watch.total = await asyncio.to_thread(check_room, self._locations, folder)
            try:
                made = await self._attempt(occasion, folder, watch, missing)
            except ErasedMeanwhile as error:
                # A file that the next copy of the database still names was not erased: it is lost.
                missing.add(error.blob_id)
                continue
            if made is not None:
                return made
            tries += 1
        raise Refused(_("Things are being erased all the while: make the backup when that is done."))

    async def _attempt(
        self, occasion: Occasion, folder: Path, watch: Watch, missing: set[str]
    ) -> Backup | None:
        """Make one backup; None, and nothing is left, where something was erased meanwhile."""
        key = secrets.token_bytes(32)
        head = new_head(
            self._vault.office_id, occasion, lambda identifier: self._vault.wrap_backup_key(identifier, key)
        )
        place = self._locations.backups / f"{COPY}{head.id}"
        try:
            copy = await self._database.read_apart(copy_database, place, database_key(key), watch)
            written = await asyncio.to_thread(
                write_backup, self._locations, folder, head, key, copy, watch, missing=missing
            )
        except OSError as error:
            raise told_by_system(error, place) from error
        finally:
            place.unlink(missing_ok=True)
        return await self._published(written, copy.erased)

    async def _published(self, written: Written, erased_before: tuple[int, int]) -> Backup | None:
        """Note a finished backup and give it its name; None, and nothing is left, where something was erased."""
        try:
            made = await self._database.write(backups.enter, written, erased_before)
        except StorageError:
            await asyncio.to_thread(_let_go, written)
            raise
        if made is None:
            await asyncio.to_thread(_let_go, written)
            return None
        try:
            await asyncio.to_thread(publish, written.path)
        except OSError as error:
            await self._database.write(backups.remove, made.id)
            raise told_by_system(error, written.path) from error
        return made

    async def _rotate(self) -> None:
        known = await self.all()
        values = await self._database.read(settings.values)
        keep = Keep(values["backup.keep_days"], values["backup.keep_weeks"], values["backup.keep_months"])
        for one in backups.let_go(known, keep):
            try:
                await self._remove(one)
            except StorageError as error:
                log.info("an old backup is removed later: %s", error)

    async def _remove(self, known: Backup) -> None:
        path = Path(known.path)
        if not path.parent.is_dir():
            raise Refused(
                _("{folder} is not there: connect the disk it is on, then remove the backup.").format(
                    folder=path.parent
                )
            )
        try:
            await asyncio.to_thread(shred, path)
        except OSError as error:
            raise told_by_system(error, path) from error
        await self._database.write(backups.remove, known.id)

    async def _keep_schedule(self) -> None:
        await asyncio.sleep(_FIRST_LOOK_SECONDS)
        while True:
            await self.make_if_due()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def make_if_due(self, at: int | None = None) -> Backup | None:
        """Make the scheduled backup if it is due; what stands in its way becomes a notice."""
        rhythm = await self._database.read(settings.value, "backup.rhythm")
        if not backups.due(await self.all(), _DAYS[rhythm], at or now()):
            return None
        try:
            return await self.make("schedule")
        except StorageError as error:
            log.warning("the scheduled backup was not made: %s", error)
            self._bus.publish(Notice(_("The scheduled backup was not made."), str(error)))
            return None


def _let_go(written: Written) -> None:
    with suppress(OSError):  # on a disk that went away; the next backup there sweeps what is left
        shred(part_of(written.path))


def _choose(session: Session, value: dict[str, str]) -> None:
    settings.change(session, "backup.folder", value)
    audit.append(session, "backup folder chosen", "backup.folder", {"own": not value})


def _mark(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(mode=0o700, parents=False, exist_ok=True)
        if not (folder / MARK).exists():
            os.close(create_private(folder / MARK))
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise Refused(
                _("{folder} is not there: connect the disk it is on, or choose another folder.").format(
                    folder=folder
                )
            ) from error
        raise told_by_system(error, folder) from error
    return folder


def _there(folder: Path, locations: Locations) -> None:
    if folder == locations.backups or (folder / MARK).exists():
        return
    raise Refused(
        _("{folder} is not there: connect the disk it is on, or choose another folder.").format(folder=folder)
    )
