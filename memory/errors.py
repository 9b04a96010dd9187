"""What can go wrong with what lasts.

StorageError
├── DatabaseKeyWrong      the key does not open this database
├── DatabaseDamaged       a page or a structure of the database does not check out
├── DatabaseNewer         a later version of Bureau wrote this database
├── MigrationFailed       an upgrade of the database was undone from its snapshot
├── DiskRefused           the disk failed while it was read or written
│   ├── DiskFull          nothing more can be written
│   └── DiskReadOnly      the folder cannot be written
├── OfficeInUse           another process owns this office
├── NotFound              no row has this id
├── Refused               a value or a change that a rule of the office does not allow
│   ├── ManyAtOnce        so much is to go at once that its number must be typed
│   └── StillAtWork       runs work on what is to be erased
├── BackupDamaged         a backup does not check out
├── ErasedMeanwhile       a file went away while it was backed up: begin again
├── BackupStopped         making or restoring a backup was called off
└── BlobDamaged           an encrypted file does not match its key or its length
"""

from pathlib import Path

from resources.language import gettext as _


class StorageError(Exception):
    """A fault of storage, told in one sentence that names the fix."""


class DatabaseKeyWrong(StorageError):
    """The key does not open this database."""


class DatabaseDamaged(StorageError):
    """A page or a structure of the database does not check out."""


class DatabaseNewer(StorageError):
    """A later version of Bureau wrote this database."""


class MigrationFailed(StorageError):
    """An upgrade of the database was undone from its snapshot."""


class DiskRefused(StorageError):
    """The disk failed; what was to be written can be tried again once it is well."""


class DiskFull(DiskRefused):
    """Nothing more can be written."""


class DiskReadOnly(DiskRefused):
    """The folder cannot be written."""


class OfficeInUse(StorageError):
    """Another process owns this office; ``socket`` is the door to it, ``pid`` None while it is starting."""

    def __init__(self, sentence: str, *, pid: int | None, socket: Path) -> None:
        super().__init__(sentence)
        self.pid = pid
        self.socket = socket


class NotFound(StorageError):
    """No row has this id."""


class Refused(StorageError):
    """A value or a change that a rule of the office does not allow."""


class ManyAtOnce(Refused):
    """So much is to go at once that its ``count`` must be typed."""

    def __init__(self, count: int) -> None:
        super().__init__(
            _("That is {count} things at once: type that number to confirm it.").format(count=count)
        )
        self.count = count


class StillAtWork(Refused):
    """Runs work on what is to be erased; ``run_ids`` are to be stopped first."""

    def __init__(self, run_ids: tuple[str, ...]) -> None:
        super().__init__(_("An agent is still working on this: stop it, then erase again."))
        self.run_ids = run_ids


class BackupDamaged(StorageError):
    """A backup does not check out."""


class ErasedMeanwhile(StorageError):
    """A file went away while it was backed up: begin again. ``blob_id`` names it."""

    def __init__(self, blob_id: str) -> None:
        self.blob_id = blob_id
        super().__init__(_("A file is missing: run “bureau doctor”, then make the backup again."))


class BackupStopped(StorageError):
    """Making or restoring a backup was called off; nothing was changed."""


class BlobDamaged(StorageError):
    """An encrypted file does not match its key or its length."""
