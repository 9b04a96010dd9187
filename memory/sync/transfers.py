"""Which files are on their way between the devices, and how far: kept before a piece is sent or written."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from memory import blobs
from memory.blobs import Blob
from memory.identifiers import new_id, now
from memory.sync import contents, space
from memory.sync.blob_chunks import BlobKey, chunk_count
from memory.sync.contents import FILE, Content
from memory.sync.envelope import HASH
from memory.tables import AttachmentTable, ConversationTable, SyncRecordTable, SyncTransferTable

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Leaving:
    """A file that leaves; ``pieces`` of it are confirmed.

    ``addresses`` are those of its first pieces, as far as they are known. ``new`` says that it has just been begun,
    ``again`` that the others have its record: then its pieces are checked.
    """

    attachment_id: str
    blob: Blob
    key: BlobKey
    addresses: tuple[bytes, ...] = field(repr=False)
    pieces: int
    new: bool
    again: bool


@dataclass(frozen=True, slots=True)
class Arriving:
    """A file that arrives: what it is among the devices, and as what it is written here."""

    attachment_id: str
    content: Content
    blob: Blob
    pieces: int


def next_leaving(session: Session, skip: Collection[str]) -> Leaving | None:
    """Return the file that is sent next, what was begun first; its key is on the disk when this returns."""
    row = _next(session, _leaves(), AttachmentTable.created_at, skip)
    while row is not None and row[1] is not None and _is_stale(*row):
        session.delete(row[1])
        session.flush()
        row = _next(session, _leaves(), AttachmentTable.created_at, skip)
    if row is None:
        return None
    file, transfer = row
    assert file.blob_id is not None  # asked for
    new = transfer is None
    transfer = transfer or _begin_leaving(session, file.id, BlobKey.new(), ())
    return Leaving(
        file.id,
        blobs.blob(session, file.blob_id),
        BlobKey(transfer.key, transfer.blob_id),
        _cut(transfer.addresses),
        transfer.pieces,
        new,
        file.content is not None,
    )


def note_addresses(session: Session, attachment_id: str, addresses: Collection[bytes]) -> None:
    """Remember the hashes of the pieces of a file that leaves."""
    _change(session, attachment_id, addresses=b"".join(addresses))


def note_pieces(session: Session, attachment_id: str, pieces: int) -> bool:
    """Remember how many pieces are confirmed, or written here; return whether the file is still there."""
    return _change(session, attachment_id, pieces=pieces, fault="")


def note_fault(session: Session, attachment_id: str, fault: str) -> None:
    """Remember why a file does not go on."""
    _change(session, attachment_id, fault=fault)


def addresses_of(session: Session, attachment_id: str) -> tuple[bytes, ...]:
    """Return the hashes of the pieces of a file that leaves, as far as they are known."""
    transfer = session.get(SyncTransferTable, attachment_id)
    return _cut(transfer.addresses) if transfer is not None else ()


def left(session: Session, file: Leaving) -> bool:
    """Note that every piece of a file is where the others get it: now its record may be sent.

    Returns False where the file was erased, or got another content, meanwhile.
    """
    transfer, row = _both(session, file.attachment_id)
    if transfer is None or row is None or _is_stale(row, transfer):
        return False
    row.content = Content(file.key, file.blob.size, _cut(transfer.addresses)).as_value()
    session.delete(transfer)
    session.flush()
    return True


def here(session: Session, behind: str) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """Return some of the files that are here and with the others, by id behind one, with the hashes of their pieces."""
    chosen = (
        select(AttachmentTable.id, AttachmentTable.content)
        .where(
            AttachmentTable.id > behind,
            AttachmentTable.blob_id.is_not(None),
            AttachmentTable.content.is_not(None),
        )
        .order_by(AttachmentTable.id)
        .limit(_AT_ONCE)
    )
    return tuple((row.id, contents.read(row.content).addresses) for row in session.execute(chosen))


def next_arriving(session: Session, skip: Collection[str]) -> Arriving | None:
    """Return the file that is fetched next, what was begun first, then the latest; as `next_leaving`."""
    row = _next(session, _arrives(), AttachmentTable.created_at.desc(), skip)
    if row is None:
        return None
    file, transfer = row
    content = contents.read(file.content)
    if transfer is None or transfer.content_id != content.key.blob_id:
        transfer = _begin_arriving(session, transfer, file.id, content)
    count = chunk_count(content.size)
    blob = Blob(transfer.blob_id, transfer.key, content.size, count, "", now())
    return Arriving(file.id, content, blob, transfer.pieces)


def arrived(session: Session, file: Arriving, blob: Blob) -> bool:
    """Name a file that is whole on the disk in its row; it is to be read next.

    Returns False where it was erased, or got another content, meanwhile.
    """
    transfer, row = _both(session, file.attachment_id)
    if transfer is None or row is None or transfer.blob_id != blob.id:
        return False
    blobs.record_blob(session, blob)
    row.blob_id, row.state, row.reason = blob.id, "pending", ""
    session.delete(transfer)
    session.flush()
    return True


def check_again(session: Session, attachment_id: str) -> None:
    """Have the pieces of a file confirmed once more before its record is sent again; those that are lost are put."""
    transfer, row = _both(session, attachment_id)
    if transfer is None and row is not None and row.blob_id is not None and row.content is not None:
        content = contents.read(row.content)
        _begin_leaving(session, attachment_id, content.key, content.addresses)


def named_pieces(session: Session) -> frozenset[bytes]:
    """Return the pieces of all files that are here, and of those that are about to leave."""
    named: set[bytes] = set()
    for value in session.scalars(select(AttachmentTable.content).where(AttachmentTable.content.is_not(None))):
        named |= set(contents.read(value).addresses)
    chosen = select(SyncTransferTable.addresses).where(~SyncTransferTable.arrives)
    for addresses in session.scalars(chosen):
        named |= set(_cut(addresses))
    return frozenset(named)


@dataclass(frozen=True, slots=True)
class Moving:
    """How many files are still to leave and to arrive, and by reason how many of them do not go on."""

    leaving: int = 0
    arriving: int = 0
    faults: dict[str, int] = field(default_factory=dict)


def moving(session: Session) -> Moving:
    """Return what is on its way; nothing where files do not sync here."""
    office = space.of(session)
    if office is None or FILE not in office.types:
        return Moving()

    def counted(condition: ColumnElement[bool]) -> int:
        joined = select(func.count()).select_from(AttachmentTable).outerjoin(SyncTransferTable)
        return session.scalar(joined.where(condition)) or 0

    by_fault = select(SyncTransferTable.fault, func.count()).where(SyncTransferTable.fault != "")
    faults = {row[0]: row[1] for row in session.execute(by_fault.group_by(SyncTransferTable.fault))}
    return Moving(counted(_leaves()), counted(_arrives()), faults)


def _next(
    session: Session, condition: ColumnElement[bool], order: Any, skip: Collection[str]
) -> Row[AttachmentTable, SyncTransferTable] | None:
    """Return a file and how far it is, what was begun first and then in an order; None where files do not sync now."""
    office = space.of(session)
    if office is None or not office.enabled or FILE not in office.types:
        return None
    begun = SyncTransferTable.attachment_id.is_not(None)
    chosen = (
        select(AttachmentTable, SyncTransferTable)
        .outerjoin(SyncTransferTable, SyncTransferTable.attachment_id == AttachmentTable.id)
        .where(condition, AttachmentTable.id.not_in(skip))
        .order_by(_faultless(), begun.desc(), order, AttachmentTable.id)
        .limit(1)
    )
    return session.execute(chosen).first()


def _leaves() -> ColumnElement[bool]:
    """Return the condition that a file was sent in a chat, is here, and is not yet where the others get it."""
    arriving_chats = select(ConversationTable.id).where(ConversationTable.arriving_import_id.is_not(None))
    again = and_(SyncTransferTable.attachment_id.is_not(None), ~SyncTransferTable.arrives)
    return and_(
        AttachmentTable.message_id.is_not(None),
        AttachmentTable.blob_id.is_not(None),
        AttachmentTable.conversation_id.not_in(arriving_chats),
        or_(AttachmentTable.content.is_(None), again),
    )


def _arrives() -> ColumnElement[bool]:
    """Return the condition that a file is known from another device, shown, and not here."""
    record = (SyncRecordTable.type == FILE) & (SyncRecordTable.local_id == AttachmentTable.id)
    return and_(
        AttachmentTable.blob_id.is_(None),
        AttachmentTable.content.is_not(None),
        exists().where(record, SyncRecordTable.state == "synced"),
    )


def _faultless() -> ColumnElement[bool]:
    """Return the order in which what does not go on stands last."""
    return func.coalesce(SyncTransferTable.fault, "") != ""


def _is_stale(file: Any, transfer: SyncTransferTable) -> bool:
    """Whether another device has given the file a content since this one began to send it."""
    return file.content is not None and contents.read(file.content).key.blob_id != transfer.content_id


def _begin_leaving(
    session: Session, attachment_id: str, key: BlobKey, addresses: Collection[bytes]
) -> SyncTransferTable:
    transfer = SyncTransferTable(
        attachment_id=attachment_id, arrives=False, key=key.key, blob_id=key.blob_id, content_id=key.blob_id,
        addresses=b"".join(addresses), pieces=0, fault="",
    )  # fmt: skip
    session.add(transfer)
    session.flush()
    return transfer


def _begin_arriving(
    session: Session, former: SyncTransferTable | None, attachment_id: str, content: Content
) -> SyncTransferTable:
    if former is not None:
        # Another device gave the file another content. The next start removes what came of the former one.
        session.delete(former)
        session.flush()
    transfer = SyncTransferTable(
        attachment_id=attachment_id, arrives=True, key=BlobKey.new().key, blob_id=new_id(),
        content_id=content.key.blob_id, addresses=b"", pieces=0, fault="",
    )  # fmt: skip
    session.add(transfer)
    session.flush()
    return transfer


def _cut(addresses: bytes) -> tuple[bytes, ...]:
    return tuple(addresses[at : at + HASH] for at in range(0, len(addresses), HASH))


def _both(session: Session, attachment_id: str) -> tuple[SyncTransferTable | None, Any]:
    return session.get(SyncTransferTable, attachment_id), session.get(AttachmentTable, attachment_id)


def _change(session: Session, attachment_id: str, **values: Any) -> bool:
    made = update(SyncTransferTable).where(SyncTransferTable.attachment_id == attachment_id).values(**values)
    return bool(session.execute(made).rowcount)  # type: ignore[attr-defined]  # of an update it is known
