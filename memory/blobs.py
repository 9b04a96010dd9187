"""Files at rest: one encrypted file per blob, its random key in its row of the database alone.

A blob is cut into chunks of 4 MiB, each sealed with AES-256-GCM. The additional data names blob, chunk and
count, so chunks can be neither swapped nor cut off. Removing the row makes the file noise.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, select, union_all
from sqlalchemy.orm import Session

from memory.disk import create_private, replace_durably, told_by_system
from memory.errors import BlobDamaged, Refused
from memory.identifiers import new_id, now
from memory.tables import AttachmentTable, BlobTable, SyncTransferTable
from memory.tables.records import record, required
from resources.language import gettext as _

CHUNK = 4 * 1024 * 1024
LIMIT = 256 * 1024 * 1024
"""Bytes of the largest file that is taken."""
_TAG = 16
_BINARY: int = getattr(os, "O_BINARY", 0)
_PART = ".part"
_ARRIVING = ".arriving"
"""Ends the name of a file of which the first pieces have come from another device."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What opens an encrypted file; ``size`` is in bytes of plain content, ``sha256`` is of that content."""

    id: str
    key: bytes = field(repr=False)
    size: int
    chunks: int
    sha256: str
    created_at: int


class BlobStore:
    """The folder of encrypted files. Its methods block; at most two chunks are in memory at a time."""

    def __init__(self, folder: Path, *, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    def write(
        self, source: Path | bytes | Iterable[bytes], *, size: int | None = None, identifier: str = ""
    ) -> Blob:
        """Encrypt a file, bytes, or pieces that come to ``size`` bytes; the file is on disk on return.

        ``identifier`` is the id that a blob brought in had before; otherwise it is given a new one.

        The caller then records the blob (``record_blob``) in the transaction that refers to it. Raises
        Refused for what is too large or changed while it was read, DiskFull, DiskReadOnly or StorageError.
        """
        if isinstance(source, Path):
            try:
                # Opening a pipe that nobody writes to would wait for ever.
                if source.exists() and not source.is_file():
                    raise Refused(
                        _(
                            "“{name}” is no file that can be kept: choose a file with content of its own."
                        ).format(name=source.name)
                    )
                with source.open("rb") as opened:
                    size = os.fstat(opened.fileno()).st_size
                    return self._write(_pieces(opened), size, source.name, identifier)
            except OSError as error:
                raise Refused(
                    _("“{name}” cannot be read ({reason}): check that it is there and yours to read.").format(
                        name=source.name, reason=error.strerror
                    )
                ) from error
        if isinstance(source, bytes):
            return self._write(iter([source]), len(source), _("What you pasted"), identifier)
        if size is None:
            raise TypeError("pieces need their total size: it is part of what is sealed")
        return self._write(iter(source), size, _("The file"), identifier)

    def read(self, blob: Blob) -> bytes:
        """Return the whole plain content. Raises BlobDamaged."""
        return b"".join(self.stream(blob))

    def stream(self, blob: Blob) -> Iterator[bytes]:
        """Yield the plain content in chunks of 4 MiB, each checked before it is yielded. Raises BlobDamaged."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        cipher = AESGCM(blob.key)
        try:
            with self.path(blob.id).open("rb") as file:
                if os.fstat(file.fileno()).st_size != blob.size + blob.chunks * _TAG:
                    raise _damaged(blob.id)
                for index in range(blob.chunks):
                    sealed = file.read(CHUNK + _TAG)
                    yield cipher.decrypt(_nonce(index), sealed, _bound(blob.id, index, blob.chunks))
        except (InvalidTag, OSError) as error:
            raise _damaged(blob.id) from error

    def piece(self, blob: Blob, index: int) -> bytes:
        """Return one chunk of the plain content, checked. Raises BlobDamaged."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            with self.path(blob.id).open("rb") as file:
                file.seek(index * (CHUNK + _TAG))
                sealed = file.read(CHUNK + _TAG)
            return AESGCM(blob.key).decrypt(_nonce(index), sealed, _bound(blob.id, index, blob.chunks))
        except (InvalidTag, OSError) as error:
            raise _damaged(blob.id) from error

    def write_piece(self, blob: Blob, index: int, piece: bytes) -> None:
        """Put one chunk of a file that is arriving on the disk; each is 4 MiB long but the last.

        The same chunk may be written again, never another one in its place. Raises DiskFull, DiskReadOnly or
        StorageError.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        path = self.path(blob.id + _ARRIVING)
        sealed = AESGCM(blob.key).encrypt(_nonce(index), piece, _bound(blob.id, index, blob.chunks))
        try:
            with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | _BINARY, 0o600), "wb") as file:
                file.seek(index * (CHUNK + _TAG))
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise told_by_system(error, path) from error

    def complete(self, blob: Blob) -> Blob:
        """Read a file once more of which every chunk was written, give it its name, and return what opens it.

        Raises BlobDamaged, or another StorageError.
        """
        arriving, final = self.path(blob.id + _ARRIVING), self.path(blob.id)
        try:
            if arriving.exists():
                replace_durably(arriving, final)
        except OSError as error:
            raise told_by_system(error, arriving) from error
        digest = hashlib.sha256()
        for chunk in self.stream(blob):
            digest.update(chunk)
        return replace(blob, sha256=digest.hexdigest())

    def verify(self, blob: Blob) -> None:
        """Read the whole file and compare its content with the row. Raises BlobDamaged."""
        digest = hashlib.sha256()
        with closing(self.stream(blob)) as chunks:  # type: ignore[type-var]  # a generator can be closed
            for chunk in chunks:
                digest.update(chunk)
        if digest.hexdigest() != blob.sha256:
            raise _damaged(blob.id)

    def delete(self, blob_id: str) -> None:
        """Remove the file, if it or a part of it is there; its row is removed by the caller. Raises a StorageError."""
        try:
            self.path(blob_id).unlink(missing_ok=True)
            self.path(blob_id + _ARRIVING).unlink(missing_ok=True)
        except OSError as error:
            raise told_by_system(error, self.path(blob_id)) from error

    def sweep(self, known: frozenset[str]) -> int:
        """Remove what a crash left: half-written files, and files without a row. Returns how many.

        Only while nothing is being written, as at start.
        """
        removed = 0
        for path in self._folder.iterdir():
            named = path.name.removesuffix(_ARRIVING)
            if path.name.endswith(_PART) or (_is_blob_name(named) and named not in known):
                path.unlink()
                removed += 1
        return removed

    def path(self, blob_id: str) -> Path:
        """Return where the encrypted file of a blob stands."""
        return self._folder / blob_id

    def _write(self, pieces: Iterator[bytes], size: int, name: str, identifier: str) -> Blob:
        if size > self._limit:
            raise Refused(
                _("{name} has {size} MB; up to {limit} MB can be attached: attach the part you need.").format(
                    name=name, size=-(-size // 1_000_000), limit=self._limit // 1_000_000
                )
            )
        identifier, key, count = identifier or new_id(), secrets.token_bytes(32), max(1, -(-size // CHUNK))
        temporary = self.path(identifier + _PART)
        try:
            with os.fdopen(create_private(temporary), "wb") as target:
                digest, written = _seal(pieces, target, identifier, key, count)
                if written != size:
                    raise Refused(_("{name} changed while it was read: attach it again.").format(name=name))
                target.flush()
                os.fsync(target.fileno())
            replace_durably(temporary, self.path(identifier))
        except BaseException as error:
            # Where even this fails, the next start sweeps the half-written file away.
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise told_by_system(error, temporary) from error
            raise
        return Blob(identifier, key, size, count, digest, now())


def record_blob(session: Session, blob: Blob) -> None:
    """Keep the key of a written file; without this row the next start removes the file."""
    session.add(
        BlobTable(
            id=blob.id,
            key=blob.key,
            size=blob.size,
            chunks=blob.chunks,
            sha256=blob.sha256,
            created_at=blob.created_at,
        )
    )
    session.flush()


def blob(session: Session, blob_id: str) -> Blob:
    """Return what opens a file. Raises NotFound."""
    return record(Blob, required(session, BlobTable, blob_id))


def drop_unreferenced(session: Session) -> frozenset[str]:
    """Forget the keys of files that no attachment refers to; return the ids of the others, and of what is arriving."""
    referred = select(AttachmentTable.blob_id).where(AttachmentTable.blob_id.is_not(None))
    session.execute(delete(BlobTable).where(BlobTable.id.not_in(referred)))
    arriving = select(SyncTransferTable.blob_id).where(SyncTransferTable.arrives)
    return frozenset(session.scalars(union_all(select(BlobTable.id), arriving)))


def _seal(
    pieces: Iterator[bytes], target: BinaryIO, identifier: str, key: bytes, count: int
) -> tuple[str, int]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher, digest, written = AESGCM(key), hashlib.sha256(), 0
    for index, chunk in enumerate(_chunks(pieces)):
        if index == count:
            return "", -1
        digest.update(chunk)
        written += len(chunk)
        target.write(cipher.encrypt(_nonce(index), chunk, _bound(identifier, index, count)))
    return digest.hexdigest(), written


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece


def _chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut pieces of any length into chunks; nothing at all makes one empty chunk."""
    waiting, any_yet = bytearray(), False
    for piece in pieces:
        view = memoryview(piece)
        while view:
            room = CHUNK - len(waiting)
            waiting += view[:room]
            view = view[room:]
            if len(waiting) == CHUNK:
                yield bytes(waiting)
                any_yet = True
                waiting.clear()
    if waiting or not any_yet:
        yield bytes(waiting)


def _nonce(index: int) -> bytes:
    # Each key seals one file once, so a counter never repeats under it.
    return bytes(4) + index.to_bytes(8, "big")


def _bound(identifier: str, index: int, count: int) -> bytes:
    return b"blob" + bytes.fromhex(identifier) + index.to_bytes(4, "big") + count.to_bytes(4, "big")


def _is_blob_name(name: str) -> bool:
    return len(name) == 32 and all(character in "0123456789abcdef" for character in name)


def _damaged(identifier: str) -> BlobDamaged:
    return BlobDamaged(
        _("The stored file {id} is missing or damaged: attach it again, or restore a backup.").format(
            id=identifier[:8]
        )
    )
