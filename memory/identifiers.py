"""Identifiers and instants as every table stores them."""

import secrets
import time


def new_id() -> str:
    """Return 16 random bytes as 32 lowercase hexadecimal digits; they hold no time and no order."""
    return secrets.token_hex(16)


def now() -> int:
    """Return the present instant in milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000
