"""The data map: every place where the office keeps something, why, for how long, and how it leaves and goes.

It drives the Privacy page, export, retention and erasure. A test compares it with the database, the folder and
the keyring of an office in use, so that nothing new can escape it.
"""

from fnmatch import fnmatch

from memory.lifecycle.data_map.content import content
from memory.lifecycle.data_map.entries import NOBODY, PROVIDER, Category, Entry, EraseRule, Retention
from memory.lifecycle.data_map.office import office

__all__ = [
    "NOBODY",
    "PROVIDER",
    "Category",
    "Entry",
    "EraseRule",
    "Retention",
    "covers",
    "data_map",
    "exported_tables",
]


def data_map() -> tuple[Entry, ...]:
    """Return every entry, its sentences in the owner's language."""
    return (*content(), *office())


def exported_tables() -> tuple[Entry, ...]:
    """Return the entries whose rows are lines of an export, in the order of the map."""
    return tuple(entry for entry in data_map() if entry.record)


def covers(path: str) -> Entry | None:
    """Return the entry of a file, given by its path below the office's folder with ``/``, or None."""
    for entry in data_map():
        kind, _colon, pattern = entry.place.partition(":")
        if kind == "file" and fnmatch(path, pattern):
            return entry
    return None
