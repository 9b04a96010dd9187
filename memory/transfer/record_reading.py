"""Lines of records as they come in: read one by one, each checked against its type before it is used."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from memory.transfer.errors import ArchiveDamaged, ArchiveUnsafe
from memory.transfer.record_types import Field, RecordType, from_rfc3339
from resources.language import gettext as _

LONGEST = 64 * 1024 * 1024
"""Bytes of the longest line that is taken."""
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "switch": (bool,),
    "time": (str, int),
}

Check = Callable[[dict[str, Any]], str]
"""Returns the name of the first field that does not fit, empty if all do."""


def read_records(name: str, pieces: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of lines. Raises ArchiveDamaged naming the line, or ArchiveUnsafe."""
    for number, line in enumerate(_lines(name, pieces), 1):
        try:
            value = _decode(line)
        except (ValueError, RecursionError) as error:
            raise broken(name, number) from error
        if not isinstance(value, dict):
            raise broken(name, number)
        yield value


def broken(name: str, number: int, field: str = "") -> ArchiveDamaged:
    """Return the fault of a line that is no record of its type."""
    place = f"{name}:{number}" + (f" ({field})" if field else "")
    return ArchiveDamaged(
        _("The record at {place} cannot be read: use another copy of the export.").format(place=place)
    )


def checker(kind: RecordType) -> Check:
    """Return the function that says whether a record is one of this type; fields it does not know may be there."""
    quick = [(field.name, _accepted(field)) for field in kind.fields if field.kind != "json"]
    present = frozenset(field.name for field in kind.fields)
    special = [
        (field.name, _examined(field)) for field in kind.fields if field.pattern or field.kind == "time"
    ]
    numbers = [field.name for field in kind.fields if field.kind == "integer"]
    key = kind.key

    def check(record: dict[str, Any]) -> str:
        if not present <= record.keys():
            return min(present - record.keys())
        for name, accepted in quick:
            if type(record[name]) not in accepted:
                return name
        for name, fits in special:
            if record[name] is not None and not fits(record[name]):
                return name
        for name in numbers:
            if record[name] is not None and not _SMALLEST <= record[name] <= _LARGEST:
                return name
        return next((name for name in key if record[name] in (None, "")), "")

    return check


def _accepted(field: Field) -> frozenset[type]:
    return frozenset((*_TYPES[field.kind], *((type(None),) if field.nullable else ())))


def _examined(field: Field) -> Callable[[Any], bool]:
    if field.kind == "time":
        return _is_time
    matches = re.compile(field.pattern).search
    return lambda value: matches(value) is not None and not value.endswith("\n")


def _is_time(value: str | int) -> bool:
    try:
        return _SMALLEST <= from_rfc3339(value) <= _LARGEST
    except ValueError:
        return False


def _decode(line: bytes) -> Any:
    return json.loads(line.decode(), parse_constant=_refused)


def _refused(name: str) -> Any:
    raise ValueError(name)


def _lines(name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    waiting: list[bytes] = []
    length = 0
    for piece in pieces:
        first, newline, rest = piece.partition(b"\n")
        waiting.append(first)
        length += len(first)
        if length > LONGEST:
            raise ArchiveUnsafe(
                _("A record in {name} is larger than any that Bureau writes: do not use this export.").format(
                    name=name
                )
            )
        if not newline:
            continue
        yield b"".join(waiting)
        lines = rest.split(b"\n")
        waiting = [lines.pop()]
        length = len(waiting[0])
        yield from lines
    if last := b"".join(waiting):
        yield last
