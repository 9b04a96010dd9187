"""The list of members at the end of a zip, measured before a library reads it whole into memory."""

import os
import struct
import zipfile
from typing import BinaryIO

from memory.transfer.errors import ArchiveUnsafe
from resources.language import gettext as _

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_COMMENT = 0xFFFF
"""Bytes of the longest comment, which is all that may follow the end record."""


def check_directory(file: BinaryIO, name: str, *, most_bytes: int, most_members: int) -> None:
    """Raise ArchiveUnsafe where the list of members is over a limit, zipfile.BadZipFile where it is missing."""
    size = file.seek(0, os.SEEK_END)
    reach = min(size, _END.size + _COMMENT)
    file.seek(size - reach)
    tail = file.read(reach)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise zipfile.BadZipFile("no end record")
    fields = _END.unpack_from(tail, at)
    members, length = fields[4], fields[5]
    if (large := _large(file, size - reach + at)) is not None:
        members, length = large
    file.seek(0)
    if members > most_members or length > most_bytes:
        raise ArchiveUnsafe(
            _("“{name}” lists far more files than an export holds: get it anew from its source.").format(
                name=name
            )
        )


def _large(file: BinaryIO, end: int) -> tuple[int, int] | None:
    """Return members and bytes as the 64-bit end record tells them, where there is one."""
    if end < _LOCATOR_64.size + _END_64.size:
        return None
    file.seek(end - _LOCATOR_64.size)
    if file.read(4) != b"PK\x06\x07":
        return None
    # The library looks for the record right before its locator, wherever the locator points.
    file.seek(end - _LOCATOR_64.size - _END_64.size)
    fields = _END_64.unpack(file.read(_END_64.size))
    return (fields[7], fields[8]) if fields[0] == b"PK\x06\x06" else None
