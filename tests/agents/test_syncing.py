"""Two real offices of one owner meet in a folder: turned on, joined by the recovery key, erased with proof on both."""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.commands import sync_account
from agents.commands import syncing as commands
from agents.commands.serving import Served
from agents.lifecycle.everything import erase_everything
from agents.lifecycle.transfer import Wish
from agents.office import Office
from agents.sync_service.device_item import ITEM
from memory import attachments, audit, branches, chats, notes, roster
from memory.errors import NotFound, Refused
from memory.lifecycle.subjects import Subject
from memory.sync.errors import LogShorter, WrapRefused
from tests.agents.conftest import until
from tests.agents.syncing_offices import settle
from tests.agents.test_erasing import traces
from vault.errors import KeyNotFound
from vault.recovery_key import words_of
from vault.secret import Secret

Offices = Callable[..., Awaitable[Office]]


async def both(offices: Offices, folder: Path) -> tuple[Office, Office, bytes]:
    """Open two offices that sync; the second was new when it joined."""
    key = os.urandom(32)
    one, other = await offices("one"), await offices("other")
    await one.syncing.found(folder, key)
    await other.syncing.join(folder, key)
    return one, other, key


async def names(office: Office) -> list[tuple[str, str]]:
    return sorted((agent.id, agent.name) for agent in await office.database.read(roster.agents))


async def test_a_chat_with_an_answer_is_on_both_and_can_be_found(offices: Offices, folder: Path) -> None:
    one, other, _key = await both(offices, folder)
    conversation = await one.create_conversation(title="Rent")
    await one.send(conversation.id, "@Librarian The rent is due on the third of each month.")
    await until(lambda: not one.runs.busy(conversation.id))
    await one.notes.add("The landlord is Ms Quince")
    await settle(one, other)
    turns = [await office.database.read(branches.path, conversation.id) for office in (one, other)]
    said = [[(each.role, each.text) for turn in path for each in turn.messages] for path in turns]
    assert said[0] == said[1] and len(said[0]) == 2
    assert (await other.database.read(chats.conversation, conversation.id)).title == "Rent"
    await other.recall.start()
    found = await other.recall.search("landlord Quince")
    assert any("Quince" in hit.text for hit in found.hits)


async def test_a_new_office_takes_the_agents_of_the_first(offices: Offices, folder: Path) -> None:
    one, other, _key = await both(offices, folder)
    assert await names(one) == await names(other)


async def test_an_office_that_was_used_keeps_its_own_and_names_stay_apart(
    offices: Offices, folder: Path
) -> None:
    one, other = await offices("one"), await offices("other")
    key = os.urandom(32)
    await other.notes.add("written before")
    await one.syncing.found(folder, key)
    await other.syncing.join(folder, key)
    await settle(one, other)
    assert await names(one) == await names(other)
    told = {name for _id, name in await names(one)}
    assert len(told) == 10 and "Writer" in told and sum(name.startswith("Writer (") for name in told) == 1
    assert [note.text for note in await one.database.read(notes.notes)] == ["written before"]


async def test_erasing_on_one_leaves_no_trace_on_either(offices: Offices, folder: Path) -> None:
    one, other, _key = await both(offices, folder)
    note = await one.notes.add("the quetzal sings")
    await settle(one, other)
    await other.notes.pin(note.id, pinned=True)
    await one.erasing.erase([Subject("note", note.id)])
    await settle(one, other)
    for office in (one, other):
        assert await office.database.read(notes.notes) == ()
        assert traces(office, ("quetzal", note.id)) == []
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert files and not any(bytes.fromhex(note.id) in data or b"quetzal" in data for data in files)


async def test_a_wrong_recovery_key_or_folder_joins_nothing(
    offices: Offices, folder: Path, tmp_path: Path
) -> None:
    one, other = await offices("one"), await offices("other")
    await one.syncing.found(folder, os.urandom(32))
    before = sorted(folder.rglob("*"))
    with pytest.raises(WrapRefused):
        await other.syncing.join(folder, os.urandom(32))
    with pytest.raises(Refused, match="uses this folder already"):
        await other.syncing.found(folder, os.urandom(32))
    with pytest.raises(Refused, match="cannot be used"):
        await other.syncing.join(tmp_path / "away", os.urandom(32))
    with pytest.raises(Refused, match="sync on FOLDER"):
        await other.syncing.now()
    assert sorted(folder.rglob("*")) == before
    assert (await other.syncing.status()).here is None
    with pytest.raises(KeyNotFound):
        other.vault.read_key(ITEM)


