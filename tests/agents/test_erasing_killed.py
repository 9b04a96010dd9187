"""Erasing everything, killed at every change it makes: the office is whole, or the next start leaves nothing of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.office import Office
from memory import notes
from tests.agents.conftest import PASSPHRASE
from tests.peers.keyring import Session
from vault import destroying
from vault.errors import KeyringAbsent, NoOffice
from vault.office_keys import open_vault
from vault.secret import Secret


def _erased(home: Path, last: int) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "tests.agents.office_to_erase_whole", str(home), PASSPHRASE, str(last)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )


async def _filled(offices: Callable[..., Awaitable[Office]], name: str) -> tuple[Path, str]:
    """Return the folder of an office that was made and closed again, and its id."""
    office = await offices(name)
    await office.notes.add("Remember the milk")
    await office.attach((await office.create_conversation()).id, b"some text", "some.txt")
    await office.close()
    return office.locations.home, office.vault.office_id


@pytest.mark.req("R045")
async def test_killed_at_every_change_the_office_is_whole_or_the_next_start_is_a_first_one(
    offices: Callable[..., Awaitable[Office]],
) -> None:
    changes = int(_erased((await _filled(offices, "measured"))[0], 0).stdout)
    assert changes > 8
    wholes = []
    for last in range(1, changes + 1):
        home, former = await _filled(offices, f"office-{last}")
        assert _erased(home, last).returncode == -signal.SIGKILL
        again = await offices(f"office-{last}")
        kept = [note.text for note in await again.database.read(notes.notes)]
        wholes.append(kept == ["Remember the milk"])
        assert wholes[-1] or kept == []
        assert wholes[-1] == (again.vault.office_id == former)
        assert not destroying.is_being_erased(home)
        await again.close()
    # Once the keys have begun to go, nothing brings the office back.
    assert wholes == sorted(wholes, reverse=True)
    assert not all(wholes)


@pytest.mark.keyring
def test_an_item_that_a_crash_left_in_the_keyring_is_destroyed_before_anything_else(
    unlocked_keyring: Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in unlocked_keyring.items():
        monkeypatch.setenv(name, value)
    vault = open_vault(tmp_path / "office")
    item = f"office-{vault.office_id}"
    destroying.begin(tmp_path / "office", item, vault.store.identity)
    with pytest.raises(NoOffice):
        open_vault(tmp_path / "office", create=False)
    with monkeypatch.context() as without, pytest.raises(KeyringAbsent):
        without.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        destroying.finish(tmp_path / "office")
    assert _has_slots(tmp_path / "office")
    destroying.finish(tmp_path / "office")
    assert not _has_slots(tmp_path / "office")
    destroying.call_off(tmp_path / "office")
    new = open_vault(tmp_path / "office")
    assert new.office_id != vault.office_id
    assert new.store.read(item) is None


def test_a_store_that_keeps_its_keys_leaves_the_office_as_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "office"
    vault = open_vault(folder, passphrase=Secret(PASSPHRASE))

    def refuses(_item: str) -> None:
        raise KeyringAbsent

    monkeypatch.setattr(vault.store, "delete", refuses)
    with pytest.raises(KeyringAbsent):
        vault.destroy()
    assert open_vault(folder, passphrase=Secret(PASSPHRASE)).keys == vault.keys


def _has_slots(folder: Path) -> bool:
    """Return whether slots of an office stand in a folder."""
    return any(folder.glob("keyslots*.json"))
