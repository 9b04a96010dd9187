"""Whether a service runs on a folder: a lock that ends with the process, however that ends."""

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from memory.sync.hosted.errors import HostedError, ServiceFault, SettingsInvalid
from memory.sync.hosted.settings import Settings
from resources.language import gettext as _

_FILE = "serving.lock"
_ANY_KEYS = "SELECT 1 FROM account_keys UNION ALL SELECT 1 FROM backup_keys LIMIT 1"
"""Those of backups outlive the accounts: where records of one that was purged are brought back, nothing is lost."""
_ANY_MARK = "SELECT 1 FROM tides LIMIT 1"
"""The ledger is marked before anybody is answered, so before there is an account."""


@contextmanager
def serving_here(settings: Settings) -> Iterator[None]:
    """Say while this lasts that a service or a command of its operator works here, beside others.

    Raises SettingsInvalid while a backup is brought back, where the folder cannot be written, or where the
    keys or the ledger are lost.
    """
    held = SettingsInvalid(_("A backup is being brought back here: try again when that is done."))
    with _locked(settings, fcntl.LOCK_SH, held):
        if not settings.records_url:
            _require_keys(settings.data)
            _require_ledger(settings.data)
        yield


@contextmanager
def nobody_serving(settings: Settings) -> Iterator[None]:
    """Keep a service from starting here, and a backup from being made.

    Raises ServiceFault while one runs, SettingsInvalid where the folder cannot be written.
    """
    held = ServiceFault(_("The service runs here: stop every replica, then bring the backup back."))
    with _locked(settings, fcntl.LOCK_EX, held):
        yield


def _require_keys(folder: Path) -> None:
    """Refuse to work beside an account whose keys are lost: empty ones would replace the backup of the former."""
    records, keys = folder / "records.sqlite", folder / "keys.sqlite"
    kept = "SELECT 1 FROM accounts WHERE account_id NOT IN (SELECT account_id FROM deletions) LIMIT 1"
    if _finds(records, kept) and not _finds(keys, _ANY_KEYS):
        raise SettingsInvalid(
            _(
                "The keys in {path} are lost: bring them back with `bureau-hosted restore --keys` first, or their "
                "backup would be replaced by an empty one."
            ).format(path=keys)
        )


def _require_ledger(folder: Path) -> None:
    """Refuse to work beside accounts whose ledger is lost: an empty one would take again what was erased."""
    records, ledger = folder / "records.sqlite", folder / "ledger.sqlite"
    if _finds(records, "SELECT 1 FROM accounts LIMIT 1") and not _finds(ledger, _ANY_MARK):
        raise SettingsInvalid(
            _(
                "The ledger in {path} is lost: bring its replica back, or what was erased could come again. Where it "
                "is lost for good, `bureau-hosted restore --without-ledger` begins another one, and devices are asked."
            ).format(path=ledger)
        )


def _finds(database: Path, query: str) -> bool:
    """Whether a query finds a row; in a database that is not there, or has no tables yet, it finds none."""
    if not database.exists():
        return False
    with closing(sqlite3.connect(database, timeout=15)) as connection:
        try:
            return connection.execute(query).fetchone() is not None
        except sqlite3.OperationalError as wrong:
            if "no such table" in str(wrong):
                return False
            raise


def _hand_over(folder: Path) -> None:
    """Give to the owner of the folder the files in it that root has made, or its service could not open them."""
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    for each in folder.iterdir():
        found = each.lstat()
        # A file with other names may be one of the system's, which the service's user must not get hold of.
        if found.st_uid == 0 and stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.chown(each, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def _locked(settings: Settings, kind: int, held: HostedError) -> Iterator[None]:
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = (settings.data / _FILE).open(
            "a+b"
        )  # NFS shares no lock of a file that is open for writing only
    except OSError as wrong:
        raise SettingsInvalid(
            _("The folder {path} cannot be written: {reason}.").format(
                path=settings.data, reason=wrong.strerror
            )
        ) from wrong
    with opened:
        try:
            fcntl.flock(opened, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise held from None
        except OSError as wrong:
            raise SettingsInvalid(
                _("In the folder {path} no file can be locked: {reason}. Let data be another folder.").format(
                    path=settings.data, reason=wrong.strerror
                )
            ) from wrong
        try:
            yield
        finally:
            _hand_over(settings.data)
