"""An office of an earlier Bureau is backed up as a whole before its database is brought up to date."""

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.office import Office
from memory import integrity, notes, office_store
from memory.errors import DiskFull, MigrationFailed
from memory.lifecycle import backup_making
from memory.lifecycle.backup_file import BackupReader, read_head
from memory.migrations import schema, upgrade
from tests.memory.test_migrations import SECOND

Offices = Callable[..., Awaitable[Office]]


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """A function that makes this the Bureau after the present one, with one revision more."""

    def switch() -> None:
        folder = tmp_path / "migrations"
        shutil.copytree(upgrade.FOLDER, folder)
        (folder / "versions" / "revision_0002.py").write_text(SECOND)
        monkeypatch.setattr(upgrade, "FOLDER", folder)
        for module in (upgrade, schema):
            monkeypatch.setattr(module, "REVISIONS", ("0001", "0002"))
        monkeypatch.setattr(office_store, "HEAD", "0002")

    return switch


async def test_the_office_is_backed_up_before_an_upgrade(
    offices: Offices, next_version: Callable[[], None]
) -> None:
    office = await offices()
    await office.notes.add("kept")
    await office.close()
    next_version()
    office = await offices()
    (made,) = await office.backups.all()
    assert made.occasion == "migration" and made.there
    assert await office.database.read(integrity.check) == ()
    assert [note.text for note in await office.database.read(notes.notes)] == ["kept"]
    assert (await office.backups.check(made.id)).verified_at is not None
    head = read_head(Path(made.path))
    key = office.vault.open_backup_key(head.id, list(head.slots))
    files = BackupReader(Path(made.path), backup_making.body_key(key)).files()
    assert "office.db" in [file.name for file in files]
    await office.backups.prepare_restore(made.id)
    await office.close()
    office = await offices()
    assert office.went_back is not None and office.went_back.failure == ""
    assert [note.text for note in await office.database.read(notes.notes)] == ["kept"]


async def test_without_room_for_the_backup_the_office_stays_of_its_form(
    offices: Offices, next_version: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await offices()
    await office.notes.add("kept")
    await office.close()
    next_version()
    with monkeypatch.context() as tight:
        tight.setattr(backup_making, "SPARE", 1 << 60)
        with pytest.raises(DiskFull, match="Nothing was written"):
            await offices()
    with monkeypatch.context() as failing:
        failing.setenv("HOW", "raise")
        with pytest.raises(MigrationFailed):
            await offices()
    office = await offices()
    assert [note.text for note in await office.database.read(notes.notes)] == ["kept"]
