"""Files given to a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Select, delete, literal_column, select
from sqlalchemy.orm import Session

from memory.errors import Refused
from memory.identifiers import new_id, now
from memory.tables import AttachmentTable, BlobTable, ConversationTable
from memory.tables.records import record, required
from resources.language import gettext as _

AttachmentState = Literal["arriving", "pending", "reading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a conversation; its content is the encrypted blob ``blob_id``, ``size`` is in bytes.

    While it is arriving from another device there is no blob.
    """

    id: str
    conversation_id: str
    message_id: str | None
    blob_id: str | None
    name: str
    kind: str
    media_type: str
    size: int
    pages: int | None
    characters: int | None
    state: AttachmentState
    reason: str
    note: str
    created_at: int
    restricted: bool = False


def add_attachment(
    session: Session,
    conversation_id: str,
    *,
    blob_id: str,
    name: str,
    size: int,
    kind: str = "",
    media_type: str = "",
    state: AttachmentState = "pending",
    note: str = "",
) -> Attachment:
    """Give a file, whose blob is recorded already, to the draft of a conversation. Raises NotFound."""
    required(session, ConversationTable, conversation_id)
    row = AttachmentTable(
        id=new_id(),
        conversation_id=conversation_id,
        blob_id=blob_id,
        name=name,
        kind=kind,
        media_type=media_type,
        size=size,
        state=state,
        note=note,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return record(Attachment, row)


def attachment(session: Session, attachment_id: str) -> Attachment:
    """Return one attachment. Raises NotFound."""
    return record(Attachment, required(session, AttachmentTable, attachment_id))


def attachments(session: Session, conversation_id: str) -> tuple[Attachment, ...]:
    """Return the files of a conversation, drafts included, in the order given."""
    query = select(AttachmentTable).where(AttachmentTable.conversation_id == conversation_id)
    return _records(session, query)


def attachments_of(session: Session, attachment_ids: Sequence[str]) -> tuple[Attachment, ...]:
    """Return the named files in the order named; those that are gone are left out."""
    rows = session.scalars(select(AttachmentTable).where(AttachmentTable.id.in_(attachment_ids)))
    by_id = {row.id: record(Attachment, row) for row in rows}
    return tuple(by_id[identifier] for identifier in attachment_ids if identifier in by_id)


def usable(session: Session, attachment_ids: Sequence[str]) -> tuple[Attachment, ...]:
    """Return those of the named files that agents may be given: neither restricted nor in the trash."""
    chosen = select(AttachmentTable.id).where(
        AttachmentTable.id.in_(attachment_ids),
        AttachmentTable.restricted.is_(False),
        AttachmentTable.trashed_at.is_(None),
    )
    allowed = set(session.scalars(chosen))
    return attachments_of(session, [one for one in attachment_ids if one in allowed])


def kinds(session: Session) -> tuple[str, ...]:
    """Return every kind of file that the office has, sorted."""
    return tuple(session.scalars(select(AttachmentTable.kind).distinct().order_by(AttachmentTable.kind)))


def attachments_in_state(session: Session, state: AttachmentState) -> tuple[Attachment, ...]:
    """Return the files of every conversation that are in this state: those to read, after a start."""
    arriving = select(ConversationTable.id).where(ConversationTable.arriving_import_id.is_not(None))
    query = select(AttachmentTable).where(
        AttachmentTable.state == state, AttachmentTable.conversation_id.not_in(arriving)
    )
    return _records(session, query)


def update_attachment(
    session: Session,
    attachment_id: str,
    *,
    state: AttachmentState,
    kind: str | None = None,
    media_type: str | None = None,
    pages: int | None = None,
    characters: int | None = None,
    reason: str | None = None,
    note: str | None = None,
) -> Attachment:
    """Record what reading the file came to; None leaves a value as it is. Raises NotFound."""
    row = required(session, AttachmentTable, attachment_id)
    found = {
        "kind": kind,
        "media_type": media_type,
        "pages": pages,
        "characters": characters,
        "reason": "" if reason is None and state != "failed" else reason,
        "note": note,
    }
    row.state = state
    for name, value in found.items():
        if value is not None:
            setattr(row, name, value)
    session.flush()
    return record(Attachment, row)


def remove_attachment(session: Session, attachment_id: str) -> str | None:
    """Take a file out of a draft and return the id of the blob to delete, if nothing else holds it.

    Raises NotFound, or Refused once a message carries it.
    """
    row = required(session, AttachmentTable, attachment_id)
    if row.message_id is not None:
        raise Refused(_("“{name}” was sent already: erase its message instead.").format(name=row.name))
    blob_id = row.blob_id
    session.delete(row)
    session.flush()
    held = session.scalar(select(AttachmentTable.id).where(AttachmentTable.blob_id == blob_id).limit(1))
    if held is not None:
        return None
    session.execute(delete(BlobTable).where(BlobTable.id == blob_id))
    return blob_id


def _records(session: Session, query: Select[AttachmentTable]) -> tuple[Attachment, ...]:
    rows = session.scalars(query.order_by(literal_column("attachment.rowid")))
    return tuple(record(Attachment, row) for row in rows)
