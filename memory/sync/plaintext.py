"""What is sealed: one record as canonical JSON, every field with the stamp of its last edit.

``{"f": {field: [value, [ms, counter, device]]}, "schema": n, "type": …}`` and whatever later versions put beside it.
"""

import json
import math
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from memory.sync.errors import PlaintextInvalid, RecordTooLarge
from memory.sync.hlc import LAST_COUNTER, LAST_MS, Stamp

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

TYPES = frozenset(
    {
        *("agent", "conversation", "message", "note", "document", "file", "attachment", "contact"),
        *("channel", "setting", "grant", "consent", "device_name", "office_name", "secret"),
    }
)
SCHEMA = 1
KNOWN = frozenset((name, SCHEMA) for name in TYPES)
"""The types, with the schema of each, whose fields this version understands."""

LARGEST = 2**20 - 4
"""The most bytes of a record, so that its padded form is 1 MiB at most."""
_DEEPEST = 64
_LARGEST_INTEGER = 2**53 - 1
_DEVICE = re.compile("[0-9a-f]{32}")


class Entry(NamedTuple):
    """A field's value and the stamp of the edit that gave it."""

    value: Json
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a known type. ``extra`` are members beside the fields that a later version added."""

    type: str
    schema: int
    fields: Mapping[str, Entry]
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A record of a type or schema that this version does not know: stored and passed on as it is."""

    type: str
    schema: int
    plaintext: bytes


def canonical(value: Json) -> bytes:
    """Return the one JSON text of a value."""
    if value is None:
        return b"null"
    if type(value) is int:
        return b"%d" % value
    return _ENCODER.encode(value).encode("ascii")


def encode(record: Record) -> bytes:
    """Return the bytes to be sealed. Raises PlaintextInvalid for values JSON cannot hold, and RecordTooLarge."""
    for name, entry in record.fields.items():
        _check_text(name)
        _check(entry.value, 0)
        _check_stamp(*entry.stamp)
    _check(record.extra, 0)
    data = canonical(_whole(record))
    if len(data) > LARGEST:
        raise RecordTooLarge(len(data))
    return data


def decode(data: bytes, known: Container[tuple[str, int]] = KNOWN) -> Record | Opaque:
    """Return the record of unsealed bytes. Raises PlaintextInvalid."""
    if len(data) > LARGEST:
        raise PlaintextInvalid("too long")
    try:
        whole = _DECODER.decode(data.decode("utf-8"))
    except (ValueError, RecursionError) as wrong:
        raise PlaintextInvalid("not JSON") from wrong
    if not isinstance(whole, dict):
        raise PlaintextInvalid("not an object")
    kind, schema = whole.pop("type", None), whole.pop("schema", None)
    if not isinstance(kind, str) or type(schema) is not int:
        raise PlaintextInvalid("no type or schema")
    if (kind, schema) not in known:
        return Opaque(kind, schema, data)
    fields = whole.pop("f", None)
    if not isinstance(fields, dict):
        raise PlaintextInvalid("no fields")
    _check(whole, 0)
    return Record(kind, schema, {name: _entry(name, pair) for name, pair in fields.items()}, whole)


def same(one: Record, other: Record) -> bool:
    """Whether two records are sealed as the same bytes; ``==`` takes true for 1."""
    return canonical(_whole(one)) == canonical(_whole(other))


def _whole(record: Record) -> dict[str, Any]:
    fields: dict[str, Any] = {name: [value, list(stamp)] for name, (value, stamp) in record.fields.items()}
    return {**record.extra, "type": record.type, "schema": record.schema, "f": fields}


def _entry(name: str, pair: Any) -> Entry:
    if type(pair) is not list or len(pair) != 2 or type(pair[1]) is not list or len(pair[1]) != 3:
        raise PlaintextInvalid("field")
    value, stamp = pair
    _check_text(name)
    _check(value, 0)
    _check_stamp(*stamp)
    return Entry(value, Stamp(*stamp))


def _check_stamp(ms: Any, counter: Any, device: Any) -> None:
    if not (
        type(ms) is type(counter) is int
        and 0 <= ms <= LAST_MS
        and 0 <= counter <= LAST_COUNTER
        and type(device) is str
        and _DEVICE.fullmatch(device)
    ):
        raise PlaintextInvalid("stamp")


def _check(value: Any, depth: int) -> None:
    """Refuse what another implementation could not read back as the same value."""
    kind = type(value)
    if kind is str:
        _check_text(value)
    elif kind is int:
        if not -_LARGEST_INTEGER <= value <= _LARGEST_INTEGER:
            raise PlaintextInvalid("integer")
    elif kind is list or kind is dict:
        if depth == _DEEPEST:
            raise PlaintextInvalid("too deep")
        if kind is dict:
            for name in value:
                _check_text(name)
            value = value.values()
        for each in value:
            _check(each, depth + 1)
    elif kind is float:
        if not math.isfinite(value):
            raise PlaintextInvalid("number")
    elif value is not None and kind is not bool:
        raise PlaintextInvalid(kind.__name__)


def _check_text(text: Any) -> None:
    if type(text) is not str:
        raise PlaintextInvalid("member name")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as wrong:
            raise PlaintextInvalid("surrogate") from wrong


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
