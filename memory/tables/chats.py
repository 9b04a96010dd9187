"""Conversations as trees of messages, and the files attached to them."""

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from memory.tables.base import Base, Document, Documents, Identifier, Instant, reference


class ConversationTable(Base):
    """One chat; the path from its active leaf to the root is what is shown."""

    __tablename__ = "conversation"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    title_source: Mapped[str] = mapped_column(default="rule")
    """``rule``, ``owner`` or ``model``."""
    active_leaf_id: Mapped[Identifier | None]
    agent_id: Mapped[str | None] = mapped_column(reference("agent.id", on_delete="SET NULL"))
    connection_id: Mapped[str | None] = mapped_column(reference("connection.id", on_delete="SET NULL"))
    """Whose model the owner chose for this chat; NULL where each agent uses its own."""
    model: Mapped[str] = mapped_column(default="")
    effort: Mapped[str] = mapped_column(default="")
    draft: Mapped[Document] = mapped_column(default=dict)
    """Unsent text, attachment ids and addressee, saved as typed."""
    scroll: Mapped[Document] = mapped_column(default=dict)
    """Row and offset last shown: ``{"message": id, "offset": pixels}``; empty follows the end."""
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant] = mapped_column(index=True)
    pinned_at: Mapped[Instant | None]
    archived_at: Mapped[Instant | None]
    trashed_at: Mapped[Instant | None]
    held_at: Mapped[Instant | None]
    """Since when a legal hold keeps it from every automatic deletion."""
    restricted: Mapped[bool] = mapped_column(default=False)
    arriving_import_id: Mapped[Identifier | None] = mapped_column(index=True)
    """The import that is bringing it in; nothing shows it until that is done."""


class MessageTable(Base):
    """One message. Answers given side by side share ``batch_id``; regenerating makes a new batch."""

    __tablename__ = "message"
    # Holds all that the walk over a tree reads, so that no page of text is decrypted for it.
    __table_args__ = (
        Index(
            "ix_message_tree",
            "conversation_id",
            "ordinal",
            "id",
            "parent_id",
            "batch_id",
            "position",
            "hidden",
        ),
    )

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(reference("conversation.id"))
    # No cascade: SQLite stops one at a depth of 1,000, and a conversation is deeper than that. Who erases a
    # single message says in the same transaction what becomes of those below it.
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("message.id", deferrable=True, initially="DEFERRED"), index=True
    )
    batch_id: Mapped[Identifier] = mapped_column(index=True)
    position: Mapped[int] = mapped_column(default=0)
    """Column within the batch, from 0."""
    ordinal: Mapped[int] = mapped_column(default=0)
    """Order of writing within the conversation, from 1; the clock is not trusted with it."""
    shown_batch_id: Mapped[Identifier | None]
    """Which of the branches below it was shown last."""
    role: Mapped[str]
    """``owner`` or ``agent``."""
    agent_id: Mapped[str | None] = mapped_column(reference("agent.id", on_delete="SET NULL"))
    agent_name: Mapped[str] = mapped_column(default="")
    """The agent's name when it spoke."""
    model: Mapped[str] = mapped_column(default="")
    run_id: Mapped[Identifier | None] = mapped_column(index=True)
    """The run whose model call produced the text; set for every answer that was given in this office."""
    text: Mapped[str] = mapped_column(default="")
    thinking: Mapped[str] = mapped_column(default="")
    citations: Mapped[Documents] = mapped_column(default=list)
    attachment_ids: Mapped[Documents] = mapped_column(default=list)
    """In the order given; an edited message carries the files of the first one on."""
    state: Mapped[str] = mapped_column(default="complete")
    """``queued``, ``streaming``, ``complete``, ``interrupted``, ``stopped`` or ``failed``."""
    created_at: Mapped[Instant]
    pinned_at: Mapped[Instant | None]
    trashed_at: Mapped[Instant | None]
    held_at: Mapped[Instant | None]
    hidden: Mapped[bool] = mapped_column(default=False)
    """Brought in from another app, which did not show it either. It stands below the shown message before it, and
    no walk over the tree meets it."""
    restricted: Mapped[bool] = mapped_column(default=False)


class AttachmentTable(Base):
    """A file given to a conversation; ``message_id`` is the first that carried it, empty in a draft."""

    __tablename__ = "attachment"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(reference("conversation.id"), index=True)
    message_id: Mapped[str | None] = mapped_column(reference("message.id"), index=True)
    blob_id: Mapped[str | None] = mapped_column(reference("blob.id", on_delete="RESTRICT"), index=True)
    """Empty while the file is still arriving from another device."""
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="")
    """What its content was recognised as: ``pdf``, ``docx``, ``image``, …"""
    media_type: Mapped[str] = mapped_column(default="")
    size: Mapped[int]
    """Bytes."""
    pages: Mapped[int | None]
    characters: Mapped[int | None]
    state: Mapped[str] = mapped_column(default="pending")
    """``arriving``, ``pending``, ``reading``, ``ready`` or ``failed``."""
    reason: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    created_at: Mapped[Instant]
    pinned_at: Mapped[Instant | None]
    trashed_at: Mapped[Instant | None]
    held_at: Mapped[Instant | None]
    restricted: Mapped[bool] = mapped_column(default=False)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What opens its pieces among the owner's devices (`memory.sync.contents`); empty until they are there."""


class BlobTable(Base):
    """An encrypted file of the blob folder and the key that alone opens it."""

    __tablename__ = "blob"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    key: Mapped[bytes]
    size: Mapped[int]
    """Bytes of plain content."""
    chunks: Mapped[int]
    sha256: Mapped[str]
    """Of the plain content."""
    created_at: Mapped[Instant]
