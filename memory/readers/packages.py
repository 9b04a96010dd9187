"""Checks on Office files (ZIP archives of XML) before a library unpacks them."""

import io
import re
import zipfile
import zlib

from memory.readers.errors import FileBomb, FileDamaged, FileEncrypted

MOST_MEMBERS = 20_000
MOST_UNPACKED = 1024 * 1024 * 1024
MOST_XML = 256 * 1024 * 1024
HIGHEST_RATIO = 200
_SMALL_ENOUGH = 64 * 1024 * 1024
_CHUNK = 256 * 1024
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def check_package(content: bytes, name: str) -> None:
    """Raise FileBomb where the archive would unpack to too much or its XML defines entities.

    Raises FileDamaged where the archive is broken and FileEncrypted where a member needs a password.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            _check_sizes(members, len(content), name)
            for member in members:
                if member.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _check_xml(archive, member, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise FileDamaged(name) from error


def _check_sizes(members: list[zipfile.ZipInfo], packed: int, name: str) -> None:
    unpacked = sum(member.file_size for member in members)
    xml = sum(member.file_size for member in members if member.filename.lower().endswith(".xml"))
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED or xml > MOST_XML:
        raise FileBomb(name)
    if unpacked > _SMALL_ENOUGH and unpacked > packed * HIGHEST_RATIO:
        raise FileBomb(name)
    if any(member.flag_bits & 0x1 for member in members):
        raise FileEncrypted(name)


def _check_xml(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    """Raise FileBomb where a part declares a document type: Office files never do, entity bombs must."""
    kept = b""
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            plain = (kept + chunk).replace(b"\x00", b"")  # UTF-16 is ASCII with NULs here
            if _DECLARATION.search(plain):
                raise FileBomb(name)
            kept = plain[-16:]
