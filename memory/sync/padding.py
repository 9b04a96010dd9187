"""Padmé: the length of a record shows little more than its order of magnitude, for at most an eighth more bytes."""

from memory.sync.errors import PlaintextInvalid

SMALLEST = 256
_PREFIX = 4


def padded_size(content: int) -> int:
    """Return how many bytes the given number of content bytes takes, its length of four bytes included."""
    whole = content + _PREFIX
    exponent = max(8, whole.bit_length() - 1)
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return max(SMALLEST, (whole + mask) & ~mask)


def pad(content: bytes) -> bytes:
    """Return ``uint32(length) ‖ content ‖ zeros``."""
    return (len(content).to_bytes(_PREFIX, "big") + content).ljust(padded_size(len(content)), b"\0")


def unpad(padded: bytes) -> bytes:
    """Return the content. Raises PlaintextInvalid unless it was padded in the one right way."""
    length = int.from_bytes(padded[:_PREFIX], "big")
    end = _PREFIX + length
    if len(padded) < SMALLEST or end > len(padded) or len(padded) != padded_size(length):
        raise PlaintextInvalid("padding: length")
    if padded.count(0, end) != len(padded) - end:
        raise PlaintextInvalid("padding: not zero")
    return padded[_PREFIX:end]
