"""Archives from elsewhere, read without trusting them: a zip, a folder, or a single file.

Nothing is ever unpacked onto the disk. Every member is checked before the first is read; members are streamed.
"""

import errno
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Self, TypeVar
from unicodedata import normalize

from memory.transfer.central_directory import check_directory
from memory.transfer.errors import ArchiveDamaged, ArchiveUnreadable, ArchiveUnsafe
from resources.language import gettext as _

T = TypeVar("T")

_BUFFER = 256 * 1024
_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip begins, and an empty one."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others can unpack to any length in one step."""
_DRIVE = re.compile(r"[A-Za-z]:")
_HEADER = 30
"""Bytes before a member's name in its local header."""
_WITHOUT_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_WITHOUT_FOLLOWING = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an archive is taken, in members, bytes and bytes unpacked for each byte packed."""

    members: int = 200_000
    unpacked: int = 256 * 1024**3
    ratio: int = 200
    small: int = 64 * 1024**2
    """Up to so many bytes unpacked, the ratio is nobody's concern."""
    directory: int = 32 * 1024**2
    """Bytes of the list of members, which is read whole."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive: its path with ``/``, and its size in bytes unpacked."""

    name: str
    size: int


class Archive(ABC):
    """An open archive. ``members`` are its files by name, in the order of the archive; close it after use."""

    def __init__(self, path: Path, members: Mapping[str, Member]) -> None:
        self.path = path
        self.name = path.name
        self.members = MappingProxyType(dict(members))
        self.taken = 0
        """Bytes of members that were read so far."""

    @property
    def size(self) -> int:
        """Bytes of all members, unpacked."""
        return sum(member.size for member in self.members.values())

    @abstractmethod
    def _open(self, name: str) -> Any: ...

    def open(self, name: str) -> BinaryIO:
        """Return the bytes of a member as a stream. Raises KeyError, or ArchiveDamaged here or while reading."""
        self.members[name]
        raw = _Stream(_told(self.name, lambda: self._open(name)), self)
        return io.BufferedReader(raw, _BUFFER)

    def read(self, name: str, most: int) -> bytes:
        """Return a small member whole. Raises ArchiveUnsafe where it has over ``most`` bytes."""
        if self.members[name].size > most:
            raise ArchiveUnsafe(
                _("“{name}” in “{archive}” is too large for what it is: ask for a new export.").format(
                    name=name, archive=self.name
                )
            )
        with self.open(name) as stream:
            return stream.read(most)

    def close(self) -> None:
        """Let go of the file; again is harmless."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def open_archive(
    path: Path, limits: Limits | None = None, *, unlock: Callable[[BinaryIO], BinaryIO] | None = None
) -> Archive:
    """Open a zip, a folder or a single file and check every member's name, kind and size; blocks.

    ``unlock`` is given a file before it is read and returns what is to be read in its place, such as its
    decrypted content. Raises ArchiveUnreadable, ArchiveDamaged or ArchiveUnsafe, and what ``unlock`` raises.
    """
    limits = limits or Limits()
    try:
        if path.is_dir():
            return _Folder(path, limits)
        file = _regular(path, path.name, follow=True)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        if unlock is not None:
            file = unlock(file)
        if not (beginning := file.read(4)):
            raise ArchiveUnreadable(_("“{name}” is empty: download it again.").format(name=path.name))
        if beginning in _SIGNATURES:
            return _told(path.name, lambda: _Zip(path, file, limits))
        return _Single(path, file)
    except BaseException:
        file.close()
        raise


class _Zip(Archive):
    def __init__(self, path: Path, file: BinaryIO, limits: Limits) -> None:
        check_directory(file, path.name, most_bytes=limits.directory, most_members=limits.members)
        self._file = file
        self._zip = zipfile.ZipFile(file)
        packed = file.seek(0, os.SEEK_END)
        infos = self._zip.infolist()
        _check_sizes(infos, packed, path.name, limits)
        if len(infos) > limits.members:
            raise _too_much(path.name)
        files = [info for info in infos if not _check_entry(info, path.name)]
        self._infos = {_slashed(info): info for info in files}
        _check_names([_slashed(info) for info in infos], path.name)
        super().__init__(path, {name: Member(name, info.file_size) for name, info in self._infos.items()})

    def _open(self, name: str) -> Any:
        return self._zip.open(self._infos[name])

    def close(self) -> None:
        self._zip.close()
        self._file.close()


class _Folder(Archive):
    def __init__(self, path: Path, limits: Limits) -> None:
        members: dict[str, Member] = {}
        for file, size in _walk(path):
            name = file.relative_to(path).as_posix()
            members[name] = Member(name, size)
            if len(members) > limits.members:
                raise _too_much(path.name)
        super().__init__(path, members)

    def _open(self, name: str) -> Any:
        return _regular(self.path / name, self.name, follow=False)


class _Single(Archive):
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._size = os.fstat(file.fileno()).st_size
        file.close()
        super().__init__(path, {path.name: Member(path.name, self._size)})

    def _open(self, name: str) -> Any:
        return _regular(self.path, self.name, follow=True)


class _Stream(io.RawIOBase):
    """The bytes of one member; what goes wrong on the way is told in a sentence."""

    def __init__(self, source: Any, archive: Archive) -> None:
        self._source = source
        self._archive = archive

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data: bytes = _told(self._archive.name, lambda: self._source.read(len(buffer)))
        self._archive.taken += len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


def _told(name: str, step: Callable[[], T]) -> T:
    try:
        return step()
    except OSError as error:
        if error.errno in (None, errno.EINVAL):  # a place that the archive names and does not have
            raise _damaged(name) from error
        raise ArchiveUnreadable(
            _("“{name}” cannot be read to its end ({reason}): check that its disk is connected.").format(
                name=name, reason=error.strerror
            )
        ) from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        ValueError,
    ) as error:
        raise _damaged(name) from error


def _regular(path: Path, archive: str, *, follow: bool) -> BinaryIO:
    """Open a regular file; a pipe or device is not waited for, a link only followed where it may be."""
    descriptor = os.open(path, os.O_RDONLY | _WITHOUT_WAITING | (0 if follow else _WITHOUT_FOLLOWING))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_file(path.name, archive)
    return os.fdopen(descriptor, "rb")


def _walk(folder: Path) -> Iterator[tuple[Path, int]]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_symlink():
            raise _not_a_file(entry.name, folder.name)
        if entry.is_dir():
            yield from _walk(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path), entry.stat().st_size
        else:
            raise _not_a_file(entry.name, folder.name)


def _check_sizes(infos: list[zipfile.ZipInfo], packed: int, name: str, limits: Limits) -> None:
    unpacked = sum(info.file_size for info in infos)
    if unpacked > limits.unpacked or (unpacked > limits.small and unpacked > packed * limits.ratio):
        raise _too_much(name)
    end = 0
    # Members that share their bytes are how a small file unpacks to everything.
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise _too_much(name)
        end = info.header_offset + _HEADER + info.compress_size


def _check_entry(info: zipfile.ZipInfo, archive: str) -> bool:
    """Refuse a member that is no plain file or folder, or that cannot be read; return whether it is a folder."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _not_a_file(info.filename, archive)
    if info.flag_bits & 0x1:
        raise ArchiveUnreadable(
            _("“{name}” is locked with a password: unpack it and choose the folder.").format(name=archive)
        )
    if info.compress_type not in _METHODS:
        raise ArchiveUnreadable(
            _("“{name}” is packed in a rare way: unpack it and choose the folder.").format(name=archive)
        )
    return info.is_dir()


