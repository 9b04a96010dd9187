"""The file of one backup: a head with the wrapped key, twice, and everything else sealed in chunks.

The head says which office and backup it is and holds the key of the body, wrapped by the vault. It can be written
anew in place, and is overwritten before a backup is removed: what the disk still holds of the body is noise then.
The body is a stream of records in chunks of 1 MiB, each sealed with AES-256-GCM; what a chunk authenticates names
the backup, its number and whether it is the last, so none can be swapped, dropped or cut off.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from memory.disk import create_private, flush_folder, replace_durably
from memory.errors import BackupDamaged
from resources.language import gettext as _

ENDING = ".bureau-backup"
PART = ".part"
GONE = ".gone"
"""The end of the name of a file that is being destroyed; it is no backup any more."""
CHUNK = 1024 * 1024
HEAD = 4096
"""Bytes of one copy of the head; there are two, so that one cut short while it is written anew does no harm."""

LONGEST = 2 * CHUNK
"""Bytes of the longest piece that ``BackupWriter.add`` may be given."""

_MAGIC = b"bureau-backup-1\n"
_TAG = 16
_DIGEST = 32
_FRAME = struct.Struct(">cI")
_FILE, _DATA, _END, _CLOSE = b"F", b"D", b"E", b"Z"


@dataclass(frozen=True, slots=True)
class BackupHead:
    """What anybody may read of a backup; ``slots`` hold its key, wrapped. ``made_at`` in milliseconds UTC."""

    id: str
    office: str
    made_at: int
    occasion: str
    slots: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: files below their office's folder with sizes in bytes, and counts for people."""

    files: int
    bytes: int
    facts: dict[str, Any]


class BackupWriter:
    """Writes a backup beside its final name, which ``publish`` gives it later; ``abandon`` removes it."""

    def __init__(self, path: Path, head: BackupHead, key: bytes) -> None:
        """Begin with a 32-byte key that never sealed anything before. Raises OSError."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.path = path
        self.part = part_of(path)
        self._cipher, self._id = AESGCM(key), head.id
        self._buffer, self._number = bytearray(), 0
        self._digest = hashlib.sha256()
        self._files = self._bytes = 0
        self._target: BinaryIO = os.fdopen(create_private(self.part), "wb")
        packed = _packed(head)
        try:
            self._target.write(packed + packed)
        except OSError:
            self.abandon()
            raise

    def add(self, name: str, pieces: Iterable[bytes]) -> str:
        """Add a file by its path below the office's folder with ``/``; return the SHA-256 of its bytes."""
        self._record(_FILE, name.encode("utf-8", "surrogateescape"))
        digest, size = hashlib.sha256(), 0
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            self._record(_DATA, piece)
        self._record(_END, digest.digest() + size.to_bytes(8, "big"))
        self._files, self._bytes = self._files + 1, self._bytes + size
        return digest.hexdigest()

    def finish(self, facts: dict[str, Any]) -> str:
        """Close the body with facts for people and return its SHA-256; the file ``part`` is whole and on disk."""
        closing = {"files": self._files, "bytes": self._bytes, "facts": facts}
        self._record(_CLOSE, json.dumps(closing).encode())
        self._seal(bytes(self._buffer), last=True)
        self._target.flush()
        os.fsync(self._target.fileno())
        self._target.close()
        return self._digest.hexdigest()

    def abandon(self) -> None:
        """Remove what was written, finished or not."""
        # A disk that went away has taken the file along; the next backup there sweeps what is left.
        with suppress(OSError):
            self._target.close()
        with suppress(OSError):
            self.part.unlink(missing_ok=True)

    def _record(self, kind: bytes, payload: bytes) -> None:
        self._buffer += _FRAME.pack(kind, len(payload)) + payload
        # One byte more than a chunk: the last chunk, sealed as such, is never empty.
        while len(self._buffer) > CHUNK:
            self._seal(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number), chunk, _bound(self._id, self._number, last=last))
        self._digest.update(sealed)
        self._target.write(sealed)
        self._number += 1


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A file in a backup while it is read: its path below the office's folder, and its bytes, to be read through."""

    name: str
    pieces: Iterator[bytes]


