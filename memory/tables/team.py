"""Who works here and the provider accounts they work on."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from memory.tables.base import Base, Document, Documents, Identifier, Instant, Micros, reference


class ConnectionTable(Base):
    """One provider account; its key is an item of the vault under the same id."""

    __tablename__ = "connection"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    kind: Mapped[str]
    """``anthropic``, ``openai`` or ``openai-compatible``."""
    preset: Mapped[str] = mapped_column(default="")
    label: Mapped[str]
    base_url: Mapped[str]
    default_model: Mapped[str] = mapped_column(default="")
    proxy: Mapped[str] = mapped_column(default="")
    mask: Mapped[str] = mapped_column(default="")
    fingerprint: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    """The connection with the lowest position is the default of every agent that names none."""
    created_at: Mapped[Instant]
    rotated_at: Mapped[Instant | None]
    last_used_at: Mapped[Instant | None]
    last_checked_at: Mapped[Instant | None]
    last_check: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Results of the five steps, without any body of a request or reply."""
    models: Mapped[Documents] = mapped_column(default=list)
    """Models as the provider last listed them."""
    price_overrides: Mapped[Document] = mapped_column(default=dict)


class AgentTable(Base):
    """One agent of the team."""

    __tablename__ = "agent"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(default="")
    avatar: Mapped[str] = mapped_column(default="")
    """A colour of the palette and an optional emoji, as ``teal`` or ``teal 🦉``."""
    personality: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    time_zone: Mapped[str] = mapped_column(default="")
    instructions: Mapped[str] = mapped_column(default="")
    connection_id: Mapped[str | None] = mapped_column(reference("connection.id", on_delete="SET NULL"))
    model: Mapped[str] = mapped_column(default="")
    temperature: Mapped[float | None]
    max_tokens: Mapped[int | None]
    effort: Mapped[str] = mapped_column(default="normal")
    """``quick``, ``normal`` or ``deep``."""
    tools: Mapped[Documents] = mapped_column(default=list)
    memory_scopes: Mapped[Documents] = mapped_column(default=list)
    recipients: Mapped[Documents] = mapped_column(default=list)
    """The hosts that its requests may go to; none named are all."""
    accepts_own_notes: Mapped[bool] = mapped_column(default=False)
    run_cap: Mapped[Micros | None]
    day_cap: Mapped[Micros | None]
    librarian: Mapped[bool] = mapped_column(default=False)
    """Answers by quoting, with no key and no network."""
    position: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
    archived_at: Mapped[Instant | None]
    trashed_at: Mapped[Instant | None]


class AgentRevisionTable(Base):
    """An earlier form of an agent, as Markdown."""

    __tablename__ = "agent_revision"

    agent_id: Mapped[str] = mapped_column(reference("agent.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[Instant]
    markdown: Mapped[str]
