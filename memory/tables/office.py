"""The office itself, its settings and the audit trail."""

from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from memory.tables.base import Base, Document, Identifier, Instant


class OfficeTable(Base):
    """One row: who this office is."""

    __tablename__ = "office"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    created_at: Mapped[Instant]
    change_mark: Mapped[int] = mapped_column(default=0)
    """Raised by every change of the vectors; a snapshot of the index is fresh only at the same mark."""


class SettingTable(Base):
    """A setting that its owner changed; defaults live in the declaration."""

    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
    updated_at: Mapped[Instant]


class AuditTable(Base):
    """An append-only, hash-chained record of what was done to keys, settings and data."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[Instant]
    kind: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[Document]
    previous_hash: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
