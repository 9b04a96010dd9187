"""What the file system does to files that must last: durable renames, and its errors in plain words."""

import errno
import os
from pathlib import Path

from memory.errors import DiskFull, DiskReadOnly, StorageError
from resources.language import gettext as _

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


def told_by_system(error: OSError, path: Path) -> StorageError:
    """Return the sentence for an error of the operating system at a path."""
    if error.errno in _FULL:
        return DiskFull(_("The disk is full: free some space, then try again. Nothing saved was lost."))
    if error.errno in _FORBIDDEN:
        return DiskReadOnly(
            _("{path} cannot be written: give yourself write access to its folder.").format(path=path)
        )
    return StorageError(
        _("{path} cannot be used ({reason}): check the disk.").format(path=path, reason=error.strerror)
    )


def create_private(path: Path) -> int:
    """Create a new file that only its owner may read, and return its descriptor. Raises OSError."""
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)


def replace_durably(temporary: Path, final: Path) -> None:
    """Give a finished, flushed file its name so that it is still there after a power cut. Raises OSError."""
    temporary.replace(final)
    flush_folder(final.parent)


def flush_file(path: Path) -> None:
    """Put the content of a closed file on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Put the names in a folder on disk; Windows does so by itself. Raises OSError."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
