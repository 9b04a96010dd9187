"""A file sealed piece by piece with one key: a backup of the records that is of no use once its day's key is gone.

"BHB1"   day (uint32)   nonce (7 bytes)   then pieces of 1 MiB, each AES-256-GCM under nonce ‖ last? ‖ uint32(i)
"""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memory.sync.hosted.errors import ServiceFault
from resources.language import gettext as _

_MAGIC = b"BHB1"
_HEAD = len(_MAGIC) + 4 + 7
_PIECE = 2**20
_TAG = 16


def seal_file(source: Path, target: Path, day: int, key: bytes) -> None:
    """Write the sealed form of a file."""
    cipher, head = AESGCM(key), _MAGIC + day.to_bytes(4, "big") + os.urandom(7)
    with source.open("rb") as opened, target.open("xb") as written:
        written.write(head)
        piece, index = opened.read(_PIECE), 0
        while True:
            following = opened.read(_PIECE)
            written.write(cipher.encrypt(_nonce(head, not following, index), piece, head))
            if not following:
                break
            piece, index = following, index + 1
        written.flush()
        os.fsync(written.fileno())


def day_of(file: Path) -> int:
    """Return the day whose key opens a file. Raises ServiceFault for a file that is no backup."""
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD)
    except OSError as wrong:
        raise ServiceFault(
            _("The backup {file} cannot be read: {reason}.").format(file=file, reason=wrong.strerror)
        ) from wrong
    if len(head) != _HEAD or not head.startswith(_MAGIC):
        raise ServiceFault(_("{file} is no backup of this service.").format(file=file))
    return int.from_bytes(head[4:8], "big")


def open_file(source: Path, target: Path, key: bytes) -> None:
    """Write what a sealed file holds. Raises ServiceFault where it is damaged, cut or of another key."""
    cipher = AESGCM(key)
    with source.open("rb") as opened, target.open("xb") as written:
        head = opened.read(_HEAD)
        piece, index = opened.read(_PIECE + _TAG), 0
        while True:
            following = opened.read(_PIECE + _TAG)
            try:
                written.write(cipher.decrypt(_nonce(head, not following, index), piece, head))
            except InvalidTag:
                raise ServiceFault(
                    _("The backup {file} is damaged; take an older one.").format(file=source)
                ) from None
            if not following:
                return
            piece, index = following, index + 1


def _nonce(head: bytes, last: bool, index: int) -> bytes:
    return head[8:] + bytes([last]) + index.to_bytes(4, "big")
