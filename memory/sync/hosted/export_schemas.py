"""JSON Schema 2020-12 of every kind of line in an export: drawn from the tables, else from what the protocol says."""

import json
from typing import Any

from sqlalchemy import Column, Integer, LargeBinary, Table

from memory.sync.hosted import export_content
from memory.sync.hosted.tables import keys, records

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]

_TEXT, _NUMBER, _MAP = {"type": "string"}, {"type": "integer"}, {"type": "object"}
_OCTETS = {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"}
_HASH = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_TABLES: dict[str, Table] = {
    "account": records.accounts,
    "devices": records.devices,
    "sessions": records.sessions,
    "consents": records.consents,
    "deletions": records.deletions,
    "exports": records.exports,
    "spaces": records.spaces,
    "access-log": records.access_log,
    "policies": records.policies,
    "wraps": keys.space_wraps,
}
_ENVELOPE = {
    **dict.fromkeys(("hdr", "dek", "kc", "ct", "sig"), _OCTETS),
    "blobs": {"type": "array", "items": _OCTETS},
}
_MARKER = dict.fromkeys(("hdr", "kc", "ct_sha256", "sig"), _OCTETS)


def schemas() -> dict[str, bytes]:
    """Return each schema as JSON, by the name of the file of lines without its ending."""
    described = {name: _of_table(table) for name, table in _TABLES.items()} | _of_the_protocol()
    return {
        name: f"{json.dumps(_document(name, each), indent=1)}\n".encode() for name, each in described.items()
    }


def _document(name: str, members: Schema) -> Schema:
    return {
        "$schema": DIALECT,
        "$id": f"urn:bureau:hosted-export:1:{name}",
        "title": name,
        **_object(members),
    }


def _object(members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": sorted(members)}


def _of_table(table: Table) -> Schema:
    hidden = export_content.HIDDEN.get(table.name, ())
    members = {column.name: _of_column(column) for column in table.columns if column.name not in hidden}
    return members | ({"email": {"type": ["string", "null"]}} if table is records.accounts else {})


def _of_column(column: Column[Any]) -> Schema:
    kinds = ((LargeBinary, _OCTETS), (Integer, _NUMBER))
    form = next((form for kind, form in kinds if isinstance(column.type, kind)), _TEXT)
    return {**form, "type": [form["type"], "null"]} if column.nullable else dict(form)


def _of_the_protocol() -> dict[str, Schema]:
    """Return the members of what travels as it is stored: the log, receipts, the audit, records and markers."""
    return {
        "log": {
            **dict.fromkeys(("v", "n"), _NUMBER),
            **dict.fromkeys(("type", "at", "by"), _TEXT),
            **{"prev": _HASH, "body": _MAP, "sig": _OCTETS},
        },
        "receipts": {
            "v": _NUMBER,
            **dict.fromkeys(("receipt_id", "key_id", "subject", "requested_at", "mode", "purged_at"), _TEXT),
            **dict.fromkeys(("policy_version", "server"), _TEXT),
            **dict.fromkeys(("counts", "backup_horizon"), _MAP),
            **{"scope": {"enum": ["account", "space", "records"]}, "prev": _HASH, "sig": _OCTETS},
            "retained": {"type": "array", "items": _MAP},
            "keys_destroyed": {"type": "array", "items": _HASH},
        },
        "audit": {
            **dict.fromkeys(("n", "at"), _NUMBER),
            **{"action": _TEXT, "details": _MAP, "prev": _HASH, "hash": _HASH},
        },
        "records": {"seq": _NUMBER, "env": _object(_ENVELOPE)},
        "markers": {"seq": _NUMBER, "marker": _object(_MARKER)},
    }
