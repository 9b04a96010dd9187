"""Whether a service runs on a folder: a lock that ends with the process, however that ends."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memory.sync.hosted.errors import HostedError, ServiceFault, SettingsInvalid
from memory.sync.hosted.settings import Settings
from resources.language import gettext as _

_FILE = "serving.lock"


@contextmanager
def serving_here(settings: Settings) -> Iterator[None]:
    """Say while this lasts that a service or a command of its operator works here, beside others.

    Raises SettingsInvalid while a backup is brought back, or where the folder cannot be written.
    """
    held = SettingsInvalid(_("A backup is being brought back here: try again when that is done."))
    with _locked(settings, fcntl.LOCK_SH, held):
        yield


@contextmanager
def nobody_serving(settings: Settings) -> Iterator[None]:
    """Keep a service from starting here, and a backup from being made.

    Raises ServiceFault while one runs, SettingsInvalid where the folder cannot be written.
    """
    held = ServiceFault(_("The service runs here: stop every replica, then bring the backup back."))
    with _locked(settings, fcntl.LOCK_EX, held):
        yield


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
