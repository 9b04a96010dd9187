"""Pictures: their format and size, from the header alone."""

from dataclasses import dataclass
from struct import error as struct_error
from struct import unpack_from


@dataclass(frozen=True, slots=True)
class ImageSize:
    """Width and height in pixels."""

    width: int
    height: int


def image_size(content: bytes) -> ImageSize | None:
    """Return the size of a PNG, JPEG, GIF or WebP picture, or None where the header does not tell it."""
    try:
        size = _size(content)
    except (struct_error, IndexError):
        return None
    return size if size is not None and size.width > 0 and size.height > 0 else None


def _size(content: bytes) -> ImageSize | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return ImageSize(*unpack_from(">II", content, 16))
    if content.startswith((b"GIF87a", b"GIF89a")):
        return ImageSize(*unpack_from("<HH", content, 6))
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return _webp(content)
    return None


def _jpeg(content: bytes) -> ImageSize | None:
    position = 2
    while position + 9 < len(content):
        if content[position] != 0xFF:
            return None
        marker = content[position + 1]
        if marker == 0xFF:
            position += 1
        elif 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = unpack_from(">HH", content, position + 5)
            return ImageSize(width, height)
        elif 0xD0 <= marker <= 0xD8 or marker == 0x01:
            position += 2
        else:
            position += 2 + unpack_from(">H", content, position + 2)[0]
    return None


def _webp(content: bytes) -> ImageSize | None:
    chunk = content[12:16]
    if chunk == b"VP8X":
        width, height = (int.from_bytes(content[start : start + 3], "little") + 1 for start in (24, 27))
        return ImageSize(width, height)
    if chunk == b"VP8L" and content[20] == 0x2F:
        bits = unpack_from("<I", content, 21)[0]
        return ImageSize((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if chunk == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", content, 26)
        return ImageSize(width & 0x3FFF, height & 0x3FFF)
    return None
