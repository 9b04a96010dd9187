"""Replace a small file so that a crash leaves either the former content or the new one, never a mixture."""

import errno
import os
import secrets
from pathlib import Path

from vault.errors import SavingFailed

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_ENDING = ".new"


def write_durably(path: Path, data: bytes) -> None:
    """Write the bytes, readable by the owner alone, and return when they are on disk under that name.

    Temporary files that a killed predecessor left are removed.

    Raises SavingFailed; the former content is then untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_ENDING}")
    try:
        _remove_leftovers(path)
        try:
            _write(temporary, data)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise saving_failed(path, error) from error


def remove_durably(path: Path) -> None:
    """Remove the file if it is there, and return when its name is gone from the disk.

    Raises SavingFailed.
    """
    try:
        path.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise saving_failed(path, error) from error


def saving_failed(path: Path, error: OSError) -> SavingFailed:
    """Return the sentence for people that fits an error of the system."""
    if error.errno in _FULL:
        return SavingFailed.full(path.name)
    return SavingFailed.refused(str(path), error.strerror or type(error).__name__)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{path.name}.*{_ENDING}"):
        leftover.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder; it writes names through by itself
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
