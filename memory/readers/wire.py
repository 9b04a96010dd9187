"""Messages between the office and a reading worker: a length, a JSON object, and the bytes it announces."""

import json
import struct
from typing import BinaryIO

_LENGTH = struct.Struct(">Q")
_LONGEST_HEADER = 1024 * 1024


class WireError(Exception):
    """The other end sent something that is not a message."""


def send(stream: BinaryIO, message: dict[str, object]) -> None:
    """Write one message; raises BrokenPipeError where the other end is gone."""
    encoded = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    stream.write(_LENGTH.pack(len(encoded)))
    stream.write(encoded)
    stream.flush()


def receive(stream: BinaryIO, longest: int = _LONGEST_HEADER) -> dict[str, object] | None:
    """Read one message, or None at the end; raises WireError where it is too long or no object."""
    prefix = stream.read(_LENGTH.size)
    if not prefix:
        return None
    if len(prefix) < _LENGTH.size:
        raise WireError("cut short")
    (length,) = _LENGTH.unpack(prefix)
    if length > longest:
        raise WireError("too long")
    encoded = stream.read(length)
    if len(encoded) < length:
        raise WireError("cut short")
    try:
        message = json.loads(encoded.decode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise WireError("not JSON") from error
    if not isinstance(message, dict):
        raise WireError("not an object")
    return message
