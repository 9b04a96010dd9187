"""Writes the records of an export into the database, all in one transaction."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import delete, func, insert, literal_column, select, update
from sqlalchemy.orm import Session

from memory import audit
from memory.blobs import Blob
from memory.errors import Refused
from memory.identifiers import new_id, now
from memory.tables import (
    AgentRevisionTable,
    AgentTable,
    AttachmentTable,
    ConnectionTable,
    ConversationTable,
    ImportTable,
    MessageTable,
    NoteTable,
    ProvenanceTable,
    SettingTable,
)
from memory.transfer import workspace
from memory.transfer.bag_reading import Bag
from memory.transfer.comparing import STAYS, Choice, Comparison, Verdict, batches, matches
from memory.transfer.dangling import mend, straighten
from memory.transfer.incoming_workspace import COMMITTED
from memory.transfer.lines import OWN, to_line
from memory.transfer.newcomers import Newcomers
from memory.transfer.record_reading import read_records
from memory.transfer.record_types import RecordType, from_rfc3339, record_types
from memory.transfer.watching import Watch
from resources.language import gettext as _

_OWNED = (ConversationTable, NoteTable, AttachmentTable, ConnectionTable, AgentRevisionTable, ProvenanceTable)
"""An office that has a row in one of these has been worked in."""
_STRUCTURE = ("conversation_id", "parent_id", "batch_id", "position", "ordinal")


@dataclass(slots=True)
class Merged:
    """What was brought in. ``orphans`` are records left out because what they belong to is not here."""

    counts: dict[str, dict[Verdict, int]] = field(default_factory=dict)
    orphans: int = 0


def is_untouched(session: Session) -> bool:
    """Whether nothing was done in this office yet: only the agents it was made with are here."""
    if any(session.scalar(select(func.count()).select_from(table)) for table in _OWNED):
        return False
    return not session.scalar(
        select(func.count()).select_from(AgentTable).where(AgentTable.updated_at != AgentTable.created_at)
    )


def merge(
    session: Session, bag: Bag, choice: Choice, blobs: dict[str, Blob], token: str, *, untouched: bool
) -> Merged:
    """Write every record; ``blobs`` are the files that are on disk already. Raises ArchiveDamaged or Refused."""
    session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    if untouched and is_untouched(session):
        session.execute(delete(AgentTable))
        session.execute(delete(SettingTable))
    else:
        untouched = False
    before = session.scalar(select(func.max(literal_column("rowid"))).select_from(MessageTable)) or 0
    work = _Merge(session, bag, choice, blobs)
    for kind in sorted(record_types(), key=lambda kind: kind.name != "agents"):
        if f"records/{kind.name}.jsonl" in bag.listed and kind.name not in STAYS:
            work.take(kind)
    for name in bag.listed:
        if name.startswith("records/"):
            work.take_unknown(name)
    straighten(session, before)
    work.merged.orphans = mend(session)
    _note(session, bag, work.merged, token, untouched=untouched)
    return work.merged


def _note(session: Session, bag: Bag, merged: Merged, token: str, *, untouched: bool) -> None:
    new = {name: count["new"] for name, count in merged.counts.items() if count.get("new")}
    if not untouched:
        # An office that was untouched is now a copy; nothing came into it from elsewhere.
        moment = now()
        session.add(
            ImportTable(
                id=new_id(),
                at=moment,
                source="bureau",
                name=bag.name,
                counts=new,
                finished_at=moment,
                indexed_at=moment,
            )
        )
        session.flush()
    audit.append(session, COMMITTED, token, {"source": "bureau", "counts": new})


class _Merge:
    def __init__(self, session: Session, bag: Bag, choice: Choice, blobs: dict[str, Blob]) -> None:
        self.merged = Merged()
        self._session = session
        self._bag = bag
        self._choice = choice
        self._blobs = blobs
        self._newcomers = Newcomers(session)
        self._known = {kind.name for kind in record_types()}
        self._skipped: dict[str, str | None] = {}
        """Messages left out, and what each stood below."""

    def take(self, kind: RecordType) -> None:
        """Bring in the records of one type."""
        comparison = Comparison(self._session, kind, self._choice)
        counts: Counter[Verdict] = Counter()
        records = read_records(kind.name, self._bag.pieces(f"records/{kind.name}.jsonl", Watch()))
        for batch in batches(records):
            if kind.name == "agents":
                for record in batch:
                    self._newcomers.settle(record)
                batch = [record for record in batch if record["id"] not in self._newcomers.same]
            verdicts = comparison.judge(batch)
            counts.update(verdicts)
            self._write(kind, batch, verdicts)
            if kind.name == "provenance":
                self._complete(batch)
        self.merged.counts[kind.name] = dict(counts)

    def take_unknown(self, name: str) -> None:
        """Keep the records of a type that this version does not know, to go out again with the next export."""
        kind = PurePosixPath(name).stem
        if kind in self._known or kind == workspace.RECORD:
            return
        for batch in batches(read_records(kind, self._bag.pieces(name, Watch()))):
            rows = [
                {
                    "record_type": kind,
                    "record_id": str(record.get("id") or hashlib.sha256(to_line(record)).hexdigest()[:32]),
                    "original_id": "",
                    "extra": {OWN: record},
                }
                for record in batch
            ]
            self._session.execute(insert(ProvenanceTable).prefix_with("OR IGNORE"), rows)

    def _write(self, kind: RecordType, batch: list[dict[str, Any]], verdicts: list[Verdict]) -> None:
        if "undecided" in verdicts:
            raise Refused(
                _("Some records are here in another form: say whether yours or those of the export stay.")
            )
        new: list[dict[str, Any]] = []
        theirs: list[dict[str, Any]] = []
        for record, verdict in zip(batch, verdicts, strict=True):
            if verdict == "erased" and kind.name == "messages":
                self._skipped[record["id"]] = record["parent_id"]
            if verdict == "new":
                new.append(record)
            elif verdict == "theirs":
                theirs.append(record)
        rows = [row for record in new if (row := self._row(kind, record)) is not None]
        if rows:
            # Where two records of the office must differ in more than their id, the one that is here stays.
            statement = insert(kind.table).prefix_with("OR IGNORE")
            self._session.execute(statement, rows)
        for record in theirs:
            row = self._row(kind, record)
            if row is None:
                continue
            for name in _STRUCTURE if kind.name == "messages" else ():
                del row[name]  # what is here stays where it stands
            self._session.execute(update(kind.table).where(matches(kind, [record])).values(row))
        self._keep_unknown(kind, [*new, *theirs])

    def _row(self, kind: RecordType, record: dict[str, Any]) -> dict[str, Any] | None:
        row = {}
        for column in kind.fields:
            value = record[column.name]
            if column.kind == "time" and value is not None:
                value = from_rfc3339(value)
            elif column.name == "agent_id" or column.refers_to == "agent.id":
                value = self._newcomers.same.get(value, value)
            row[column.name] = value
        if kind.name == "messages":
            while row["parent_id"] in self._skipped:
                row["parent_id"] = self._skipped[row["parent_id"]]
        elif kind.name == "memory" and row["scope"] == "agent":
            row["scope_id"] = self._newcomers.same.get(row["scope_id"], row["scope_id"])
        elif kind.name == "blobs":
            blob = self._blobs.get(row["id"])
            if blob is None:
                return None  # the export was narrowed and does not hold the file
            row |= {"key": blob.key, "chunks": blob.chunks}
        elif kind.name == "files" and row["blob_id"] is None:
            return None  # no export holds a file without its content
        return row

    def _complete(self, batch: list[dict[str, Any]]) -> None:
        """Where unknown fields of a record made a row before its own provenance came, join the two."""
        for record in batch:
            row = self._session.get(ProvenanceTable, (record["record_type"], record["record_id"]))
            if row is not None and row.import_id is None and not row.original_id and row.extra:
                row.import_id, row.original_id = record["import_id"], record["original_id"]
                row.extra = {**(record["extra"] or {}), **row.extra}
        self._session.flush()

    def _keep_unknown(self, kind: RecordType, records: list[dict[str, Any]]) -> None:
        names = {column.name for column in kind.fields}
        for record in records:
            if record.keys() <= names:
                continue
            unknown = {name: value for name, value in record.items() if name not in names}
            key = (kind.name, kind.identity(record))
            row = self._session.get(ProvenanceTable, key)
            if row is None:
                self._session.add(ProvenanceTable(record_type=key[0], record_id=key[1], extra={OWN: unknown}))
            else:
                row.extra = {**(row.extra or {}), OWN: unknown}
        self._session.flush()
