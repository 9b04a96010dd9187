"""The lock of an office whose keys rest in a real keyring, and how its backups open."""

from pathlib import Path

import pytest

from agents.commands.registry import run_command
from agents.commands.serving import serving
from agents.door.protocol import Caller, CommandFailed
from agents.lifecycle.going_back import restore_into_new
from agents.office import Office
from memory import notes
from memory.errors import Refused
from memory.lifecycle.backup_file import read_head
from memory.locations import Locations
from tests.peers.keyring import Session
from vault.errors import PassphraseWrong
from vault.secret import Secret


@pytest.mark.req("R175")
async def test_an_office_on_a_keyring_gets_a_passphrase_for_its_lock(
    own_home: Path, unlocked_keyring: Session
) -> None:
    office = await Office.open(Locations(own_home / "office"))
    try:
        lock = office.app_lock
        assert not lock.by_vault and not await lock.usable()
        with pytest.raises(Refused, match="passphrase for the lock"):
            await lock.lock()
        await lock.choose_passphrase(Secret("little screen"))
        await lock.lock()
        assert lock.locked
        with pytest.raises(PassphraseWrong):
            await lock.unlock(Secret("little scream"))
        await lock.unlock(Secret("little screen"))
        assert not lock.locked
        with pytest.raises(PassphraseWrong):
            await lock.choose_passphrase(None)
        with pytest.raises(PassphraseWrong):
            await lock.choose_passphrase(Secret("another one"), Secret("wrong"))
        await lock.choose_passphrase(None, Secret("little screen"))
        assert not await lock.usable()
    finally:
        await office.close()


@pytest.mark.req("R175")
async def test_a_terminal_does_not_get_round_the_lock_of_a_window_that_was_closed(
    own_home: Path, unlocked_keyring: Session
) -> None:
    locations = Locations(own_home / "office")
    office = await Office.open(locations)
    await office.app_lock.choose_passphrase(Secret("little screen"))
    await office.app_lock.lock()
    await office.close()
    async with serving(locations, None) as served:
        with pytest.raises(CommandFailed, match="unlock it in its window"):
            async for _item in run_command(served, "memory list", {"proposed": False}, Caller()):
                pass


async def test_a_backup_of_an_office_on_a_keyring_opens_with_its_words_elsewhere(
    own_home: Path, unlocked_keyring: Session
) -> None:
    office = await Office.open(Locations(own_home / "office"))
    try:
        await office.notes.add("Remember the milk")
        words = Secret(await office.new_recovery_key())
        path = Path((await office.backups.make()).path)
    finally:
        await office.close()
    assert [slot["kind"] for slot in read_head(path).slots] == ["office", "recovery"]
    new = Locations(own_home / "new")
    with pytest.raises(Refused, match="recovery key"):
        restore_into_new(new, path)
    restore_into_new(new, path, words=words)
    restored = await Office.open(new)
    try:
        assert [note.text for note in await restored.database.read(notes.notes)] == ["Remember the milk"]
    finally:
        await restored.close()
