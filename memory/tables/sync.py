"""What an office knows of its other devices: one row of its own state, a row for each record, and what waits.

No table here holds the words of a record, but for long texts that are being merged: a field is known by its stamp
and the digest of its value, and what waits to be sent is sealed.
"""

from typing import Any

from sqlalchemy import JSON, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from memory.tables.base import Base, Document, Documents, Identifier, Instant, reference


class SyncSpaceTable(Base):
    """This office as a space of its owner's account; one row, none where it was never synced."""

    __tablename__ = "sync_space"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    device_id: Mapped[Identifier]
    place: Mapped[str]
    """Where the devices meet: the path of a folder."""
    enabled: Mapped[bool] = mapped_column(default=True)
    applying: Mapped[bool] = mapped_column(default=False)
    """Set only inside a transaction that writes what arrived, so that none of it counts as an edit made here."""
    types: Mapped[Documents] = mapped_column(default=list)
    """The types of records that sync, as the owner chose them."""
    epoch: Mapped[int]
    log_n: Mapped[int]
    log_head: Mapped[bytes] = mapped_column(LargeBinary)
    """Number and hash of the last entry of the account log that was taken: an older or another log is refused."""
    clock_ms: Mapped[Instant] = mapped_column(default=0)
    clock_counter: Mapped[int] = mapped_column(default=0)
    naming: Mapped[bytes | None] = mapped_column(LargeBinary)
    """32 secret bytes from which the ids of records are made; empty until they have arrived."""
    position: Mapped[Document] = mapped_column(default=dict)
    """How far each source was read."""
    round_at: Mapped[Instant | None]
    """When the last round ended that went well."""
    fault: Mapped[str] = mapped_column(default="")
    """Why the last round did not go well, in a sentence for its owner; empty where it did."""
    fault_at: Mapped[Instant | None]
    head: Mapped[int] = mapped_column(default=0)
    """The largest number that a service told of its revisions: it never gives a smaller one."""
    compared_at: Mapped[Instant] = mapped_column(default=0)
    """When what a service has was last compared with what is known here."""
    lacking: Mapped[bool] = mapped_column(default=False)
    """Whether records without a number are to be sent, because the service lost or never had them."""
    marking: Mapped[Document] = mapped_column(default=dict)
    """By type the number, and a digest of the key, of the last row that was marked, while every row is."""
    service_keys: Mapped[Document] = mapped_column(default=dict)
    """By id the keys, as base64url, that the service showed first for what it signs; empty until it has shown some."""
    other_keys: Mapped[Documents] = mapped_column(default=list)
    """The fingerprints of keys that it shows now and that are none of those."""
    clock_ahead: Mapped[Instant | None]
    """By how many milliseconds this device's clock is ahead of the others', 0 where it is not; None until compared."""


