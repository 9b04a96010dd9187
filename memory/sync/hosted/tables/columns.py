"""Column types that mean the same in SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text


def _ordered(length: int) -> Any:
    """A text that is compared byte by byte in both databases."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def id_(name: str, **more: Any) -> Column[str]:
    """A column of 16 bytes in hexadecimal digits."""
    return Column(name, _ordered(32), **{"nullable": False, **more})


def words(name: str, length: int = 64, **more: Any) -> Column[str]:
    """A column of a short text."""
    return Column(name, _ordered(length), **{"nullable": False, **more})


def long_text(name: str, **more: Any) -> Column[str]:
    """A column of a long text."""
    return Column(name, Text, **{"nullable": False, **more})


def number(name: str, **more: Any) -> Column[int]:
    """A column of a number; instants are milliseconds UTC, days are counted from 1970-01-01."""
    big = BigInteger().with_variant(Integer(), "sqlite")
    return Column(name, big, **{"nullable": False, **more})


def octets(name: str, **more: Any) -> Column[bytes]:
    """A column of bytes."""
    return Column(name, LargeBinary, **{"nullable": False, **more})
