"""The sealed index: the folder of Chroma as one encrypted file, under a key that only the database holds.

The plain stream is a length-prefixed JSON list of ``[name, size]`` and the files' bytes one after the other;
it is cut into chunks, each sealed with AES-256-GCM under its own nonce. What a chunk authenticates names the
office, the snapshot, the chunk and how many there are, so none can be swapped, dropped or taken elsewhere.
"""

import json
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memory.recall.errors import SnapshotDamaged
from resources.language import gettext as _

CHUNK = 1024 * 1024
_TAG = 16


def seal(folder: Path, target: Path, key: bytes, office: str, snapshot: str) -> int:
    """Write the folder to ``target``, durably and all at once; return the number of chunks. Raises OSError.

    ``key`` is 32 bytes and must never have sealed anything before.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    names = [path.relative_to(folder).as_posix() for path in files]
    listing = json.dumps(list(zip(names, sizes, strict=True))).encode()
    head = struct.pack("<I", len(listing)) + listing
    count = -(-(len(head) + sum(sizes)) // CHUNK)
    cipher = AESGCM(key)
    fresh = target.with_name(target.name + ".new")
    try:
        with open(fresh, "wb", opener=_private) as output:
            for number, chunk in enumerate(_chunks(head, files, sizes)):
                output.write(
                    cipher.encrypt(_nonce(number), chunk, _identity(office, snapshot, number, count))
                )
            output.flush()
            os.fsync(output.fileno())
        fresh.replace(target)
    except BaseException:
        fresh.unlink(missing_ok=True)  # on a full disk it holds what room there was
        raise
    _sync_folder(target.parent)
    return count


def unseal(source: Path, folder: Path, key: bytes, office: str, snapshot: str, count: int) -> None:
    """Fill the folder from a sealed file. Raises SnapshotDamaged; the folder is empty then."""
    try:
        _unpack(_opened(source, AESGCM(key), office, snapshot, count), folder)
    except (OSError, InvalidTag, ValueError, struct.error, StopIteration) as error:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        raise SnapshotDamaged(
            _("The sealed index is damaged; it is built anew from the database.")
        ) from error


def _chunks(head: bytes, files: list[Path], sizes: list[int]) -> Iterator[bytes]:
    buffer = bytearray(head)
    for path, size in zip(files, sizes, strict=True):
        with path.open("rb") as content:
            left = size
            while left:
                piece = content.read(min(CHUNK, left))
                if not piece:
                    raise OSError(f"{path.name} shrank while it was sealed")
                left -= len(piece)
                buffer += piece
                while len(buffer) >= CHUNK:
                    yield bytes(buffer[:CHUNK])
                    del buffer[:CHUNK]
    if buffer:
        yield bytes(buffer)


def _opened(source: Path, cipher: AESGCM, office: str, snapshot: str, count: int) -> Iterator[bytes]:
    with source.open("rb") as sealed:
        for number in range(count):
            chunk = sealed.read(CHUNK + _TAG)
            yield cipher.decrypt(_nonce(number), chunk, _identity(office, snapshot, number, count))
        if sealed.read(1):
            raise ValueError("more follows the last chunk")


def _unpack(chunks: Iterator[bytes], folder: Path) -> None:
    buffer = bytearray(next(chunks))
    (length,) = struct.unpack_from("<I", buffer)
    del buffer[:4]
    while len(buffer) < length:
        buffer += next(chunks)
    listing = json.loads(bytes(buffer[:length]))
    del buffer[:length]
    for name, size in listing:
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        left = size
        with open(path, "wb", opener=_private) as output:
            while left:
                if not buffer:
                    buffer += next(chunks)
                piece = buffer[:left]
                output.write(piece)
                left -= len(piece)
                del buffer[: len(piece)]
    if buffer or next(chunks, None) is not None:
        raise ValueError("more follows the last file")


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _identity(office: str, snapshot: str, number: int, count: int) -> bytes:
    return f"bureau index 1|{office}|{snapshot}|{number}|{count}".encode()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # a folder cannot be opened there, and a rename is durable
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
