"""What was used, what it cost, and every request that left this machine."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from memory.tables.base import Base, Documents, Identifier, Instant, Micros, reference


class UsageTable(Base):
    """Tokens and cost of one model request."""

    __tablename__ = "usage"
    __table_args__ = (Index("ix_usage_day_agent", "day", "agent_id"),)

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    at: Mapped[Instant]
    day: Mapped[str]
    """The owner's calendar day, ``2026-11-21``."""
    run_id: Mapped[str | None] = mapped_column(reference("run.id", on_delete="SET NULL"), index=True)
    agent_id: Mapped[str | None] = mapped_column(reference("agent.id", on_delete="SET NULL"))
    connection_id: Mapped[str | None] = mapped_column(reference("connection.id", on_delete="SET NULL"))
    model: Mapped[str]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    cache_read_tokens: Mapped[int] = mapped_column(default=0)
    cache_write_tokens: Mapped[int] = mapped_column(default=0)
    cost: Mapped[Micros | None]
    """Empty where no price is known: shown as "unknown", never as 0."""
    counted: Mapped[Micros] = mapped_column(default=0)
    """What caps count: the cost, or what stands for it where price or tokens are not known."""


class OutboxTable(Base):
    """One request that left this machine: when, to whom, for which agent, what kinds of data."""

    __tablename__ = "outbox"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    at: Mapped[Instant] = mapped_column(index=True)
    host: Mapped[str]
    purpose: Mapped[str]
    """``chat``, ``check``, ``models`` or ``discovery``."""
    connection_id: Mapped[str | None] = mapped_column(reference("connection.id", on_delete="SET NULL"))
    agent_id: Mapped[str | None] = mapped_column(reference("agent.id", on_delete="SET NULL"))
    run_id: Mapped[str | None] = mapped_column(reference("run.id", on_delete="SET NULL"))
    categories: Mapped[Documents] = mapped_column(default=list)
    """Kinds of data inside: ``conversation``, ``attachment``, ``note``, ``instructions``, ``tools``, …"""
    bytes_sent: Mapped[int] = mapped_column(default=0)
    bytes_received: Mapped[int] = mapped_column(default=0)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost: Mapped[Micros | None]
    status: Mapped[int | None]
    """The HTTP status; empty while under way or where no answer came."""
    error: Mapped[str] = mapped_column(default="")
    finished_at: Mapped[Instant | None]
