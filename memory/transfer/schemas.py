"""JSON Schema 2020-12 of every record type, drawn from the data map and the columns."""

from typing import Any

from memory.transfer.record_types import Field, RecordType

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TIME = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"
_TYPES = {"text": "string", "integer": "integer", "number": "number", "switch": "boolean"}


def schema(kind: RecordType) -> dict[str, Any]:
    """Return the schema of one record; fields it does not name are allowed and kept."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:bureau:aofx:1:{kind.name}",
        "title": kind.name,
        "description": kind.purpose,
        "type": "object",
        "properties": {field.name: _property(field) for field in kind.fields},
        "required": [field.name for field in kind.fields],
        "additionalProperties": True,
    }


def _property(field: Field) -> dict[str, Any]:
    if field.kind == "json":
        return {"description": field.refers_to} if field.refers_to else {}
    if field.kind == "time":
        forms: list[dict[str, Any]] = [{"type": "string", "pattern": TIME}, {"type": "integer"}]
        return {"anyOf": [*forms, {"type": "null"}] if field.nullable else forms}
    name = _TYPES[field.kind]
    said: dict[str, Any] = {"type": [name, "null"] if field.nullable else name}
    return {**said, "pattern": field.pattern} if field.pattern else said
