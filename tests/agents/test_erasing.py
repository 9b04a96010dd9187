"""Erasing in an office in use: nothing of it is left in files, in pages or in what agents are given."""

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from agents.events import Erased, Event
from agents.indexing import index_said
from agents.lifecycle import erasing
from agents.office import Office
from memory import branches, messages, notes
from memory.chats import Message
from memory.errors import DiskFull, NotFound
from memory.lifecycle import erased, reports
from memory.lifecycle.subjects import Subject

MARKER = "the ochre pelican counts seventeen lighthouses"
WORDS = ("ochre", "pelican", "lighthouses")


def _decrypted(database: Path, key: bytes) -> Iterator[bytes]:
    """Every page, decrypted here and not by the code under test."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    for path, head, step in ((database, 0, 4096), (database.with_name("office.db-wal"), 32 + 24, 4096 + 24)):
        data = path.read_bytes() if path.exists() else b""
        for number, start in enumerate(range(head, len(data), step)):
            page = data[start : start + 4096]
            skip = 16 if page[:16] == data[:16] and number == 0 and head == 0 else 0
            cipher = Cipher(algorithms.AES(key), modes.CBC(page[4016:4032]))
            yield cipher.decryptor().update(page[skip:4016])


def traces(office: Office, words: tuple[str, ...] = WORDS) -> list[str]:
    """Where any of the words stands: in a page under the live key, or in a file as it lies on the disk."""
    found = []
    for word in words:
        for form in (word.encode(), word.encode("utf-16-le"), word.encode().hex().encode()):
            for number, page in enumerate(
                _decrypted(office.locations.database, office.vault.keys.database_key)
            ):
                if form in page.lower():
                    found.append(f"{word} in page {number + 1}")
            for path in office.locations.home.rglob("*"):
                if path.is_file() and form in path.read_bytes().lower():
                    found.append(f"{word} in {path.name}")
    return found


def _say(session: Session, conversation_id: str, *texts: str) -> list[Message]:
    said = []
    for text in texts:
        said.append(messages.add_owner_message(session, conversation_id, text))
        index_said(session, said[-1].id)
    return said


@pytest.mark.req("R040", "R118")
@pytest.mark.req("R112")
async def test_a_message_leaves_no_trace_and_the_tree_stays_whole(office: Office, heard: list[Event]) -> None:
    conversation = await office.create_conversation()
    first, middle, last = await office.database.write(
        _say, conversation.id, f"I say that {MARKER}", f"Once more: {MARKER}!", "Something else entirely"
    )
    assert traces(office)
    for message in (first, middle):
        report = await office.erasing.erase([Subject("message", message.id)])
        assert report.state == "scanning"
        assert report.proof["quick"]["pages"] > 0
        report = await office.erasing.proved(report.id)
    assert report.state == "clean"
    assert report.proof["full"]["found"] == {}
    assert traces(office, (*WORDS, first.id, middle.id)) == []
    with pytest.raises(NotFound):
        await office.message(first.id)
    path = await office.database.read(branches.path, conversation.id)
    assert [message.id for turn in path for message in turn.messages] == [last.id]
    assert await office.database.read(erased.among, "messages", [first.id, last.id]) == {first.id}
    told = [event for event in heard if isinstance(event, Erased)]
    assert [event.messages for event in told] == [{first.id}, {middle.id}]


@pytest.mark.req("R042")
async def test_a_note_goes_with_its_earlier_versions(office: Office) -> None:
    note = await office.notes.add(f"Remember: {MARKER}")
    newer = await office.notes.change(note.id, f"Remember well: {MARKER}")
    kept = await office.notes.add("Remember the milk")
    report = await office.erasing.proved((await office.erasing.erase([Subject("note", newer.id)])).id)
    assert (report.state, report.counts["memory"]) == ("clean", 2)
    assert traces(office) == []
    assert [one.id for one in await office.database.read(notes.notes)] == [kept.id]


async def test_what_was_recalled_of_it_elsewhere_goes_too(
    offices: Callable[..., Awaitable[Office]],
) -> None:
    office = await offices()
    await office.warm()
    conversation = await office.create_conversation()
    fact = "On Friday morning the ochre pelican is fed at the lighthouses."
    (message,) = await office.database.write(_say, conversation.id, fact)
    await office.recall.settled()
    other = await office.create_conversation()
    sent = await office.send(other.id, "@Librarian Who is fed on Friday morning?")
    await office.runs.wait([run.id for run in sent.runs])
    answer = await office.message(sent.replies[0].id)
    assert "pelican" in answer.text
    report = await office.erasing.erase([Subject("message", message.id), Subject("message", answer.id)])
    report = await office.erasing.proved(report.id)
    assert report.state == "clean", json.dumps(report.proof)
    assert traces(office, (*WORDS, message.id)) == []
    await office.recall.settled()
    assert (await office.recall.why("ochre pelican lighthouses"))["hits"] == []


async def test_words_that_the_schema_uses_are_no_trace(office: Office) -> None:
    note = await office.notes.add("memory_scopes")
    report = await office.erasing.erase([Subject("note", note.id)])
    assert (await office.erasing.proved(report.id)).state == "clean"


async def test_a_key_that_cannot_be_changed_leaves_the_search_of_what_went(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = await office.notes.add(f"Note that {MARKER}")
    key = office.vault.keys.database_key

    async def fail(*_arguments: object) -> None:
        raise DiskFull("The disk is full.")

    monkeypatch.setattr(erasing, "change_key", fail)
    with pytest.raises(DiskFull):
        await office.erasing.erase([Subject("note", note.id)], deep=True)
    (report,) = await office.database.read(reports.reports)
    report = await office.erasing.proved(report.id)
    assert (report.level, report.state, report.openers) == ("full", "clean", ())
    assert office.vault.keys.database_key == key


async def test_a_file_that_cannot_be_removed_stops_nothing_else(
    office: Office, tmp_path: Path, heard: list[Event]
) -> None:
    conversation = await office.create_conversation()
    source = tmp_path / "lease.txt"
    source.write_text(f"It says that {MARKER}.")
    file = await office.attach(conversation.id, source)
    await office.files.settled([file.id])
    blob = office.blobs.path(file.blob_id)
    blob.unlink()
    blob.mkdir()
    report = await office.erasing.proved((await office.erasing.erase([Subject("file", file.id)])).id)
    blob.rmdir()
    assert report.state == "clean"
    assert traces(office) == []
    assert [event.files for event in heard if isinstance(event, Erased)] == [{file.id}]