async def test_a_list_of_devices_that_went_back_or_was_changed_is_refused(
    offices: Offices, folder: Path
) -> None:
    one, other, _key = await both(offices, folder)
    await settle(one, other)
    (joined,) = folder.rglob("log-2.json")
    copies = [(path, path.read_bytes()) for path in (joined, *folder.rglob("log.json"))]
    for path, _data in copies:
        path.unlink()
    with pytest.raises(LogShorter, match="is not in the folder"):
        await one.syncing.now()
    for path, data in copies:
        path.write_bytes(data)
    (joined.parent.parent / "ab").mkdir()
    wrong = {**json.loads(joined.read_bytes()), "at": "x"}
    (joined.parent.parent / "ab" / "log-2.json").write_text(json.dumps(wrong))
    told = await commands.now(Served(one), {"confirmed": None})
    assert "ab/log-2.json" in told["damaged"] and "Nothing is lost" in told["damaged"]
    (joined.parent.parent / "ab" / "log-2.json").unlink()
    assert "damaged" not in await commands.now(Served(one), {"confirmed": None})
    await settle(one, other)


async def test_the_commands_say_how_it_stands(offices: Offices, folder: Path) -> None:
    one, other = Served(await offices("one")), Served(await offices("other"))
    words = words_of(os.urandom(32))
    assert await commands.status(one, {}) == {"sync": "never on"}
    done = await commands.on(one, {"folder": str(folder), "words": words, "without": []})
    assert done["sent"] > 5
    done = await commands.join(other, {"folder": str(folder), "words": words, "without": []})
    assert done["received"] > 5 and "refused" not in done
    rows = await sync_account.devices(one, {})
    assert [(row["state"], row["this"]) for row in rows] == [("active", True), ("active", False)]
    await commands.off(one, {})
    await one.office.notes.add("written while it was off")
    with pytest.raises(Refused, match="Sync is paused"):
        await commands.now(one, {"confirmed": None})
    status = await commands.status(one, {})
    assert (status["sync"], status["to be sent"]) == ("off", 0)
    await commands.on(one, {"folder": "", "words": "", "without": []})
    assert (await commands.now(one, {"confirmed": None}))["sent"] == 1
    assert (await commands.now(other, {"confirmed": None}))["received"] == 1
    kinds = [entry.kind for entry in await one.office.database.read(audit.entries)]
    assert kinds.count("sync on") == 2 and kinds.count("sync off") == 1


async def test_many_erasures_are_asked_about_by_number(offices: Offices, folder: Path) -> None:
    one, other, _key = await both(offices, folder)
    made = [await one.notes.add(f"note {number}") for number in range(12)]
    await settle(one, other)
    await one.erasing.erase([Subject("note", note.id) for note in made])
    await one.syncing.now()
    said = await commands.now(Served(other), {"confirmed": None})
    assert "--erase 12" in said["asks"] and len(await other.database.read(notes.notes)) == 12
    assert (await commands.now(Served(other), {"confirmed": 12}))["erased"] == 12
    assert await other.database.read(notes.notes) == ()


@pytest.mark.req("R141")
async def test_erasing_the_office_destroys_the_keys_of_the_device(offices: Offices, folder: Path) -> None:
    one, _other, _key = await both(offices, folder)
    assert isinstance(one.vault.read_key(ITEM), Secret)
    await erase_everything(one)
    with pytest.raises(KeyNotFound):
        one.vault.read_key(ITEM)


