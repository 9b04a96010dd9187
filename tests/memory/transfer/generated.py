"""Offices out of Hypothesis: rows of every record type with whatever their columns can hold, files and a workspace."""

import hashlib
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session

from memory.blobs import Blob, record_blob
from memory.tables import Base
from memory.transfer.record_types import Field, RecordType, record_types
from tests.memory.transfer.profiles import Profile

_OWN = {"audit", "blobs", "provenance", "imports", "settings"}
"""Types whose rows the office makes by rules of its own."""

_characters = st.characters(codec="utf-8")
texts = st.text(_characters, max_size=12)
times = st.integers(-62_135_596_800_000, 253_402_300_799_999) | st.sampled_from([0, -1, 2**62])
documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
names = st.text(_characters, min_size=1, max_size=12).filter(
    lambda name: (
        "/" not in name and "\x00" not in name and name not in (".", "..") and len(name.encode()) < 200
    )
)
_KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "integer": st.integers(-(2**62), 2**62),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "switch": st.booleans(),
    "time": times,
    "json": documents,
}
_OBJECTS = {
    "draft",
    "scroll",
    "place",
    "body",
    "price_overrides",
    "filters",
    "counts",
    "last_check",
    "history",
}
_SHOWN = {"citations": st.just([]), "attachment_ids": st.just([]), "state": st.just("complete")}
"""What the pages of an export read, and so must be as the office writes it."""


@st.composite
def offices(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Rows by table, so that every reference leads somewhere."""
    made: dict[str, list[dict[str, Any]]] = {}
    kinds = {kind.table.name: kind for kind in record_types() if kind.name not in _OWN}
    for table in Base.metadata.sorted_tables:
        if table.name in kinds:
            made[table.name] = _rows(draw, kinds[table.name], made)
    return made


def _rows(draw: st.DrawFn, kind: RecordType, made: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 3), label=kind.name)):
        row: dict[str, Any] = {}
        for field in kind.fields:
            value = _value(draw, kind, field, number, made, rows, row.get("conversation_id"))
            if value is _IMPOSSIBLE:
                return rows
            row[field.name] = value
        rows.append(row)
    return rows


_IMPOSSIBLE = object()


def _value(
    draw: st.DrawFn,
    kind: RecordType,
    field: Field,
    number: int,
    made: dict[str, list[dict[str, Any]]],
    rows: list[dict[str, Any]],
    conversation_id: str | None,
) -> Any:
    table, _dot, column = field.refers_to.partition(".")
    if table == "blob":
        return draw(st.sampled_from(["0" * 32, "1" * 32]))
    if table:
        there = [row[column] for row in (rows if table == kind.table.name else made.get(table, []))]
        if kind.name == "messages" and field.name == "parent_id":
            there = [
                row["id"] for row in rows if row["conversation_id"] == conversation_id and not row["hidden"]
            ]
        if not there:
            return None if field.nullable else _IMPOSSIBLE
        return draw(st.sampled_from([None, *there] if field.nullable else there))
    if field.name == "id":
        return hashlib.sha256(f"{kind.name}{number}".encode()).hexdigest()[:32]
    if field.name in kind.key or field.name in ("seq", "revision", "name", "scope_id", "ordinal"):
        return number if field.kind == "integer" else f"{number}{draw(texts)}"
    if kind.name == "messages" and field.name in _SHOWN:
        return draw(_SHOWN[field.name])
    if field.name in ("proxy", "base_url"):
        return "http://models.test/v1"
    if kind.name in ("conversations", "messages") and field.name in ("created_at", "updated_at"):
        return draw(st.integers(0, 4_000_000_000_000))
    if field.name in _OBJECTS:
        return draw(st.dictionaries(texts, documents, max_size=3))
    if field.nullable and draw(st.booleans()):
        return None
    return draw(_KINDS[field.kind])


def write(profile: Profile, rows: dict[str, list[dict[str, Any]]], contents: tuple[bytes, bytes]) -> None:
    """Put generated rows and two files into an empty profile."""
    blobs = [
        profile.store.write(content, identifier=digit * 32)
        for content, digit in zip(contents, "01", strict=True)
    ]
    profile.database.write_now(_write, rows, blobs)


def _write(session: Session, rows: dict[str, list[dict[str, Any]]], blobs: list[Blob]) -> None:
    for blob in blobs:
        record_blob(session, blob)
    for table in Base.metadata.sorted_tables:
        for row in rows.get(table.name, []):
            session.execute(insert(table), row)


def write_workspace(folder: Path, files: dict[tuple[str, ...], bytes]) -> None:
    """Write files by path; one that would stand where a folder or another file stands is left out."""
    for parts, content in files.items():
        path = folder.joinpath(*parts)
        above = [folder.joinpath(*parts[:depth]) for depth in range(1, len(parts))]
        if path.exists() or any(each.is_file() for each in above):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
