"""Whether a service runs on a folder: a lock that ends with the process, however that ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from memory.sync.hosted.errors import HostedError, ServiceFault, SettingsInvalid
from memory.sync.hosted.settings import Settings
from resources.language import gettext as _

_FILE = "serving.lock"


@contextmanager
def serving_here(settings: Settings) -> Iterator[None]:
    """Say while this lasts that a service runs here, beside its other replicas.

    Raises SettingsInvalid while a backup is brought back, or where the folder cannot be written.
    """
    held = SettingsInvalid(_("A backup is being brought back here: start when that is done."))
    with _locked(settings, fcntl.LOCK_SH, held):
        yield


@contextmanager
def nobody_serving(settings: Settings) -> Iterator[None]:
    """Keep a service from starting here. Raises ServiceFault while one runs."""
    held = ServiceFault(_("The service runs here: stop every replica, then bring the backup back."))
    with _locked(settings, fcntl.LOCK_EX, held):
        yield


@contextmanager
def _locked(settings: Settings, kind: int, held: HostedError) -> Iterator[None]:
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        opened = (settings.data / _FILE).open("ab")
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
        yield
