"""Frames on the pipes between the office and the recall process.

A frame is two little-endian 32-bit lengths, a JSON header of the first length and raw bytes (float32 vectors,
row after row) of the second.
"""

import json
import struct
from typing import Any, BinaryIO, Protocol

_LENGTHS = struct.Struct("<II")
LARGEST = 512 * 1024 * 1024
"""Bytes; a longer frame means that the two ends have lost step."""


class Stream(Protocol):
    """Anything that bytes can be read from, even when it gives fewer than asked."""

    def read(self, count: int, /) -> bytes | None: ...

    def fileno(self) -> int: ...


class FrameBroken(Exception):
    """The other end closed the pipe in the middle of a frame, or sent something else than frames."""


def write_frame(stream: BinaryIO, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Write one frame and flush it. Raises OSError when the other end is gone."""
    encoded = json.dumps(header, ensure_ascii=False).encode()
    stream.write(_LENGTHS.pack(len(encoded), len(body)))
    stream.write(encoded)
    stream.write(body)
    stream.flush()


def read_frame(stream: Stream) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None when the other end closed the pipe between frames. Raises FrameBroken."""
    lengths = _read(stream, _LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise FrameBroken("the pipe ended within a frame")
    header_length, body_length = _LENGTHS.unpack(lengths)
    if header_length > LARGEST or body_length > LARGEST:
        raise FrameBroken("a frame is longer than any that is sent")
    header = _read(stream, header_length)
    body = _read(stream, body_length)
    if len(header) < header_length or len(body) < body_length:
        raise FrameBroken("the pipe ended within a frame")
    return json.loads(header), body


def _read(stream: Stream, count: int) -> bytes:
    """Read ``count`` bytes, or what there is before the end."""
    pieces: list[bytes] = []
    while count:
        piece = stream.read(count)
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)
