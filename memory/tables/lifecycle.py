"""How long things stay, what was erased, and which copies of them exist elsewhere."""

from typing import Any

from sqlalchemy import JSON, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from memory.tables.base import Base, Document, Documents, Identifier, Instant, reference


class RetentionRuleTable(Base):
    """How long one kind of thing stays; the narrowest rule that fits decides."""

    __tablename__ = "retention_rule"
    __table_args__ = (UniqueConstraint("scope", "scope_id"),)

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    scope: Mapped[str]
    """``conversation``, ``agent``, ``file_type`` or ``category``: from the narrowest to the widest."""
    scope_id: Mapped[str]
    """Id of the conversation or agent, kind of file such as ``pdf``, or name of a category of the data map."""
    days: Mapped[int | None]
    """Days after the last change; empty keeps for ever."""
    created_at: Mapped[Instant]


class ErasedTable(Base):
    """The memory of what was erased, so that no import, backup or device brings it back unasked."""

    __tablename__ = "erased"

    record_hash: Mapped[str] = mapped_column(primary_key=True)
    """SHA-256 of kind and id, or of a file's kind and digest; the id itself is gone."""
    kind: Mapped[str]
    at: Mapped[Instant] = mapped_column(index=True)
    reason: Mapped[str]
    """``owner``, ``trash`` or ``retention``."""


class EraseReportTable(Base):
    """What an erasure did and what the search for traces found, in hashes and counts only."""

    __tablename__ = "erase_report"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(index=True)
    level: Mapped[str]
    """``quick``, ``full`` or ``deep``."""
    state: Mapped[str]
    """``scanning``, ``clean``, ``traces`` or ``cut_short``."""
    counts: Mapped[Document] = mapped_column(default=dict)
    """Rows and files removed, by kind."""
    proof: Mapped[Document] = mapped_column(default=dict)
    """What was searched, for how many fingerprints, and what was found."""
    copies: Mapped[Documents] = mapped_column(default=list)
    """Ids of the exports and backups that still hold it."""


class ExportRecordTable(Base):
    """A copy that its owner made: exports are copies too."""

    __tablename__ = "export_record"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(index=True)
    path: Mapped[str]
    sha256: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(default=0)
    encrypted: Mapped[bool] = mapped_column(default=False)
    filters: Mapped[Document] = mapped_column(default=dict)
    counts: Mapped[Document] = mapped_column(default=dict)
    removed_at: Mapped[Instant | None]
    """When its owner said, or the office saw, that the file is gone."""


class BackupTable(Base):
    """A backup that was made and verified."""

    __tablename__ = "backup"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(index=True)
    path: Mapped[str]
    occasion: Mapped[str]
    """``owner``, ``schedule``, ``migration`` or ``restore``."""
    sha256: Mapped[str]
    """Of the sealed body; the head before it is written anew with each new recovery key."""
    size: Mapped[int]
    verified_at: Mapped[Instant | None]
    removed_at: Mapped[Instant | None]


class ConsentTable(Base):
    """A consent as given, and its end; withdrawing does not make the time before unsaid."""

    __tablename__ = "consent"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(index=True)
    text_version: Mapped[str]
    given_at: Mapped[Instant]
    withdrawn_at: Mapped[Instant | None]


class ImportTable(Base):
    """What was brought in, from where, and what of it could not be."""

    __tablename__ = "import"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(index=True)
    source: Mapped[str]
    """``bureau``, ``chatgpt`` or ``claude``."""
    name: Mapped[str]
    counts: Mapped[Document] = mapped_column(default=dict)
    problems: Mapped[Documents] = mapped_column(default=list)
    finished_at: Mapped[Instant | None]
    """When all of it was here; empty while it is being brought in."""
    indexed_at: Mapped[Instant | None]
    """When all of it could be found by its words."""


class ProvenanceTable(Base):
    """Where an imported record comes from, and whatever of it the office has no column for."""

    __tablename__ = "provenance"

    record_type: Mapped[str] = mapped_column(primary_key=True)
    """The record type of an export, such as ``messages``."""
    record_id: Mapped[Identifier] = mapped_column(primary_key=True)
    import_id: Mapped[str | None] = mapped_column(reference("import.id", on_delete="SET NULL"), index=True)
    original_id: Mapped[str] = mapped_column(default="")
    extra: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Unknown fields and content, as they came; they go out again with the next export."""
