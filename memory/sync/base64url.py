"""Base64url without padding (RFC 4648 §5), the form of bytes in the protocol's JSON."""

import base64
import binascii


def encode(data: bytes) -> str:
    """Return the text of bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: object, length: int | None = None) -> bytes:
    """Return the bytes of a text, which must be the only one they have, and of ``length`` bytes if given.

    Raises ValueError.
    """
    if not isinstance(text, str):
        raise ValueError("not a text")
    try:
        raw = text.encode("ascii")
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as wrong:
        raise ValueError("not base64url") from wrong
    if encode(data) != text:
        raise ValueError("not the shortest base64url")
    if length is not None and len(data) != length:
        raise ValueError(f"{len(data)} bytes instead of {length}")
    return data
