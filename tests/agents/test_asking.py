"""``bureau ask``: what is refused leaves nothing behind, neither a conversation nor a file."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agents.commands.asking import ask
from agents.commands.serving import Served
from agents.door.protocol import Caller, CommandFailed, Item
from agents.errors import AgentsError
from agents.office import Office
from memory import chats
from memory.errors import StorageError
from memory.tables import AttachmentTable, BlobTable, ConversationTable, PassageTable


async def _ask(office: Office, prompt: str, files: list[Path], conversation: str = "") -> list[Item]:
    arguments: dict[str, Any] = {
        "prompt": prompt,
        "agent": "",
        "conversation": conversation,
        "files": [str(path) for path in files],
    }
    return [item async for item in ask(Served(office), arguments, Caller())]


def _left(session: Session) -> dict[str, int]:
    tables = (ConversationTable, AttachmentTable, BlobTable, PassageTable)
    counted = {
        table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in tables
    }
    return {name: count for name, count in counted.items() if count}


def _kept_files(office: Office) -> list[Path]:
    return [path for path in office.locations.blobs.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("prompt", "content"),
    [
        (" \n", None),
        ("@Nobody how deep is the quay?", None),
        ("@Nobody how deep is the quay?", b"The quay is 6.4 m deep."),
        ("How deep is the quay?", b""),
        ("How deep is the quay?", b"%PDF-1.7\nno page follows"),
    ],
    ids=["no prompt", "unknown name", "unknown name with a file", "empty file", "damaged file"],
)
async def test_a_refused_question_leaves_nothing(
    office: Office, tmp_path: Path, prompt: str, content: bytes | None
) -> None:
    files = []
    if content is not None:
        files = [tmp_path / ("survey.pdf" if content.startswith(b"%PDF") else "survey.txt")]
        files[0].write_bytes(content)
    with pytest.raises((AgentsError, CommandFailed)):
        await _ask(office, prompt, files)
    assert await office.database.read(_left) == {}
    assert _kept_files(office) == []


async def test_a_file_that_is_not_there_takes_the_one_before_it_along(office: Office, tmp_path: Path) -> None:
    known = tmp_path / "survey.txt"
    known.write_text("The quay is 6.4 m deep.")
    with pytest.raises(StorageError):
        await _ask(office, "How deep is the quay?", [known, tmp_path / "missing.txt"])
    assert await office.database.read(_left) == {}
    assert _kept_files(office) == []


async def test_a_conversation_that_was_named_stays_as_it_was(office: Office, tmp_path: Path) -> None:
    named = await office.create_conversation(title="Harbour")
    known = tmp_path / "survey.txt"
    known.write_text("The quay is 6.4 m deep.")
    with pytest.raises(AgentsError):
        await _ask(office, "@Nobody how deep is the quay?", [known], named.id)
    assert await office.database.read(_left) == {"conversation": 1}
    assert (await office.database.read(chats.conversation, named.id)).title == "Harbour"

    (*_stream, last) = await _ask(office, "How deep is the quay?", [known], named.id)
    assert last["value"]["conversation"] == named.id and "6.4 m" in last["value"]["text"]
    await office.database.write(chats.remove_unused, named.id)
    assert (await office.database.read(_left))["conversation"] == 1, "what is in use stays"
