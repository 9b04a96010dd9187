"""A bag as it is read: whole, or refused. Nothing of it is believed before its checksum was compared."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from memory.transfer.age import AgeReader, is_encrypted
from memory.transfer.archives import Archive, Limits, open_archive
from memory.transfer.bag_writing import DECLARATION, MANIFEST, TAG_MANIFEST
from memory.transfer.errors import ArchiveDamaged, ArchiveUnknown
from memory.transfer.watching import Watch
from resources.language import gettext as _

PIECE = 4 * 1024 * 1024
SIGNATURE = "signature.json"
_LINE = re.compile(r"([0-9a-fA-F]{128}) [ *](.+)")
_MOST_MANIFEST = 64 * 1024 * 1024
_MOST_TAG = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Unlock:
    """What opens an encrypted bag: a passphrase, or age identities (``AGE-SECRET-KEY-1…``)."""

    passphrase: str = field(default="", repr=False)
    identities: tuple[str, ...] = field(default=(), repr=False)

    def __call__(self, file: BinaryIO, /) -> BinaryIO:
        """Return the content of a file, decrypted where it is encrypted."""
        if not is_encrypted(file):
            return file
        return AgeReader(file, passphrase=self.passphrase, identities=self.identities)  # type: ignore[return-value]  # reads and seeks as any file


class Bag:
    """An open bag. ``listed`` are the payload files by name under ``data/`` with the SHA-512 each must have."""

    def __init__(self, archive: Archive, prefix: str) -> None:
        self.archive = archive
        self.name = archive.name
        self._prefix = prefix
        self._check_declaration()
        self.tag_manifest = self.tag(TAG_MANIFEST, _MOST_TAG)
        self._tags = self._parsed(TAG_MANIFEST, self.tag_manifest)
        manifest = self.tag(MANIFEST, _MOST_MANIFEST)
        self.listed = {
            name.removeprefix("data/"): digest for name, digest in self._parsed(MANIFEST, manifest).items()
        }
        for name, digest in self._tags.items():
            if not self.has(name) or hashlib.sha512(self.tag(name, _MOST_MANIFEST)).hexdigest() != digest:
                raise self.damaged(name)
        self._check_complete()

    @property
    def size(self) -> int:
        """Bytes of all payload files."""
        return sum(self.archive.members[f"{self._prefix}data/{name}"].size for name in self.listed)

    def has(self, name: str) -> bool:
        """Whether a file stands there, by its path in the bag."""
        return self._prefix + name in self.archive.members

    def size_of(self, name: str) -> int:
        """Return the bytes of a payload file."""
        return self.archive.members[f"{self._prefix}data/{name}"].size

    def tag(self, name: str, most: int = _MOST_TAG) -> bytes:
        """Return a small file that describes the bag. Raises ArchiveUnknown where it is missing."""
        if not self.has(name):
            raise _not_a_bag(self.name)
        return self.archive.read(self._prefix + name, most)

    def pieces(self, name: str, watch: Watch) -> Iterator[bytes]:
        """Yield a payload file whole. After the last piece raises ArchiveDamaged if it is not what is listed."""
        digest = hashlib.sha512()
        with self.archive.open(f"{self._prefix}data/{name}") as stream:
            while piece := stream.read(PIECE):
                digest.update(piece)
                watch.advance(len(piece))
                yield piece
        if digest.hexdigest() != self.listed[name]:
            raise self.damaged(f"data/{name}")

    def damaged(self, name: str) -> ArchiveDamaged:
        """Return the fault of a file that is not what the manifest says."""
        return ArchiveDamaged(
            _("“{file}” in “{name}” is missing or was changed: use another copy of the export.").format(
                file=name, name=self.name
            )
        )

    def close(self) -> None:
        """Let go of the file."""
        self.archive.close()

    def __enter__(self) -> "Bag":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _check_declaration(self) -> None:
        said = self.tag("bagit.txt").replace(b"\r\n", b"\n")
        version, _newline, encoding = said.partition(b"\n")
        expected, _newline, utf8 = DECLARATION.partition(b"\n")
        if encoding.strip() != utf8.strip() or not version.startswith(expected[: len("BagIt-Version: 1.")]):
            raise _not_a_bag(self.name)

    def _parsed(self, name: str, content: bytes) -> dict[str, str]:
        found: dict[str, str] = {}
        try:
            lines = content.decode().removesuffix("\n").replace("\r\n", "\n").split("\n")
        except UnicodeDecodeError as error:
            raise self.damaged(name) from error
        for line in lines:
            matched = _LINE.fullmatch(line)
            wanted = "data/" if name == MANIFEST else ""
            if matched is None or not matched[2].startswith(wanted) or matched[2] in found:
                raise self.damaged(name)
            found[matched[2]] = matched[1].lower()
        return found

    def _check_complete(self) -> None:
        """Refuse a file that no manifest knows, and a manifest that knows a file which is not there."""
        there = {name.removeprefix(self._prefix) for name in self.archive.members}
        known = {*(f"data/{name}" for name in self.listed), *self._tags, TAG_MANIFEST, SIGNATURE}
        if missing := sorted(known - there - {SIGNATURE}):
            raise self.damaged(missing[0])
        if extra := sorted(there - known):
            raise ArchiveDamaged(
                _("“{file}” in “{name}” is not listed in it: use another copy of the export.").format(
                    file=extra[0], name=self.name
                )
            )
        if {MANIFEST, "bagit.txt", "bag-info.txt"} - self._tags.keys():
            raise self.damaged(TAG_MANIFEST)


def open_bag(path: Path, unlock: Unlock | None = None, limits: Limits | None = None) -> Bag:
    """Open a bag: a zip, an encrypted zip, or a folder; blocks. Its manifests are checked, its payload not yet.

    Raises ArchiveUnreadable, ArchiveDamaged, ArchiveUnsafe, ArchiveLocked or ArchiveUnknown.
    """
    archive = open_archive(path, limits, unlock=unlock or Unlock())
    try:
        return Bag(archive, _prefix(archive))
    except BaseException:
        archive.close()
        raise


def _prefix(archive: Archive) -> str:
    """Return the folder within the archive in which the bag stands: none, or the one that was zipped."""
    if "bagit.txt" in archive.members:
        return ""
    tops = {name.partition("/")[0] for name in archive.members}
    top = f"{tops.pop()}/" if len(tops) == 1 else ""
    if f"{top}bagit.txt" not in archive.members:
        raise _not_a_bag(archive.name)
    return top


def _not_a_bag(name: str) -> ArchiveUnknown:
    return ArchiveUnknown(
        _("“{name}” is not an export of Bureau: choose a file that ends in .aofx or .aofx.age.").format(
            name=name
        )
    )
