"""The lock of an office whose keys rest in a real keyring, and how its backups open."""

from pathlib import Path
from typing import Any

import pytest

from agents.commands.locking import OWNER_ONLY
from agents.commands.registry import run_command
from agents.commands.serving import Served, serving
from agents.door.protocol import OWNER_ASKED, Caller, CommandFailed
from agents.errors import OwnerUnknown
from agents.lifecycle.app_lock import FRESH_SECONDS, AppLock
from agents.lifecycle.going_back import restore_into_new
from agents.office import Office
from memory import audit, notes
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


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.req("R012")
async def test_a_passphrase_vouches_for_five_minutes_by_whichever_clock_went_further(
    own_home: Path, unlocked_keyring: Session
) -> None:
    office = await Office.open(Locations(own_home / "office"))
    try:
        awake, wall = Clock(), Clock()
        lock = AppLock(office.database, office.vault, office.events, (awake, wall))
        assert not await lock.asks()
        await lock.require()
        await lock.choose_passphrase(Secret("little screen"))
        for clock in (awake, wall):
            assert not await lock.asks()
            clock.seconds += FRESH_SECONDS - 1
            assert not await lock.asks()
            clock.seconds += 1
            assert await lock.asks()
            with pytest.raises(OwnerUnknown):
                await lock.require()
            with pytest.raises(PassphraseWrong):
                await lock.authenticate(Secret("little scream"))
            assert await lock.asks()
            await lock.authenticate(Secret("little screen"))
        wall.seconds = 0
        assert not await lock.asks()
        await lock.lock()
        assert await lock.asks()
        again = AppLock(office.database, office.vault, office.events, (awake, wall))
        assert await again.asks()
        trail = await office.database.read(audit.entries, limit=20)
        assert [entry.kind for entry in trail].count("app lock refused") == 2
    finally:
        await office.close()


@pytest.mark.req("R012")
async def test_commands_that_export_or_erase_ask_first(own_home: Path, unlocked_keyring: Session) -> None:
    office = await Office.open(Locations(own_home / "office"))
    try:
        note = await office.notes.add("Remember the milk")
        erase = {"kind": "note", "id": note.id, "now": True, "deep": False, "notes": False}
        served = Served(office)
        await office.app_lock.choose_passphrase(Secret("little screen"))
        await office.app_lock.lock()
        await office.app_lock.unlock(Secret("little screen"))
        await _said(served, "trash empty", {"confirmed": None})
        office.app_lock._given_at = None
        put_away = await _said(served, "erase", {**erase, "now": False})
        assert put_away == {"trashed": note.id, "kind": "note"}
        wanted = {
            "erase": erase,
            "trash empty": {"confirmed": None},
            "erase everything": {},
            "export": {"path": str(own_home / "all.aofx")},
            "sync now": {"confirmed": 60},
            "sync delete": {},
            "sync export": {},
            "sync let in": {},
            "sync address": {},
            "sync aside": {"let_go": ["all"]},
        }
        assert set(wanted) == set(OWNER_ONLY)
        for command, arguments in wanted.items():
            with pytest.raises(CommandFailed) as failure:
                await _said(served, command, arguments)
            assert failure.value.code == OWNER_ASKED
        with pytest.raises(CommandFailed, match="passphrase") as failure:
            await _said(served, "erase", {**erase, "authentication": "little scream"})
        assert failure.value.code == 1
        gone = await _said(served, "erase", {**erase, "authentication": "little screen"})
        assert gone["state"] == "clean"
    finally:
        await office.close()


async def _said(served: Served, command: str, arguments: dict[str, Any]) -> Any:
    found = [item async for item in run_command(served, command, arguments, Caller())]
    return found[-1]["value"]
