"""An office of the size that the life cycle of data is measured on: chats, files and notes, quickly made."""

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from agents.office import Office
from memory.blobs import record_blob
from memory.identifiers import new_id, now
from memory.locations import Locations
from memory.tables import AttachmentTable, ConversationTable, MessageTable, NoteTable
from tests.bench.offices import ANSWER
from tests.bench.processes import PASSPHRASE
from vault.secret import Secret

MESSAGES, FILES, NOTES, FILE_BYTES = 100_000, 2_000, 20_000, 1_000_000
TO_A_CHAT = 100
_BLOCK = 1 << 20


async def big_office(
    home: Path,
    *,
    messages: int = MESSAGES,
    files: int = FILES,
    notes: int = NOTES,
    file_bytes: int = FILE_BYTES,
) -> None:
    """Make an office of that many messages, files (of ``file_bytes`` bytes each) and notes; nothing is indexed."""
    office = await Office.open(Locations.find(home), passphrase=Secret(PASSPHRASE))
    try:
        chats = await office.database.write(_chats, messages)
        await office.database.write(_notes, notes)
        for number, content in enumerate(contents(files, file_bytes)):
            blob = office.blobs.write(content)
            await office.database.write(_file, blob, chats[number % len(chats)], number)
    finally:
        await office.close()


def contents(files: int, size: int) -> Iterator[bytes]:
    """Yield files that no packer makes smaller, each different from the others."""
    filler = random.Random(11).randbytes(_BLOCK)
    for number in range(files):
        beginning = hashlib.sha512(str(number).encode()).digest()
        yield (beginning + filler * (size // _BLOCK + 1))[:size]


def _chats(session: Session, messages: int) -> list[str]:
    chats: list[str] = []
    begun = now() - messages * 60_000
    for first in range(0, messages, TO_A_CHAT):
        chat, parent, rows = new_id(), None, []
        for number in range(first, min(first + TO_A_CHAT, messages)):
            answered = number % 2 == 1
            rows.append(
                {
                    "id": new_id(),
                    "conversation_id": chat,
                    "parent_id": parent,
                    "batch_id": new_id(),
                    "ordinal": number - first + 1,
                    "position": 0,
                    "role": "agent" if answered else "owner",
                    "agent_name": "Researcher" if answered else "",
                    "model": "claude-sonnet-5" if answered else "",
                    "run_id": new_id() if answered else None,
                    "text": f"Of sheet {number}: {ANSWER}"
                    if answered
                    else f"What does sheet {number} say of the depth at the quay?",
                    "created_at": begun + number * 60_000,
                }
            )
            parent = rows[-1]["id"]
        made = {"id": chat, "title": f"Sheet {first}", "active_leaf_id": parent}
        session.execute(insert(ConversationTable), {**made, "created_at": begun, "updated_at": begun + first})
        session.execute(insert(MessageTable), rows)
        chats.append(chat)
    return chats


def _notes(session: Session, notes: int) -> None:
    rows = [
        {
            "id": new_id(),
            "kind": "fact",
            "scope": "office",
            "scope_id": None,
            "text": f"Sheet {number} was measured at low water on day {number % 365}.",
            "created_at": now(),
            "valid_from": now(),
        }
        for number in range(notes)
    ]
    if rows:
        session.execute(insert(NoteTable), rows)


def _file(session: Session, blob, chat: str, number: int) -> None:
    record_blob(session, blob)
    session.add(
        AttachmentTable(
            id=new_id(),
            conversation_id=chat,
            blob_id=blob.id,
            name=f"sheet {number}.bin",
            size=blob.size,
            state="failed",
            created_at=now(),
        )
    )
