"""Notes, passages and their vectors; the full-text tables beside them are in ``memory/recall``."""

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from memory.tables.base import Base, Document, Identifier, Instant, reference


class NoteTable(Base):
    """A fact, preference or procedure; never overwritten, only superseded."""

    __tablename__ = "note"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """``core``, ``fact``, ``preference`` or ``procedure``."""
    scope: Mapped[str]
    """``office``, ``agent`` or ``conversation``."""
    scope_id: Mapped[Identifier | None]
    text: Mapped[str]
    state: Mapped[str] = mapped_column(default="accepted")
    """``proposed``, ``accepted`` or ``rejected``."""
    source_message_id: Mapped[str | None] = mapped_column(
        reference("message.id", on_delete="SET NULL"), index=True
    )
    source_attachment_id: Mapped[str | None] = mapped_column(
        reference("attachment.id", on_delete="SET NULL"), index=True
    )
    agent_id: Mapped[str | None] = mapped_column(reference("agent.id", on_delete="SET NULL"))
    model: Mapped[str] = mapped_column(default="")
    created_at: Mapped[Instant]
    valid_from: Mapped[Instant]
    valid_to: Mapped[Instant | None]
    supersedes_id: Mapped[str | None] = mapped_column(reference("note.id", on_delete="SET NULL"), index=True)
    uses: Mapped[int] = mapped_column(default=0)
    last_used_at: Mapped[Instant | None]
    pinned_at: Mapped[Instant | None]
    trashed_at: Mapped[Instant | None]
    held_at: Mapped[Instant | None]
    restricted: Mapped[bool] = mapped_column(default=False)


class PassageTable(Base):
    """A piece of a message, an attachment or a note, as it is found again."""

    __tablename__ = "passage"
    __table_args__ = (Index("ix_passage_source", "source_kind", "source_id", "ordinal"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    """The rowid that the full-text tables share."""
    message_id: Mapped[str | None] = mapped_column(reference("message.id"), index=True)
    attachment_id: Mapped[str | None] = mapped_column(reference("attachment.id"), index=True)
    note_id: Mapped[str | None] = mapped_column(reference("note.id"), index=True)
    source_kind: Mapped[str]
    """``message``, ``attachment`` or ``note``; the id also stands in the column of that kind."""
    source_id: Mapped[Identifier]
    conversation_id: Mapped[str | None] = mapped_column(reference("conversation.id"), index=True)
    ordinal: Mapped[int]
    place: Mapped[Document] = mapped_column(default=dict)
    """Where in a file: page, sheet, cell, slide, line."""
    heading: Mapped[str] = mapped_column(default="")
    speaker: Mapped[str] = mapped_column(default="")
    at: Mapped[Instant]
    text: Mapped[str]
    context: Mapped[str] = mapped_column(default="")
    """The second view: date and previous turn, or title and heading, before the text."""


class EmbeddingTable(Base):
    """The vector of one view of a passage: the truth from which the index can be rebuilt."""

    __tablename__ = "embedding"

    passage_number: Mapped[int] = mapped_column(reference("passage.number"), primary_key=True)
    view: Mapped[int] = mapped_column(primary_key=True)
    """0: the text alone; 1: the text in its context."""
    embedder: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    """float32, little-endian, normalised."""
    random_id: Mapped[Identifier] = mapped_column(unique=True)
    """The only name the index knows it by."""


class IndexSnapshotTable(Base):
    """The key of the sealed snapshot of the vector index; without the row the file is noise."""

    __tablename__ = "index_snapshot"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    embedder: Mapped[str]
    key: Mapped[bytes]
    change_mark: Mapped[int]
    chunks: Mapped[int]
    vectors: Mapped[int]
    created_at: Mapped[Instant]