def _check_names(names: list[str], archive: str) -> None:
    """Refuse names that lead outside and names that two members share."""
    seen: set[str] = set()
    for name in names:
        parts = name.split("/")
        if _DRIVE.match(name) or any(part in ("", ".", "..") for part in parts):
            raise ArchiveUnsafe(
                _("“{archive}” holds the name “{name}”, which leads outside it: do not use it.").format(
                    archive=archive, name=_printable(name)
                )
            )
        plain = normalize("NFC", name)
        if plain in seen:
            raise ArchiveUnsafe(
                _("“{archive}” holds “{name}” twice, so nobody can say which counts: get it anew.").format(
                    archive=archive, name=_printable(name)
                )
            )
        seen.add(plain)


def _slashed(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/").removesuffix("/")


def _printable(name: str) -> str:
    return "".join(sign if sign.isprintable() else "�" for sign in name)[:80]


def _not_a_file(name: str, archive: str) -> ArchiveUnsafe:
    return ArchiveUnsafe(
        _("“{name}” in “{archive}” is a link or a device, not a file: take it out, then try again.").format(
            name=_printable(name), archive=archive
        )
    )


def _too_much(name: str) -> ArchiveUnsafe:
    return ArchiveUnsafe(
        _("“{name}” would unpack to far more than an export holds: get it anew from its source.").format(
            name=name
        )
    )


def _damaged(name: str) -> ArchiveDamaged:
    return ArchiveDamaged(_("“{name}” is damaged or cut short: download or copy it again.").format(name=name))


def _unreadable(path: Path, error: OSError) -> ArchiveUnreadable:
    return ArchiveUnreadable(
        _("“{name}” cannot be read ({reason}): check that it is there and yours to read.").format(
            name=path.name, reason=error.strerror
        )
    )
