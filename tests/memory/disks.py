"""A disk of its own for a test, which can be filled up and pulled out while something is written to it.

Where this user may mount, it is an ext4 file system on a loop device. Pulled out, it answers every access with an
input/output error, as a stick does. Elsewhere it is a folder: full by a limit on the size of files, pulled by its name.
"""

import os
import resource
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memory.disk import flush_folder

_SHUT_DOWN = 0x8004587D  # FS_IOC_SHUTDOWN
_WITHOUT_FLUSH = struct.pack("I", 2)
_LIMIT = 20_000
MEGABYTES = 700


class Disk:
    """The disk, with its files in ``path``."""

    def __init__(self, place: Path) -> None:
        self.path = place / "disk"
        self.path.mkdir(parents=True)
        self._image = place / "image"
        self._away = place / "away"
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.real = sys.platform == "linux" and os.geteuid() == 0 and self._made()

    def fill(self) -> None:
        """Let no byte more be written."""
        if not self.real:
            resource.setrlimit(resource.RLIMIT_FSIZE, (_LIMIT, self._limits[1]))
            return
        with (self.path / "filler").open("ab", buffering=0) as filler:
            for size in (10_000_000, 100_000, 1_000):
                with pytest.raises(OSError, match="No space left"):
                    while True:
                        os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END), size)

    def free(self) -> None:
        """Give the room back."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        (self.path / "filler").unlink(missing_ok=True)

    def pull(self) -> None:
        """Take the disk away."""
        if not self.real:
            self.path.rename(self._away)
            self.path.mkdir()
            return
        import fcntl

        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUT_DOWN, _WITHOUT_FLUSH)
        finally:
            os.close(descriptor)

    def plug_in(self) -> None:
        """Bring the disk back, as far as what was on it had reached it."""
        if self.real:
            subprocess.run(["umount", str(self.path)], check=True)
            subprocess.run(["mount", "-o", "loop", str(self._image), str(self.path)], check=True)
        else:
            self.path.rmdir()
            self._away.rename(self.path)

    def _made(self) -> bool:
        with self._image.open("wb") as image:
            image.truncate(MEGABYTES * 1_000_000)
        made = subprocess.run(["mkfs.ext4", "-q", "-F", str(self._image)], check=False, capture_output=True)
        mount = ["mount", "-o", "loop", str(self._image), str(self.path)]
        if made.returncode or subprocess.run(mount, check=False, capture_output=True).returncode:
            self._image.unlink()
            return False
        (self.path / "lost+found").rmdir()
        flush_folder(self.path)
        return True

    def close(self) -> None:
        """Unmount it and lift every limit."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        if self.real:
            subprocess.run(["umount", str(self.path)], check=True)


@contextmanager
def disk_in(place: Path) -> Iterator[Disk]:
    """Yield a disk made in a folder; it is unmounted afterwards."""
    disk = Disk(place)
    try:
        yield disk
    finally:
        disk.close()