async def test_an_office_that_went_back_joins_again_and_loses_nothing(offices: Offices, folder: Path) -> None:
    one, other, key = await both(offices, folder)
    await one.notes.add("before the backup")
    backup = await one.backups.make("owner")
    kept = await one.notes.add("after the backup")
    gone = await one.notes.add("erased after the backup")
    await settle(one, other)
    await one.erasing.erase([Subject("note", gone.id)])
    await settle(one, other)
    await one.backups.prepare_restore(backup.id)
    await one.close()
    one = await offices("one")
    assert (await one.syncing.status()).here is None
    await one.syncing.join(folder, key)
    await settle(one, other)
    for office in (one, other):
        texts = sorted(note.text for note in await office.database.read(notes.notes))
        assert texts == ["after the backup", "before the backup"]
    assert kept.id in {note.id for note in await one.database.read(notes.notes)}


async def test_who_left_keeps_everything_and_may_join_again(offices: Offices, folder: Path) -> None:
    one, other, key = await both(offices, folder)
    await one.notes.add("milk")
    await settle(one, other)
    await other.syncing.leave()
    with pytest.raises(KeyNotFound):
        other.vault.read_key(ITEM)
    assert [note.text for note in await other.database.read(notes.notes)] == ["milk"]
    await other.notes.add("bread")
    await other.syncing.join(folder, key)
    await settle(one, other)
    assert sorted(note.text for note in await one.database.read(notes.notes)) == ["bread", "milk"]
    assert await names(one) == await names(other)


async def test_a_file_attached_on_one_is_read_and_recalled_on_the_other(
    offices: Offices, folder: Path
) -> None:
    one, other, _key = await both(offices, folder)
    conversation = await one.create_conversation(title="Lease")
    file = await one.attach(
        conversation.id, b"The deposit is 1900 euros, held by Quince and Sons.", "lease.txt"
    )
    await one.send(conversation.id, "@Librarian What is the deposit?", attachment_ids=[file.id])
    await until(lambda: not one.runs.busy(conversation.id))
    await settle(one, other)
    (arrived,) = await other.database.read(attachments.attachments, conversation.id)
    assert (arrived.id, arrived.name, arrived.size) == (file.id, "lease.txt", file.size)
    await other.files.settled([file.id])
    (read,) = await other.database.read(attachments.attachments, conversation.id)
    assert (read.state, read.kind) == ("ready", "text")
    assert "1900 euros" in (await other.files.readable(read)).text
    assert read.blob_id != file.blob_id
    await other.recall.start()
    found = await other.recall.search("deposit Quince")
    assert any("1900 euros" in hit.text for hit in found.hits)


async def test_a_file_that_is_still_arriving_is_said_left_out_of_exports_and_erased_without_a_trace(
    offices: Offices, folder: Path, tmp_path: Path
) -> None:
    one, other, _key = await both(offices, folder)
    conversation = await one.create_conversation(title="Lease")
    content = os.urandom(5 * 2**20)
    file = await one.attach(conversation.id, content, "quetzal scan.bin")
    await one.send(conversation.id, "@Librarian Look at this", attachment_ids=[file.id])
    await until(lambda: not one.runs.busy(conversation.id))
    await one.syncing.now()
    (*_first, last) = sorted(folder.rglob("blobs/*"), key=lambda path: -path.stat().st_size)
    away = last.rename(tmp_path / "away")
    await other.syncing.now()
    (arriving,) = await other.database.read(attachments.attachments, conversation.id)
    assert (arriving.state, arriving.blob_id) == ("arriving", None)
    (part,) = other.locations.blobs.iterdir()
    assert part.name.endswith(".arriving")
    status = await commands.status(Served(other), {})
    assert (status["files to be sent"], status["files to arrive"]) == (0, 1)
    assert "Pieces of 1 file are not there yet" in status["remarks"][0]
    with pytest.raises(NotFound, match="has not arrived"):
        await other.files.content(arriving)
    written = await other.transfers.export(tmp_path / "out.aofx", Wish())
    assert written.counts["conversations"] == 1 and written.counts.get("files", 0) == 0
    await other.close()
    other = await offices("other")
    assert [path.name for path in other.locations.blobs.iterdir()] == [part.name]
    away.rename(last)
    await one.erasing.erase([Subject("conversation", conversation.id)])
    await settle(one, other)
    assert list(other.locations.blobs.iterdir()) == [] == list(folder.rglob("blobs/*"))
    for office in (one, other):
        assert traces(office, ("quetzal", file.id, part.name.partition(".")[0])) == []
