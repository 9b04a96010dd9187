"""What this device knows of a record without keeping its words: for each field a digest of its value, and its stamp.

The words are in the row. Kept beside are only fields that have no column, and references to what is not here.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.lifecycle.subjects import portions
from memory.sync.hlc import Stamp
from memory.sync.merge import LONG_TEXT
from memory.sync.plaintext import Entry, Json, Record, canonical
from memory.tables import SyncRecordTable


class Seen(NamedTuple):
    """A field as it was sealed or taken last."""

    digest: str
    stamp: Stamp


def record_id(naming: bytes, type_: str, local_id: str) -> str:
    """Return the id of a record among the devices.

    It says nothing of the row's own id to who has not the secret, so an erased row is named nowhere.
    """
    return hmac.digest(naming, f"{type_}:{local_id}".encode(), "sha256")[:16].hex()


def load(session: Session, rids: Iterable[str]) -> dict[str, SyncRecordTable]:
    """Return what is known of records, by rid; only within a transaction."""
    found: dict[str, SyncRecordTable] = {}
    for some in portions(rids):
        chosen = select(SyncRecordTable).where(SyncRecordTable.rid.in_(some))
        found |= {known.rid: known for known in session.scalars(chosen)}
    return found


def revisions(session: Session, rids: Iterable[str]) -> dict[str, str]:
    """Return which revision of each record is known."""
    found: dict[str, str] = {}
    for some in portions(rids):
        chosen = select(SyncRecordTable.rid, SyncRecordTable.rev).where(SyncRecordTable.rid.in_(some))
        found |= {row.rid: row.rev for row in session.execute(chosen)}
    return found


def new(rid: str, type_: str, local_id: str | None) -> SyncRecordTable:
    """Return a record of which nothing is known yet; the caller adds it to the session."""
    return SyncRecordTable(
        rid=rid, type=type_, local_id=local_id, state="synced", seq=0, rev="", stamps={}, beside={}, own=False,
        base={}, former_seq=0, former={}, waiting=None, exp_day=0, aside_at=None, aside_by="",
    )  # fmt: skip


def digest(value: Json) -> str:
    """Return what tells one value from another."""
    return hashlib.sha256(canonical(value)).hexdigest()[:32]


def pack(fields: Mapping[str, Seen]) -> dict[str, Any]:
    """Return fields as a document; most have the same stamp, so each stamp stands once."""
    stamps = sorted({seen.stamp for seen in fields.values()})
    places = {stamp: place for place, stamp in enumerate(stamps)}
    return {
        "stamps": [list(stamp) for stamp in stamps],
        "fields": {name: [seen.digest, places[seen.stamp]] for name, seen in fields.items()},
    }


def unpack(document: Mapping[str, Any]) -> dict[str, Seen]:
    """Read what `pack` made; an empty document has no fields."""
    stamps = [Stamp(*each) for each in document.get("stamps", ())]
    return {name: Seen(said, stamps[place]) for name, (said, place) in document.get("fields", {}).items()}


def seen(record: Record) -> dict[str, Seen]:
    """Return what is to be known of a record."""
    return {name: Seen(digest(entry.value), entry.stamp) for name, entry in record.fields.items()}


def long_texts(record: Record) -> dict[str, Any]:
    """Return the texts of a record that are merged by lines, and its unknown members, as the base of a merge."""
    names = LONG_TEXT.get(record.type, frozenset()) & record.fields.keys()
    base: dict[str, Any] = {}
    if names:
        base["fields"] = {
            name: [record.fields[name].value, list(record.fields[name].stamp)] for name in names
        }
    if record.extra:
        base["extra"] = dict(record.extra)
    return base


def still_given(bases: Iterable[Mapping[str, Any]], record: Record) -> dict[str, Any]:
    """Return what of former bases a record still has, as a base: the texts that both sides are known to have had."""
    texts = long_texts(record).get("fields", {})
    kept = {
        name: text
        for base in bases
        for name, text in base.get("fields", {}).items()
        if texts.get(name) == text
    }
    return {"fields": kept} if kept else {}


def base_record(type_: str, schema: int, base: Mapping[str, Any]) -> Record:
    """Return the base of a merge as far as it matters."""
    fields = {name: Entry(value, Stamp(*stamp)) for name, (value, stamp) in base.get("fields", {}).items()}
    return Record(type_, schema, fields, base.get("extra", {}))
