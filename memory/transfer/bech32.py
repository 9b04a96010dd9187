"""Bech32 (BIP 173), in which age writes its keys."""

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK = 6
"""Characters of the checksum."""


def decode(text: str, prefix: str) -> bytes | None:
    """Return the bytes of a text with this prefix, None where it is mistyped or of another kind."""
    if text != text.lower() and text != text.upper():
        return None
    text = text.lower()
    found, separator, data = text.rpartition("1")
    if found != prefix or not separator or len(data) < _CHECK or any(sign not in _ALPHABET for sign in data):
        return None
    values = [_ALPHABET.index(sign) for sign in data]
    spread = [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]
    if _checksum(spread + values) != 1:
        return None
    return _bytes(values[:-_CHECK])


def _checksum(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for index, generator in enumerate(_GENERATORS):
            check ^= generator if (top >> index) & 1 else 0
    return check


def _bytes(values: list[int]) -> bytes | None:
    """Join groups of five bits to bytes; what is left over must be fewer than five bits, all zero."""
    number, bits, result = 0, 0, bytearray()
    for value in values:
        number = (number << 5 | value) & 0xFFF
        bits += 5
        if bits >= 8:
            bits -= 8
            result.append(number >> bits & 0xFF)
    if bits >= 5 or number & ((1 << bits) - 1):
        return None
    return bytes(result)