class BackupReader:
    """Reads a backup from its beginning; every byte is checked before it is given out."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self.head = read_head(path)
        self._key = key
        self._digest = hashlib.sha256()
        self.contents: Contents | None = None

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was read of the body so far."""
        return self._digest.hexdigest()

    def files(self) -> Iterator[BackupFile]:
        """Yield every file, in order; ``contents`` is known after the last. Raises BackupDamaged."""
        records, count, total = self._records(), 0, 0
        for kind, payload in records:
            if kind == _CLOSE:
                said = json.loads(payload)
                if (said["files"], said["bytes"]) != (count, total) or next(records, None) is not None:
                    raise damaged(self.path)
                self.contents = Contents(count, total, said["facts"])
                return
            if kind != _FILE:
                raise damaged(self.path)
            seen = _Seen()
            pieces = self._pieces(records, seen)
            yield BackupFile(self._checked_name(payload), pieces)
            for _rest in pieces:
                continue
            count, total = count + 1, total + seen.size
        raise damaged(self.path)

    def _pieces(self, records: Iterator[tuple[bytes, bytes]], seen: "_Seen") -> Iterator[bytes]:
        digest = hashlib.sha256()
        for kind, payload in records:
            if kind == _DATA:
                digest.update(payload)
                seen.size += len(payload)
                yield payload
            elif kind == _END and payload == digest.digest() + seen.size.to_bytes(8, "big"):
                return
            else:
                raise damaged(self.path)
        raise damaged(self.path)

    def _records(self) -> Iterator[tuple[bytes, bytes]]:
        buffer = bytearray()
        for chunk in self._chunks():
            buffer += chunk
            while len(buffer) >= _FRAME.size:
                kind, length = _FRAME.unpack_from(buffer)
                if length > LONGEST:
                    raise damaged(self.path)
                if len(buffer) < _FRAME.size + length:
                    break
                payload = bytes(buffer[_FRAME.size : _FRAME.size + length])
                del buffer[: _FRAME.size + length]
                yield kind, payload
        if buffer:
            raise damaged(self.path)

    def _chunks(self) -> Iterator[bytes]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        cipher = AESGCM(self._key)
        try:
            with self.path.open("rb") as file:
                file.seek(2 * HEAD)
                _past_cache(file)
                sealed, number = file.read(CHUNK + _TAG), 0
                while sealed:
                    following = file.read(CHUNK + _TAG)
                    self._digest.update(sealed)
                    bound = _bound(self.head.id, number, last=not following)
                    yield cipher.decrypt(_nonce(number), sealed, bound)
                    sealed, number = following, number + 1
        except OSError as error:
            raise _unreadable(self.path, error) from error
        except InvalidTag as error:
            raise damaged(self.path) from error

    def _checked_name(self, payload: bytes) -> str:
        name = payload.decode("utf-8", "surrogateescape")
        path = PurePosixPath(name)
        leads_out = path.is_absolute() or not path.parts or ".." in path.parts or "\0" in name
        if leads_out or (os.name == "nt" and any(sign in name for sign in "\\:")):
            raise damaged(self.path)
        return name


@dataclass(slots=True)
class _Seen:
    size: int = 0


def part_of(path: Path) -> Path:
    """Return what a backup is called until it is published."""
    return path.with_name(path.name + PART)


def publish(path: Path) -> None:
    """Give a finished backup its name, durably. Raises OSError."""
    replace_durably(part_of(path), path)


def read_head(path: Path) -> BackupHead:
    """Return the head of a backup, from its second copy where the first is damaged. Raises BackupDamaged."""
    try:
        with path.open("rb") as file:
            copies = [file.read(HEAD), file.read(HEAD)]
    except OSError as error:
        raise _unreadable(path, error) from error
    for copy in copies:
        head = _unpacked(copy)
        if head is not None:
            return head
    raise damaged(path)


def rewrap(path: Path, slots: Iterable[dict[str, Any]]) -> None:
    """Put other wraps of the key into the head, in the place of the former ones. Raises OSError, BackupDamaged."""
    packed = _packed(replace(read_head(path), slots=tuple(slots)))
    with path.open("r+b") as file:
        for start in (HEAD, 0):
            file.seek(start)
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())


def shred(path: Path) -> None:
    """Overwrite the wraps of the key, then remove the file. One that is gone is no error. Raises OSError.

    It takes another name first: what a crash leaves is then no backup to anybody, and swept away.
    """
    doomed = path if path.name.endswith(GONE) else path.with_name(path.name + GONE)
    try:
        path.replace(doomed)
        with doomed.open("r+b") as file:
            file.write(bytes(2 * HEAD))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError:
        return
    doomed.unlink(missing_ok=True)
    flush_folder(path.parent)


def damaged(path: Path) -> BackupDamaged:
    """Return the sentence for a backup that does not check out."""
    return BackupDamaged(
        _("The backup {name} is damaged or cut off: choose another one.").format(name=path.name)
    )


def _unreadable(path: Path, error: OSError) -> BackupDamaged:
    return BackupDamaged(
        _("{path} cannot be read ({reason}): connect the disk it is on, or choose another backup.").format(
            path=path, reason=error.strerror
        )
    )


def _packed(head: BackupHead) -> bytes:
    said = json.dumps({**asdict(head), "slots": list(head.slots)}, separators=(",", ":")).encode()
    filled = _MAGIC + len(said).to_bytes(4, "big") + said
    if len(filled) > HEAD - _DIGEST:
        raise ValueError("the head is too long")
    filled = filled.ljust(HEAD - _DIGEST, b"\0")
    return filled + hashlib.sha256(filled).digest()


def _unpacked(copy: bytes) -> BackupHead | None:
    filled, digest = copy[: HEAD - _DIGEST], copy[HEAD - _DIGEST :]
    if not filled.startswith(_MAGIC) or hashlib.sha256(filled).digest() != digest:
        return None
    start = len(_MAGIC) + 4
    length = int.from_bytes(filled[len(_MAGIC) : start], "big")
    try:
        said = json.loads(filled[start : start + length])
        return BackupHead(
            str(said["id"]),
            str(said["office"]),
            int(said["made_at"]),
            str(said["occasion"]),
            tuple(said["slots"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _past_cache(file: BinaryIO) -> None:
    """Let what is read come from the disk and not from memory, where the system can."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(identifier: str, number: int, *, last: bool) -> bytes:
    return f"bureau backup 1|{identifier}|{number}|{'last' if last else 'more'}".encode()
