"""Where an export is written: a zip, an encrypted zip, or a folder. It appears under its name only when whole."""

import os
import shutil
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from memory.disk import create_private, flush_folder, told_by_system
from memory.errors import DiskFull
from memory.identifiers import new_id
from memory.transfer.errors import TargetRefused
from resources.language import gettext as _

_BUFFER = 1024 * 1024
_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The time of every member: a zip of the same content is the same zip."""
_QUICKEST = 1
_LARGE = 1 << 31
_MANY = 200


class Sink(Protocol):
    """Takes bytes in order."""

    def write(self, data: bytes, /) -> int: ...


class Encrypter(Protocol):
    """Makes a sink that seals what it is given into a file; ``close`` writes the end and leaves the file open."""

    def __call__(self, file: BinaryIO, /) -> "Sealed": ...


class Sealed(Sink, Protocol):
    """A sink with an end."""

    def close(self) -> None: ...


class Target(ABC):
    """Takes the files of an export one after the other."""

    @abstractmethod
    def entry(self, name: str, *, compress: bool, size: int = 0) -> AbstractContextManager[Sink]:
        """Return a context manager that gives a sink for one file; ``size`` is about how many bytes come."""

    @abstractmethod
    def finish(self) -> None:
        """Put everything on disk."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go of everything that is open."""


class ZipTarget(Target):
    """A zip written front to back, through ``encrypter`` where there is one; texts are deflated."""

    def __init__(self, temporary: Path, encrypter: Encrypter | None = None) -> None:
        self._file = os.fdopen(create_private(temporary), "wb", buffering=_BUFFER)
        self._sealed: Sealed | None = None
        try:
            self._sealed = encrypter(self._file) if encrypter is not None else None
            self._forward = _Forward(self._sealed or self._file)
            self._zip = zipfile.ZipFile(self._forward, "w")  # type: ignore[call-overload]  # it cannot seek
        except BaseException:
            self._file.close()
            raise

    def entry(self, name: str, *, compress: bool, size: int = 0) -> AbstractContextManager[Sink]:
        info = zipfile.ZipInfo(name, _BEGINNING)
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        info._compresslevel = _QUICKEST  # type: ignore[attr-defined]  # the only way to say it for one member in 3.11
        info.create_system = 3
        info.external_attr = 0o100600 << 16
        return self._zip.open(info, "w", force_zip64=size == 0 or size >= _LARGE)  # type: ignore[no-any-return]  # a sink

    def finish(self) -> None:
        self._zip.close()
        if self._sealed is not None:
            self._sealed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        # What is open is thrown away; that its last buffer cannot be written either changes nothing.
        self._forward.write = len
        self._zip.close()
        with suppress(OSError):
            self._file.close()


class _Forward:
    """Hides that a file can seek: so the zip is the same bytes wherever it goes."""

    def __init__(self, sink: Sink) -> None:
        self.write: Callable[[bytes], int] = sink.write

    def flush(self) -> None:
        """Nothing: the file is flushed once, at the end."""


class FolderTarget(Target):
    """A plain folder; its files are readable by their owner only."""

    def __init__(self, temporary: Path) -> None:
        temporary.mkdir(mode=0o700)
        self._root = temporary
        self._folders = {temporary}
        self._files = 0

    @contextmanager
    def entry(self, name: str, *, compress: bool, size: int = 0) -> Iterator[Sink]:
        self._files += 1
        path = self._root / name
        for folder in reversed(path.relative_to(self._root).parents[:-1]):
            if (made := self._root / folder) not in self._folders:
                # Never the folders above: where the disk went away, they would be made anew at its place.
                made.mkdir(mode=0o700, exist_ok=True)
                self._folders.add(made)
        with os.fdopen(create_private(path), "wb", buffering=_BUFFER) as file:
            yield file

    def finish(self) -> None:
        if self._files > _MANY and hasattr(os, "sync"):
            os.sync()  # all at once, so that each fsync below finds its file on disk already
        for folder, _folders, files in os.walk(self._root):
            for name in files:
                _flush(Path(folder) / name)
            flush_folder(Path(folder))

    def abandon(self) -> None:
        """Nothing is open between two files."""


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def target(path: Path, *, encrypter: Encrypter | None = None, replace: bool = False) -> Iterator[Target]:
    """Write an export to ``path``: a folder where its name ends in a slash or has no suffix, else a zip.

    It is written beside its place and renamed when whole; a failure leaves nothing. Raises TargetRefused,
    DiskFull or DiskReadOnly.
    """
    if path.exists() and not replace:
        raise TargetRefused(
            _("“{path}” is there already: choose another name, or say that it may be replaced.").format(
                path=path
            )
        )
    if path.is_dir() and any(path.iterdir()):
        raise TargetRefused(_("The folder “{path}” is not empty: choose another name.").format(path=path))
    temporary = path.with_name(f".{path.name}.{new_id()[:8]}.part")
    made: Target | None = None
    try:
        made = ZipTarget(temporary, encrypter) if is_zip(path) else FolderTarget(temporary)
        yield made
        made.finish()
        if path.is_dir():
            path.rmdir()
        temporary.replace(path)
        flush_folder(path.parent)
    except BaseException as error:
        if made is not None:
            made.abandon()
        _remove(temporary)
        if isinstance(error, OSError):
            raise _told(error, path) from error
        raise


def is_zip(path: Path) -> bool:
    """Whether an export of this name is one file; a name without a suffix is a folder's."""
    return bool(path.suffix)


def _remove(temporary: Path) -> None:
    # On a disk that went away nothing can be removed, and nothing is left in the way either.
    with suppress(OSError):
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def _told(error: OSError, path: Path) -> Exception:
    told = told_by_system(error, path)
    if isinstance(told, DiskFull):
        return told
    return TargetRefused(
        _("“{path}” cannot be written ({reason}): check that the place is there and yours to write.").format(
            path=path, reason=error.strerror
        )
    )
