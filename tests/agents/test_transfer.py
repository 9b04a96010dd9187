"""An office writes itself out, knows its own signature, and becomes itself again elsewhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.lifecycle.transfer import Wish
from agents.office import Office
from memory import chats, messages
from memory.errors import Refused
from memory.tables import ExportRecordTable
from memory.transfer.age import Encryption
from memory.transfer.bag_reading import Unlock, open_bag
from memory.transfer.comparing import Choice
from memory.transfer.watching import Watch
from tests.agents.conftest import connect

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


@pytest.mark.req("R130")
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
