"""Runs and the one append-only table of their events."""

from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from memory.tables.base import Base, Document, Documents, Identifier, Instant, Micros, reference

QUOTING = "kind = 'memory_used' OR (kind = 'tool_finished' AND instr(body, 'id=') > 0)"
"""Events that name sources, of other conversations too; erasing looks for an item's id in these alone."""


class RunTable(Base):
    """One agent's work on one message."""

    __tablename__ = "run"
    __table_args__ = (Index("ix_run_state", "state"),)

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(reference("conversation.id"), index=True)
    parent_run_id: Mapped[Identifier | None]
    task_id: Mapped[Identifier | None]
    agent_id: Mapped[str | None] = mapped_column(reference("agent.id", on_delete="SET NULL"))
    connection_id: Mapped[str | None] = mapped_column(reference("connection.id", on_delete="SET NULL"))
    model: Mapped[str] = mapped_column(default="")
    effort: Mapped[str] = mapped_column(default="normal")
    state: Mapped[str]
    """``queued``, ``running``, ``needs_you``, ``done``, ``failed``, ``stopped`` or ``interrupted``."""
    reason: Mapped[str] = mapped_column(default="")
    """Why it did not end as done: a sentence that names the fix."""
    context: Mapped[Documents] = mapped_column(default=list)
    """The parts that were sent: kind, label, tokens, price, in order."""
    history: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """The library's message JSON with its version, from which Resume goes on."""
    cap: Mapped[Micros | None]
    reserved: Mapped[Micros] = mapped_column(default=0)
    spent: Mapped[Micros] = mapped_column(default=0)
    created_at: Mapped[Instant]
    started_at: Mapped[Instant | None]
    finished_at: Mapped[Instant | None]


class RunEventTable(Base):
    """What happened in a run, in order; never changed, never removed but with its run."""

    __tablename__ = "run_event"
    __table_args__ = (
        UniqueConstraint("run_id", "seq"),
        Index(
            "ix_run_event_quoting",
            "kind",
            sqlite_where=text(QUOTING),
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(reference("run.id"))
    seq: Mapped[int]
    parent_run_id: Mapped[Identifier | None]
    task_id: Mapped[Identifier | None]
    agent_id: Mapped[Identifier | None]
    at: Mapped[Instant]
    kind: Mapped[str]
    body: Mapped[Document]
