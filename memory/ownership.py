"""One owner process per office, by a lock that the operating system drops when the process ends."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Self

from memory.disk import told_by_system
from memory.errors import OfficeInUse
from memory.locations import Locations
from resources.language import gettext as _

_SOCKET_PATH_BYTES = 100
"""The shortest system limit is 104 with its final NUL."""
_FOLDER_PREFIX = "bureau-"
_LONGEST = 65_536
"""Bytes that are read of a lock file."""
_LOCKED_BYTE = 1 << 30
"""On Windows a locked byte cannot be read by others: one far beyond the text of the file."""


class OwnerLock:
    """Held by the process that owns an office. ``socket`` is where that process is to listen."""

    def __init__(self, descriptor: int, socket: Path, private_folder: Path | None) -> None:
        self._descriptor: int | None = descriptor
        self._private_folder = private_folder
        self.socket = socket

    @classmethod
    def acquire(cls, locations: Locations) -> Self:
        """Become the owner of the office, whose folder exists, and remove what a dead owner left.

        Raises OfficeInUse with the owner's pid and socket, DiskReadOnly or StorageError.
        """
        try:
            descriptor = os.open(locations.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise told_by_system(error, locations.lock) from error
        try:
            if not _try_lock(descriptor):
                raise _in_use(*_owner(descriptor, locations))
            _clear_after(_owner(descriptor, locations)[1], locations)
            socket, private_folder = _choose_socket(locations)
            said = json.dumps(
                {"pid": os.getpid(), "socket": str(socket), "file": _identity(os.fstat(descriptor))}
            ).encode()
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, said, 0) if hasattr(os, "pwrite") else os.write(descriptor, said)
        except OSError as error:
            os.close(descriptor)
            raise told_by_system(error, locations.lock) from error
        except OfficeInUse:
            os.close(descriptor)
            raise
        return cls(descriptor, socket, private_folder)

    def release(self) -> None:
        """Let go of the office; the socket's file is removed. Safe to call twice."""
        if self._descriptor is None:
            return
        self.socket.unlink(missing_ok=True)
        if self._private_folder is not None:
            shutil.rmtree(self._private_folder, ignore_errors=True)
        os.ftruncate(self._descriptor, 0)
        # The lock file stays: removing it would let two processes lock two files of one name.
        os.close(self._descriptor)
        self._descriptor = None


def socket_of_owner(locations: Locations) -> Path | None:
    """Return where the owner of the office listens, None where there is none; it may have ended since.

    Only reads: taking the lock to find out could refuse an owner that is just starting.
    """
    try:
        with locations.lock.open("rb") as file:
            said = _said(file.read(_LONGEST), os.fstat(file.fileno()))
        return said[1] if said is not None and said[1].exists() else None
    except OSError:
        return None


if sys.platform == "win32":

    def _try_lock(descriptor: int) -> bool:
        import msvcrt

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:

    def _try_lock(descriptor: int) -> bool:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _owner(descriptor: int, locations: Locations) -> tuple[int | None, Path]:
    """Return the pid and socket in the lock file; its usual socket where the owner has not written it yet."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    return _said(os.read(descriptor, _LONGEST), os.fstat(descriptor)) or (None, locations.socket)


def _said(content: bytes, file: os.stat_result) -> tuple[int, Path] | None:
    """Return the pid and socket in a lock file; None where it is empty, damaged or the copy of another office's."""
    try:
        said = json.loads(content)
        return (int(said["pid"]), Path(said["socket"])) if said["file"] == _identity(file) else None
    except (ValueError, KeyError, TypeError):
        return None


def _identity(file: os.stat_result) -> str:
    """Return what a copy of the file does not share: the folder of an office may be copied while it is open."""
    return f"{file.st_dev}:{file.st_ino}"


def _in_use(pid: int | None, socket: Path) -> OfficeInUse:
    sentence = _("This office is open already (process {pid}): use that window, or close it first.")
    return OfficeInUse(sentence.format(pid=pid or "?"), pid=pid, socket=socket)


def _clear_after(socket: Path, locations: Locations) -> None:
    """Remove the socket of a dead owner, and the folder that was made for it.

    The folder may be an office of such a name, reached by another path: so it goes only where nothing else is inside.
    """
    locations.socket.unlink(missing_ok=True)
    if socket.parent.name.startswith(_FOLDER_PREFIX) and socket.name == locations.socket.name:
        with contextlib.suppress(OSError):
            socket.unlink(missing_ok=True)
            socket.parent.rmdir()


def _choose_socket(locations: Locations) -> tuple[Path, Path | None]:
    if len(os.fsencode(locations.socket)) <= _SOCKET_PATH_BYTES:
        return locations.socket, None
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    room = _SOCKET_PATH_BYTES - len(f"/{_FOLDER_PREFIX}12345678/office.sock")
    parent = runtime if runtime and len(os.fsencode(runtime)) <= room and Path(runtime).is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX, dir=parent))
    return folder / locations.socket.name, folder