class SyncRecordTable(Base):
    """One record as this device and the others know it."""

    __tablename__ = "sync_record"
    __table_args__ = (
        Index("ix_sync_record_local", "type", "local_id", unique=True),
        Index("ix_sync_record_state", "state"),
    )

    rid: Mapped[Identifier] = mapped_column(primary_key=True)
    type: Mapped[str]
    local_id: Mapped[str | None]
    """The key of its row; empty once that is erased, and for what this version does not know."""
    state: Mapped[str] = mapped_column(default="synced")
    """``synced``, ``held`` until what it hangs on arrives, ``opaque``, ``passed`` where its type does not sync here,
    ``too_long``, ``declined`` where it was erased here before this device joined, ``erase`` until the others are told,
    ``erasing`` because one of them told, or ``erased``. What was removed without proof is ``aside``, ``missing`` until
    the owner says what becomes of it, or ``kept`` by him."""
    seq: Mapped[int] = mapped_column(default=0)
    """The number of the revision that the others have; 0 for none."""
    rev: Mapped[str] = mapped_column(default="")
    stamps: Mapped[Document] = mapped_column(default=dict)
    """For each field the digest of its value and its stamp."""
    beside: Mapped[Document] = mapped_column(default=dict)
    """What no column holds: fields and members of later versions, references to what is not here."""
    own: Mapped[bool] = mapped_column(default=False)
    """Whether this device wrote that revision."""
    base: Mapped[Document] = mapped_column(default=dict)
    """Long texts with their stamps as the others have them."""
    former_seq: Mapped[int] = mapped_column(default=0)
    former: Mapped[Document] = mapped_column(default=dict)
    """Number and long texts of the revision before, upon which another device may have built."""
    waiting: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The whole record while it has no row: held, or of a type that this version does not know."""
    exp_day: Mapped[int] = mapped_column(default=0)
    """The day, counted from 1970-01-01 UTC, on which a service erases it; 0 for none."""
    aside_at: Mapped[Instant | None]
    """When it was removed without proof, the last time that it was."""
    aside_by: Mapped[str] = mapped_column(default="")
    """Why that was: ``missing`` at the service, ``verdict`` of it, or the id of the device whose order it was."""


class SyncAwaitedTable(Base):
    """What a record refers to and is not here: until it comes the record is held, or the reference kept beside."""

    __tablename__ = "sync_awaited"

    rid: Mapped[str] = mapped_column(reference("sync_record.rid"), primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True, index=True)
    arrived: Mapped[bool] = mapped_column(default=False, index=True)
    """Set by a trigger, whoever brings the target."""


class SyncChangeTable(Base):
    """A row that was changed here since it was last sealed; triggers write it in the transaction of the change."""

    __tablename__ = "sync_change"

    type: Mapped[str] = mapped_column(primary_key=True)
    local_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[Instant]


class SyncOutboxTable(Base):
    """A sealed revision that waits to be sent; a record has one at most."""

    __tablename__ = "sync_outbox"

    rid: Mapped[Identifier] = mapped_column(primary_key=True)
    op_id: Mapped[Identifier] = mapped_column(unique=True)
    erases: Mapped[bool]
    rev: Mapped[Identifier]
    epoch: Mapped[int] = mapped_column(default=0)
    """Of the key under which it is sealed."""
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    base: Mapped[Document] = mapped_column(default=dict)
    """Long texts in it, to be the record's base once it has been taken."""


class SyncTransferTable(Base):
    """A file whose pieces are on their way to the other devices, or from them; it goes with its attachment."""

    __tablename__ = "sync_transfer"

    attachment_id: Mapped[str] = mapped_column(reference("attachment.id"), primary_key=True)
    arrives: Mapped[bool]
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """Of a file that leaves, the key of its pieces; of one that arrives, the key of its file on this disk."""
    blob_id: Mapped[Identifier]
    """The id that goes with the key."""
    content_id: Mapped[Identifier]
    """The id of the content among the devices."""
    addresses: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    """Of a file that leaves, the hashes of its first pieces, 32 bytes each."""
    pieces: Mapped[int] = mapped_column(default=0)
    """How many of the first pieces are confirmed where they were sent, or are on this disk."""
    fault: Mapped[str] = mapped_column(default="")
    """Why it did not go on: ``too_large``, ``no_room``, ``lost``, ``damaged``, ``disk_full``, ``read_only`` or
    ``unreadable``."""


class SyncConflictTable(Base):
    """What lost where two devices changed the same words; only this device shows it."""

    __tablename__ = "sync_conflict"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    rid: Mapped[str] = mapped_column(reference("sync_record.rid"), index=True)
    field: Mapped[str]
    lost: Mapped[Any] = mapped_column(JSON)
    digest: Mapped[str]
    """Of the value that lost, so that it is listed once."""
    reason: Mapped[str]
    """``text`` or ``immutable``."""
    at: Mapped[Instant]


class SyncReceiptTable(Base):
    """A receipt of deletion that a service signed, with the key that proves it; it stays when sync is left."""

    __tablename__ = "sync_receipt"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    scope: Mapped[str]
    """``account``, ``space`` or ``records``."""
    at: Mapped[Instant]
    """When it was kept here."""
    key: Mapped[bytes] = mapped_column(LargeBinary)
    """The public key of the service, 32 bytes."""
    receipt: Mapped[str]
    """The receipt as JSON, as it was signed."""


class DeviceNameTable(Base):
    """How the owner calls a device of the account, named by the id that the device has there."""

    __tablename__ = "device_name"

    id: Mapped[Identifier] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    """Empty until the owner gave one."""
    system: Mapped[str] = mapped_column(default="")
    """``linux``, ``macos``, ``windows``, or empty; told by the device itself."""
