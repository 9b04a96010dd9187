"""What an export of another app comes to before it is written: conversations as trees, files, agents, notes.

Ids are still the source's own; ``derived_id`` says which id a record gets here, the same one every time.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

Source = Literal["chatgpt", "claude"]

LATEST = 253_402_214_400_000
"""Milliseconds of the last instant that calendars can name; what is later or before 1970 counts as unknown."""


class Malformed(Exception):
    """A record is not built as its kind is; the message says why and completes “it was left out: …”."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that was left out: what it was, and why, as a sentence."""

    subject: str
    reason: str

    def to_json(self) -> dict[str, str]:
        """Return what the import's row keeps of it."""
        return {"subject": self.subject, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file of a message. Its bytes are the archive's ``member`` or ``content``; with neither they are missing."""

    original_id: str
    name: str
    media_type: str = ""
    member: str = ""
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One message. ``parent`` is the shown message above it, None for a first one; hidden ones hang beside."""

    original_id: str
    parent: str | None
    role: Literal["owner", "agent"]
    created_at: int
    text: str
    thinking: str = ""
    model: str = ""
    hidden: bool = False
    files: tuple[IncomingFile, ...] = ()
    extra: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class IncomingConversation:
    """One conversation; ``messages`` stand parents first, ``leaf`` ends the path that was shown.

    ``project`` is the source's id of the project it belongs to.
    """

    original_id: str
    title: str
    created_at: int
    updated_at: int
    messages: tuple[IncomingMessage, ...]
    leaf: str | None
    archived: bool = False
    pinned: bool = False
    project: str = ""
    extra: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class IncomingAgent:
    """A project that becomes an agent."""

    original_id: str
    name: str
    role: str
    instructions: str
    created_at: int | None
    extra: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class IncomingNote:
    """Something the source remembered, of a project or in general."""

    original_id: str
    text: str
    project: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


Incoming = IncomingConversation | IncomingAgent | IncomingNote | Problem


def derived_id(source: str, kind: str, *identifiers: str) -> str:
    """Return the id of an imported record: 32 hexadecimal digits that depend on nothing but where it is from."""
    named = "\0".join((source, kind, *identifiers))
    return hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def instant(seconds: object) -> int | None:
    """Return seconds since 1970 as milliseconds, None for what is no time."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    # Comparing first keeps what is infinite or no number at all from being converted.
    return int(seconds * 1000) if 0 < seconds <= LATEST / 1000 else None


def words(value: object) -> str:
    """Return the value where it is text, else the empty text."""
    return value if isinstance(value, str) else ""


def leftover(record: dict[str, Any], known: frozenset[str]) -> dict[str, Any] | None:
    """Return the fields that the office has no column for, without the empty ones; None if there are none."""
    rest = {
        key: value for key, value in record.items() if key not in known and value not in (None, "", [], {})
    }
    return rest or None
