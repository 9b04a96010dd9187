"""Where the vector index lives while it works: a private folder in memory, never on a plain disk."""

import asyncio
import ctypes
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

_PREFIX = "bureau-recall-"
_OWNER = "owner"
_TMPFS_MAGIC = 0x01021994
_BYTES_PER_VECTOR = 2000
"""What Chroma needs per vector of 384 float32, its graph and its row, rounded up."""
_LEAST_FREE = 64 * 1024 * 1024


@dataclass(slots=True)
class Scratch:
    """A private folder of the recall process. ``in_memory`` tells whether it lies on tmpfs.

    A lock on a file in it says that its office lives; a crash leaves the folder, but not the lock.
    """

    folder: Path
    in_memory: bool
    _lock: IO[bytes] | None

    @classmethod
    def make(cls, vectors: int) -> Self:
        """Make the folder on a tmpfs with three times the index free, else in the system's temporary folder.

        Folders that dead processes left on the same file systems are removed.
        """
        for parent in _memory_folders():
            _remove_leftovers(parent)
        fitting = next((folder for folder in _memory_folders() if _fits(folder, vectors)), None)
        folder, lock = _claimed(fitting)
        return cls(folder, fitting is not None, lock)

    @classmethod
    async def make_beside(cls, vectors: int) -> Self:
        """Make the folder on another thread; a caller that is cancelled meanwhile leaves none behind."""
        making = asyncio.ensure_future(asyncio.to_thread(cls.make, vectors))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            (await making).remove()
            raise

    @property
    def index(self) -> Path:
        """The folder that Chroma alone writes to, and that is sealed."""
        path = self.folder / "chroma"
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def fits(self, vectors: int) -> bool:
        """Tell whether the folder lies in memory and has three times the index free."""
        return self.in_memory and _fits(self.folder, vectors)

    def size(self) -> int:
        """Return the bytes that the folder's files hold."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def remove(self) -> None:
        """Remove the folder and give up the lock."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def is_tmpfs(path: Path) -> bool:
    """Tell whether the kernel keeps this folder in memory only."""
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(256)
    if library.statfs(os.fsencode(path), buffer) != 0:
        return False
    return ctypes.c_long.from_buffer(buffer).value == _TMPFS_MAGIC


def _memory_folders() -> list[Path]:
    named = os.environ.get("XDG_RUNTIME_DIR")
    folders = [Path(name) for name in (named, "/dev/shm") if name]  # noqa: S108 - tmpfs, and mkdtemp makes it private
    return [folder for folder in folders if folder.is_dir() and is_tmpfs(folder)]


def _fits(folder: Path, vectors: int) -> bool:
    needed = max(_LEAST_FREE, 3 * vectors * _BYTES_PER_VECTOR)
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= needed


def _claimed(parent: Path | None) -> tuple[Path, IO[bytes] | None]:
    """Make a folder and lock the file in it; begin again where another process takes it for a leftover before that."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        if sys.platform == "win32":
            return folder, None
        import fcntl

        lock = (folder / _OWNER).open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        if (folder / _OWNER).exists():
            return folder, lock
        lock.close()


def _remove_leftovers(parent: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl

    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            with (folder / _OWNER).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # its office lives, it is another user's, or it is being made or removed this moment
