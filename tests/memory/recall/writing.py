"""Writing messages, files and notes as the office writes them: rows and passages in one transaction."""

from typing import Any

from sqlalchemy.orm import Session

from memory.attachments import Attachment
from memory.chats import Message
from memory.database import Database
from memory.identifiers import new_id
from memory.notes import Note
from memory.readers.passages import Passage
from memory.recall.indexing import index_message, index_note, index_passages
from memory.tables import AttachmentTable, BlobTable, ConversationTable, MessageTable, NoteTable

START = 1_700_000_000_000
"""14 November 2023; each message comes a minute after the one before."""


class Writer:
    """Writes into one conversation unless told otherwise."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._count = 0
        self._previous: dict[str, str] = {}
        self.conversation = self.converse()

    def converse(self, **columns: Any) -> str:
        """Add a conversation and return its id."""
        identifier = new_id()

        def add(session: Session) -> None:
            session.add(ConversationTable(id=identifier, created_at=START, updated_at=START, **columns))

        self._database.write_now(add)
        return identifier

    def say(self, speaker: str, text: str, conversation: str = "", at: int = 0, **columns: Any) -> str:
        """Add and index a message; return its id."""
        self._count += 1
        identifier, place = new_id(), conversation or self.conversation
        message = Message(
            id=identifier,
            conversation_id=place,
            parent_id=None,
            batch_id=identifier,
            position=0,
            role="owner",
            agent_id=None,
            agent_name="",
            model="",
            run_id=None,
            text=text,
            thinking="",
            citations=(),
            attachment_ids=(),
            state="complete",
            created_at=at or START + self._count * 60_000,
            pinned_at=None,
            restricted=False,
        )

        def add(session: Session) -> None:
            session.add(
                MessageTable(
                    id=identifier,
                    conversation_id=place,
                    batch_id=identifier,
                    role="owner",
                    text=text,
                    created_at=message.created_at,
                    **columns,
                )
            )
            session.flush()
            index_message(session, message, self._previous.get(place, ""), speaker, message.created_at)

        self._database.write_now(add)
        self._previous[place] = f"{speaker}: {text}"
        return identifier

    def attach(self, name: str, pieces: list[Passage]) -> str:
        """Add a file with its passages; return its id."""
        identifier, blob = new_id(), new_id()
        attachment = Attachment(
            id=identifier,
            conversation_id=self.conversation,
            message_id=None,
            blob_id=blob,
            name=name,
            kind="pdf",
            media_type="application/pdf",
            size=1,
            pages=None,
            characters=None,
            state="ready",
            reason="",
            note="",
            created_at=START,
        )

        def add(session: Session) -> None:
            session.add(BlobTable(id=blob, key=b"", size=1, chunks=1, sha256="", created_at=START))
            session.flush()
            session.add(
                AttachmentTable(
                    id=identifier,
                    conversation_id=self.conversation,
                    blob_id=blob,
                    name=name,
                    size=1,
                    created_at=START,
                )
            )
            session.flush()
            index_passages(session, attachment, pieces)

        self._database.write_now(add)
        return identifier

    def note(self, text: str, scope: str = "office", scope_id: str | None = None, **columns: Any) -> str:
        """Add and index an accepted fact; return its id."""
        identifier = new_id()
        note = Note(
            id=identifier,
            kind="fact",
            scope=scope,  # type: ignore[arg-type]  # the tests pass one of the three
            scope_id=scope_id,
            text=text,
            state="accepted",
            source_message_id=None,
            source_attachment_id=None,
            agent_id=None,
            model="",
            created_at=START,
            valid_from=START,
            valid_to=None,
            supersedes_id=None,
            uses=0,
            last_used_at=None,
            pinned_at=None,
        )

        def add(session: Session) -> None:
            session.add(
                NoteTable(
                    id=identifier,
                    kind="fact",
                    scope=scope,
                    scope_id=scope_id,
                    text=text,
                    created_at=START,
                    valid_from=START,
                    **columns,
                )
            )
            session.flush()
            index_note(session, note)

        self._database.write_now(add)
        return identifier
