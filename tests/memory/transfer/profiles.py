"""A profile for the tests of export and import: database, encrypted files, workspace; and a small office in it."""

import asyncio
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from memory import attachments, blobs, chats, messages, notes, roster, settings
from memory.blobs import BlobStore
from memory.database import Database
from memory.identifiers import new_id, now
from memory.messages import Speaker
from memory.tables import ConnectionTable
from memory.transfer.bag_reading import Unlock, open_bag
from memory.transfer.comparing import Choice
from memory.transfer.exporting import Order, Written, export
from memory.transfer.importing import Preview, bring_in, preview
from memory.transfer.merging import Merged
from memory.transfer.selection import Filters
from memory.transfer.targets import Encrypter
from memory.transfer.watching import Watch

KEY = bytes(range(32))
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
OFFICE = "0f" * 16


@dataclass
class Profile:
    """One office's folder, open."""

    home: Path
    database: Database
    store: BlobStore
    workspace: Path = field(init=False)

    def __post_init__(self) -> None:
        self.workspace = self.home / "workspace"
        self.workspace.mkdir(exist_ok=True)

    @classmethod
    def make(cls, home: Path, empty: Path) -> "Profile":
        """Make an empty profile out of a database file with all tables."""
        (home / "blobs").mkdir(parents=True)
        shutil.copy(empty, home / "office.db")
        return cls(home, Database.open(home / "office.db", KEY), BlobStore(home / "blobs"))

    def export(
        self,
        path: Path,
        *,
        watch: Watch | None = None,
        filters: Filters | None = None,
        encrypter: Encrypter | None = None,
        secrets: Iterable[dict[str, Any]] = (),
        **options: bool,
    ) -> Written:
        """Export to a path."""
        order = Order(
            path=path,
            office_id=OFFICE,
            application="bureau 0.1.0",
            sign=SIGNER.sign,
            public_key=SIGNER.public_key().public_bytes_raw(),
            filters=filters or Filters(),
            encrypter=encrypter,
            secrets=secrets,
            **options,
        )
        return asyncio.run(
            self.database.read_apart(export, order, self.store, self.workspace, watch or Watch())
        )

    def look_at(self, path: Path, choice: Choice | None = None, unlock: Unlock | None = None) -> Preview:
        """Preview an import."""
        with open_bag(path, unlock) as bag:
            return asyncio.run(self.database.read_apart(preview, bag, choice or Choice(), Watch()))

    def bring_in(
        self,
        path: Path,
        choice: Choice | None = None,
        *,
        unlock: Unlock | None = None,
        watch: Watch | None = None,
    ) -> Merged:
        """Import an export."""
        with open_bag(path, unlock) as bag:
            work = bring_in(
                self.database, bag, self.store, self.workspace, choice or Choice(), watch or Watch()
            )
            return asyncio.run(work)

    def add_file(self, conversation_id: str, name: str, content: bytes) -> str:
        """Give a file to a conversation; returns the attachment's id."""
        blob = self.store.write(content)

        def keep(session: Session) -> str:
            blobs.record_blob(session, blob)
            return attachments.add_attachment(
                session, conversation_id, blob_id=blob.id, name=name, size=len(content), state="ready"
            ).id

        return self.database.write_now(keep)


Opener = Callable[..., Profile]


def fill(profile: Profile) -> str:
    """Put a small office into a profile: a connection, an agent, a chat with branches and files, notes.

    Returns the conversation's id.
    """
    write = profile.database.write_now
    connection_id = write(_connect)
    ada = write(roster.create_agent, name="Ada", instructions="Be exact.", connection_id=connection_id)
    write(roster.update_agent, ada.id, markdown="# Ada\n", role="Analyst")
    chat = write(chats.create_conversation, title="The lease 📜", agent_id=ada.id)
    lease = profile.add_file(chat.id, "lease.txt", b"The rent is 900.\n" * 1000)
    profile.add_file(chat.id, "the same.txt", b"The rent is 900.\n" * 1000)
    profile.add_file(chat.id, "empty", b"")
    question = write(messages.add_owner_message, chat.id, "What is the **rent**?", attachment_ids=[lease])
    speakers = [Speaker(ada.id, "Ada", new_id(), "big-1"), Speaker(None, "עדה", new_id(), "")]
    first, second = write(messages.add_agent_messages, question.id, speakers)
    cited = [{"file": "lease.txt", "place": "line 1", "quote": "The rent is 900."}]
    write(messages.finish_message, first.id, "complete", text="900 </script> & more", citations=cited)
    write(messages.finish_message, second.id, "stopped", text="I thi\ud83dnk")
    write(notes.add_note, "Rent: 900 a month", scope="conversation", scope_id=chat.id)
    write(notes.add_note, "Likes short answers", kind="preference")
    write(settings.change, "network.proxy", "http://me:hidden-in-here@proxy.test:3128")
    write(settings.change, "runs.effort", "deep")
    (profile.workspace / "plans").mkdir()
    (profile.workspace / "plans" / "Übersicht 1.md").write_bytes(b"\xff\x00 bytes\r\n")
    (profile.workspace / "plans" / "100%.txt").write_text("odd name")
    (profile.workspace / "empty" / "inner").mkdir(parents=True)
    return chat.id


def _connect(session: Session) -> str:
    row = ConnectionTable(
        id=new_id(),
        kind="openai-compatible",
        label="Office server",
        base_url="http://user:word@models.test/v1",
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return row.id
