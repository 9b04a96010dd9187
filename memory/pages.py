"""The pages of the encrypted database as they lie in its files: which the log holds, and what is in them.

SQLCipher 4: pages of 4,096 bytes, each AES-256-CBC under the key itself; the last 80 bytes of a page are its
initialisation vector and its checksum, the first 16 bytes of the file a salt. The frames of the write-ahead log
carry the numbers of their pages in clear.
"""

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

PAGE = 4096
_RESERVED, _VECTOR, _SALT = 80, 16, 16
_LOG_HEADER, _FRAME_HEADER = 32, 24


def log_of(database: Path) -> Path:
    """Return where the database's write-ahead log lies."""
    return database.with_name(database.name + "-wal")


def logged_pages(database: Path) -> frozenset[int]:
    """Return the numbers, from 1, of the pages that the write-ahead log holds; none where there is no log."""
    found = set()
    try:
        with log_of(database).open("rb") as log:
            log.seek(_LOG_HEADER)
            while len(head := log.read(_FRAME_HEADER)) == _FRAME_HEADER:
                found.add(struct.unpack(">I", head[:4])[0])
                log.seek(PAGE, 1)
    except FileNotFoundError:
        return frozenset()
    return frozenset(found)


def decrypted(
    database: Path, key: bytes, numbers: Iterable[int] | None = None, *, together: int = 256
) -> Iterator[bytes]:
    """Yield the plain content of pages, ``together`` of them joined: of those numbered from 1, else of all.

    Nothing is checked: what is no page of this key decrypts to noise. Raises OSError.
    """
    with database.open("rb") as file:
        count = file.seek(0, 2) // PAGE
        wanted = range(1, count + 1) if numbers is None else sorted(n for n in set(numbers) if n <= count)
        joined: list[bytes] = []
        for number in wanted:
            file.seek((number - 1) * PAGE)
            joined.append(_plain(file.read(PAGE), number, key))
            if len(joined) == together:
                yield b"".join(joined)
                joined.clear()
        if joined:
            yield b"".join(joined)


def _plain(page: bytes, number: int, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES256
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    if len(page) < PAGE:
        return b""
    begin, end = (_SALT if number == 1 else 0), PAGE - _RESERVED
    decryptor = Cipher(AES256(key), CBC(page[end : end + _VECTOR])).decryptor()
    return decryptor.update(page[begin:end]) + decryptor.finalize()
