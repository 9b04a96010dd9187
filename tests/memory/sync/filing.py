"""Files in offices of tests: attached to a message, compared, and erased."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import attachments, blobs, chats, messages
from memory.attachments import Attachment
from memory.blobs import Blob, BlobStore
from memory.sync.blob_chunks import CHUNK
from memory.tables import AttachmentTable, SyncTransferTable


@dataclass
class Filing:
    """The files of one office. ``do`` runs something in a transaction."""

    do: Any
    store: BlobStore

    @classmethod
    def at(cls, do: Any, home: Path) -> "Filing":
        folder = home / "blobs"
        folder.mkdir(exist_ok=True)
        return cls(do, BlobStore(folder))

    def attach(self, content: bytes, name: str = "lease.txt") -> Attachment:
        """Send a file in a new chat."""
        blob = self.store.write(content)
        return attachment_of(self.do(sent_in_a_new_chat, blob, name))

    def files(self) -> dict[str, Attachment]:
        return {one.id: one for one in self.do(_files)}

    def content(self, file_id: str) -> bytes | None:
        """Return the content of a file, None while it is not here."""
        file = self.files()[file_id]
        return None if file.blob_id is None else self.store.read(self.do(blobs.blob, file.blob_id))

    def sweep(self) -> None:
        """Remove what a crash left, as each start does."""
        self.store.sweep(self.do(blobs.drop_unreferenced))

    def on_disk(self) -> list[str]:
        return sorted(path.name for path in self.store.path("").iterdir())

    def transfers(self) -> dict[str, tuple[int, str]]:
        """Return how many pieces of each file are through, and what stops it."""
        return {row[0]: (row[1], row[2]) for row in self.do(_transfers)}


def content_of(pieces: int) -> bytes:
    """Return random bytes that are cut into so many pieces, the last of them short."""
    return os.urandom((pieces - 1) * CHUNK + 1000)


def attachment_of(found: Any) -> Attachment:
    assert isinstance(found, Attachment)
    return found


def sent_in_a_new_chat(session: Session, blob: Blob, name: str) -> Attachment:
    """Send a file that is on the disk in a chat of its own."""
    blobs.record_blob(session, blob)
    chat = chats.create_conversation(session, title="Lease")
    file = attachments.add_attachment(session, chat.id, blob_id=blob.id, name=name, size=blob.size)
    messages.add_owner_message(session, chat.id, "What is the deposit?", attachment_ids=[file.id])
    return attachments.attachment(session, file.id)


def _files(session: Session) -> list[Attachment]:
    return [attachments.attachment(session, one) for one in session.scalars(select(AttachmentTable.id))]


def _transfers(session: Session) -> list[tuple[str, int, str]]:
    columns = (SyncTransferTable.attachment_id, SyncTransferTable.pieces, SyncTransferTable.fault)
    return [tuple(row) for row in session.execute(select(*columns))]
