"""An office writes itself out, knows its own signature, and becomes itself again elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import wait
from pathlib import Path
from typing import Any

import pytest

from agents.lifecycle.transfer import Wish
from agents.office import Office
from memory import audit, chats, messages
from memory.errors import Refused
from memory.lifecycle.subjects import Subject
from memory.tables import ExportRecordTable
from memory.transfer import incoming_workspace
from memory.transfer.age import Encryption
from memory.transfer.bag_reading import Unlock, open_bag
from memory.transfer.comparing import Choice
from memory.transfer.errors import ArchiveDamaged
from memory.transfer.watching import Watch
from tests.agents.conftest import connect
from tests.memory.transfer import bundles
from vault.errors import KeyNotFound
from vault.secret import Secret

Offices = Callable[..., Awaitable[Office]]


async def filled(office: Office, tmp_path: Path) -> str:
    chat = await office.create_conversation(title="The lease")
    await office.database.write(messages.add_owner_message, chat.id, "The heron nests behind the mill.")
    source = tmp_path / "harbour.txt"
    source.write_text("Low water at the quay is at seven in the morning.")
    attachment = await office.attach(chat.id, source)
    await office.files.settled([attachment.id])
    await office.notes.add("Prefers tea to coffee")
    return chat.id


@pytest.mark.req("R136")
async def test_out_and_into_another_office(offices: Offices, tmp_path: Path) -> None:
    one = await offices("one")
    chat_id = await filled(one, tmp_path)
    written = await one.transfers.export(tmp_path / "one.aofx")
    assert (await one.transfers.verify(written.path)).signed == "here"
    rows = await one.database.read(
        lambda session: [(row.path, row.sha256) for row in session.query(ExportRecordTable)]
    )
    assert rows == [(str(written.path), written.sha256)]
    other = await offices("other")
    assert (await other.transfers.verify(written.path)).signed == "elsewhere"
    await other.warm()
    merged = await other.transfers.bring_in(written.path, Choice())
    assert merged.orphans == 0
    await other.transfers.settled()
    assert [chat.id for chat in await other.database.read(chats.conversations)] == [chat_id]
    assert sorted(agent.name for agent in await other.roster.all()) == sorted(
        agent.name for agent in await one.roster.all()
    )
    for words, kind in (("heron mill", "message"), ("low water quay", "attachment"), ("tea coffee", "note")):
        found = await other.recall.search(words, limit=3)
        assert kind in {hit.source_kind for hit in found.hits}, words


@pytest.mark.req("R135")
async def test_keys_go_out_only_encrypted(office: Office, tmp_path: Path) -> None:
    connection_id = await connect(office, "openai-compatible", "http://127.0.0.1:9/v1", "m")
    secret = "loopback-test-value-0123456789"
    with pytest.raises(Refused, match="only into an encrypted export"):
        await office.transfers.export(tmp_path / "keys.aofx", Wish(with_keys=True))
    assert not (tmp_path / "keys.aofx").exists()
    await office.transfers.export(tmp_path / "plain")
    for path in (tmp_path / "plain").rglob("*"):
        assert path.is_dir() or secret.encode() not in path.read_bytes()
    sealed = Wish(encryption=Encryption(passphrase="four plain words"), with_keys=True)
    written = await office.transfers.export(tmp_path / "keys.aofx.age", sealed)
    unlock = Unlock(passphrase="four plain words")
    assert (await office.transfers.verify(written.path, unlock)).signed == "here"
    with open_bag(written.path, unlock) as bag:
        line = b"".join(bag.pieces("secrets.jsonl", Watch())).decode()
    assert secret in line and connection_id in line
    assert secret.encode() not in written.path.read_bytes()


@pytest.mark.req("R135")
async def test_keys_come_back_into_the_vault_of_connections_that_have_none(
    offices: Offices, tmp_path: Path
) -> None:
    one, other = await offices("one"), await offices("other")
    kept, erased_there, own = [
        await connect(one, "openai-compatible", f"http://127.0.0.1:{port}/v1", "m") for port in (7, 8, 9)
    ]
    sealed = Wish(encryption=Encryption(passphrase="four plain words"), with_keys=True)
    path, unlock = tmp_path / "keys.aofx.age", Unlock(passphrase="four plain words")
    await one.transfers.export(path, sealed)
    merged = await other.transfers.bring_in(path, Choice(), unlock)
    assert merged.counts["secrets"] == {"new": 3}
    rows = {row.id: row for row in await other.connections.all()}
    for identity in (kept, erased_there, own):
        secret = other.vault.read_key(identity)
        assert secret == one.vault.read_key(identity)
        assert rows[identity].fingerprint == other.vault.fingerprint(secret)
        assert rows[identity].mask == secret.mask()
    said = [entry for entry in await other.database.read(audit.entries) if entry.kind == "key brought in"]
    assert {entry.subject for entry in said} == set(rows) and secret.reveal() not in str(said)
    # A key that is here stays, an erased connection stays erased, one whose key was lost gets it again.
    other.vault.write_key(own, Secret("another-loopback-value-0123"), "mine")
    other.vault.delete_key(kept)
    await other.connections.forget_key(erased_there)
    report = await other.erasing.erase([Subject("connection", erased_there)])
    await other.erasing.proved(report.id)
    choice = Choice(differing="mine")
    assert (await other.transfers.bring_in(path, choice, unlock)).counts["secrets"] == {"new": 1}
    assert other.vault.read_key(kept) == one.vault.read_key(kept)
    assert other.vault.read_key(own) == Secret("another-loopback-value-0123")
    with pytest.raises(KeyNotFound):
        other.vault.read_key(erased_there)


async def test_keys_that_lie_open_or_are_malformed_keep_the_import_out(
    office: Office, tmp_path: Path
) -> None:
    await office.transfers.export(tmp_path / "plain.aofx")
    for line, encryption in (
        (b'{"connection_id": "a", "label": "b", "secret": "c"}\n', None),
        (b'{"connection_id": "a", "secret": 7}\n', Encryption(passphrase="four plain words")),
    ):
        path = bundles.changed(
            tmp_path / "plain.aofx",
            tmp_path / "changed.aofx",
            lambda files, line=line: files.update({"data/secrets.jsonl": line}),  # type: ignore[misc]  # bound at once
        )
        if encryption is not None:
            path = bundles.encrypted(path, tmp_path / "changed.aofx.age", encryption)
        with pytest.raises(ArchiveDamaged):
            await office.transfers.bring_in(path, Choice(), Unlock(passphrase="four plain words"))
    assert await office.connections.all() == ()


async def test_what_is_erased_meanwhile_makes_the_export_void(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agents.lifecycle import transfer
    from memory.lifecycle import erased

    write = transfer.export

    def erase_meanwhile(session, order, *more):
        written = write(session, order, *more)
        office.database.write_now(erased.remember, "memory", ["a" * 32], "owner")
        return written

    monkeypatch.setattr(transfer, "export", erase_meanwhile)
    with pytest.raises(Refused, match="make the export again"):
        await office.transfers.export(tmp_path / "late.aofx")
    assert not (tmp_path / "late.aofx").exists()


async def test_housekeeping_that_begins_beside_an_import_leaves_its_files(
    offices: Offices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await offices("one"), await offices("other")
    (one.locations.workspace / "plan.md").write_text("Dredge in spring.\n")
    written = await one.transfers.export(tmp_path / "one.aofx")
    loop, real, begun = asyncio.get_running_loop(), incoming_workspace.put_aside, []

    def then_begins(*arguments: Any) -> None:
        real(*arguments)
        begun.append(asyncio.run_coroutine_threadsafe(other.transfers.start(), loop))
        wait(begun, 0.5)  # it has its turn after the import, or it is quick

    monkeypatch.setattr(incoming_workspace, "put_aside", then_begins)
    await other.transfers.bring_in(written.path, Choice())
    await asyncio.wrap_future(begun[0])
    assert (other.locations.workspace / "plan.md").read_text() == "Dredge in spring.\n"
