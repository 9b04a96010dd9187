"""Going back to a backup: what returns, what never does, and every moment at which a process may die."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.lifecycle import going_back
from agents.lifecycle.going_back import STEPS, restore_into_new
from agents.office import Office
from memory import attachments, audit, chats, integrity, notes, settings
from memory.errors import BackupDamaged, BackupStopped, DiskFull, Refused
from memory.lifecycle import backup_making, erased, restoring
from memory.lifecycle.subjects import Subject
from memory.locations import Locations
from tests.agents.conftest import PASSPHRASE
from tests.agents.killing import killed
from tests.agents.test_backing_up import MARKER, furnish
from vault.errors import RecoveryKeyWrong
from vault.secret import Secret

Offices = Callable[..., Awaitable[Office]]
_WORK = "tests.agents.office_to_restore"


async def texts(office: Office) -> list[str]:
    return sorted(note.text for note in await office.database.read(notes.notes))


@pytest.mark.req("R158")
async def test_back_to_yesterday_and_forward_again(offices: Offices, tmp_path: Path) -> None:
    office = await offices()
    await furnish(office, tmp_path)
    gone = await office.notes.add("to be erased")
    made = await office.backups.make()
    await office.erasing.erase([Subject("note", gone.id)])
    await office.notes.add("written later")
    (office.locations.workspace / "drafts" / "plan.txt").write_text("changed")
    (office.locations.workspace / "new.txt").write_text("new")
    await office.settings.change("backup.keep_days", 30)
    trail = await office.database.read(audit.verify)
    await office.backups.prepare_restore(made.id)
    await office.close()

    office = await offices()
    assert office.went_back is not None
    assert (office.went_back.made_at, office.went_back.failure) == (made.at, "")
    assert office.went_back.erased_again == {"note": 1}
    assert await texts(office) == [f"Remember: {MARKER}"]
    assert (office.locations.workspace / "drafts" / "plan.txt").read_text() == MARKER
    assert not (office.locations.workspace / "new.txt").exists()
    assert await office.database.read(settings.value, "backup.keep_days") == 7
    assert await office.database.read(integrity.check) == ()
    assert await office.database.read(audit.verify) > trail
    assert erased.record_hash("memory", gone.id) in {
        one.record_hash for one in await office.database.read(erased.log)
    }
    chat = (await office.database.read(chats.conversations))[0]
    (file,) = await office.database.read(attachments.attachments, chat.id)
    assert MARKER in (await office.files.content(file)).decode()
    every = await office.backups.all()
    assert [one.occasion for one in every] == ["restore", "owner"]
    assert not office.locations.restoring.exists()
    assert not office.locations.replaced.exists()

    await office.backups.prepare_restore(every[0].id)
    await office.close()
    office = await offices()
    assert await texts(office) == [f"Remember: {MARKER}", "written later"]
    assert (office.locations.workspace / "new.txt").read_text() == "new"
    await office.close()
    office = await offices()
    assert office.went_back is None


@pytest.mark.req("R158")
async def test_a_file_that_was_erased_does_not_come_back(offices: Offices, tmp_path: Path) -> None:
    office = await offices()
    await furnish(office, tmp_path)
    made = await office.backups.make()
    chat = (await office.database.read(chats.conversations))[0]
    await office.erasing.erase([Subject("conversation", chat.id)])
    await office.backups.prepare_restore(made.id)
    await office.close()
    office = await offices()
    assert office.went_back is not None
    assert office.went_back.erased_again["conversation"] == 1
    assert await office.database.read(chats.conversations) == ()
    assert list(office.locations.blobs.iterdir()) == []


async def test_after_a_change_of_keys_an_older_backup_still_goes_back(offices: Offices) -> None:
    office = await offices()
    await office.notes.add("kept")
    made = await office.backups.make()
    await office.erasing.deepen()
    await office.backups.prepare_restore(made.id)
    await office.erasing.deepen()
    await office.close()
    office = await offices()
    assert await texts(office) == ["kept"]


async def test_what_was_prepared_can_be_called_off(offices: Offices) -> None:
    office = await offices()
    made = await office.backups.make()
    await office.notes.add("written later")
    await office.backups.prepare_restore(made.id)
    await office.backups.call_off_restore()
    await office.close()
    office = await offices()
    assert office.went_back is None
    assert await texts(office) == ["written later"]


async def test_damaged_foreign_and_too_large_backups_change_nothing(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, other = await offices(), await offices("other")
    made, foreign = await office.backups.make(), await other.backups.make()
    with pytest.raises(Refused, match="another office"):
        await office.backups.prepare_restore(foreign.path)
    with pytest.raises(BackupStopped):
        await office.backups.prepare_restore(made.id, cancelled=lambda: True)
    with monkeypatch.context() as tight:
        tight.setattr(restoring, "SPARE", 1 << 60)
        with pytest.raises(DiskFull, match="Nothing was changed"):
            await office.backups.prepare_restore(made.id)
    path = Path(made.path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(BackupDamaged):
        await office.backups.prepare_restore(made.id)
    assert not office.locations.restoring.exists()


async def test_where_the_present_cannot_be_saved_it_stays(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await offices()
    made = await office.backups.make()
    await office.notes.add("written later")
    await office.backups.prepare_restore(made.id)
    await office.close()
    monkeypatch.setattr(backup_making, "SPARE", 1 << 60)
    office = await offices()
    assert office.went_back is not None
    assert "MB left" in office.went_back.failure
    assert await texts(office) == ["written later"]


async def test_a_lost_computer_is_replaced_by_backup_and_words(offices: Offices, tmp_path: Path) -> None:
    office = await offices()
    await furnish(office, tmp_path)
    words = Secret(await office.new_recovery_key())
    path = tmp_path / "stick.bureau-backup"
    path.write_bytes(Path((await office.backups.make()).path).read_bytes())
    await office.close()
    (tmp_path / "words").mkdir()
    new = Locations(tmp_path / "words" / "office")
    with pytest.raises(RecoveryKeyWrong):
        restore_into_new(
            new, path, words=Secret("abandon " * 23 + "art"), passphrase=Secret("a new passphrase")
        )
    restore_into_new(new, path, words=words, passphrase=Secret("a new passphrase"))
    restored = await Office.open(new, passphrase="a new passphrase")
    try:
        assert await texts(restored) == [f"Remember: {MARKER}"]
        assert restored.vault.keys.database_key != office.vault.keys.database_key
        assert (new.workspace / "drafts" / "plan.txt").read_text() == MARKER
        assert await restored.database.read(integrity.check) == ()
    finally:
        await restored.close()
    with pytest.raises(Refused, match="already"):
        restore_into_new(new, path, words=words, passphrase=Secret("a new passphrase"))
    second = Locations(tmp_path / "passphrase")
    restore_into_new(second, path, passphrase=Secret(PASSPHRASE))
    restored = await Office.open(second, passphrase=PASSPHRASE)
    assert await texts(restored) == [f"Remember: {MARKER}"]
    await restored.close()


async def _prepared(offices: Offices, tmp_path: Path) -> tuple[Path, str]:
    office = await offices()
    await furnish(office, tmp_path)
    gone = await office.notes.add("to be erased")
    made = await office.backups.make()
    await office.erasing.erase([Subject("note", gone.id)])
    await office.notes.add("written later")
    await office.close()
    return office.locations.home, made.path


async def _whole(offices: Offices) -> None:
    """What was begun is carried through at the next opening: nothing of both states is mixed."""
    office = await offices()
    assert await texts(office) == [f"Remember: {MARKER}"]
    assert (office.locations.workspace / "drafts" / "plan.txt").read_text() == MARKER
    assert await office.database.read(integrity.check) == ()
    await office.database.read(audit.verify)
    chat = (await office.database.read(chats.conversations))[0]
    (file,) = await office.database.read(attachments.attachments, chat.id)
    assert MARKER in (await office.files.content(file)).decode()
    assert not office.locations.restoring.exists()
    assert not office.locations.replaced.exists()
    saved = [one for one in await office.backups.all() if one.occasion == "restore"]
    assert saved and saved[0].there
    await office.close()


async def test_killed_at_every_step_the_exchange_is_whole(offices: Offices, tmp_path: Path) -> None:
    home, path = await _prepared(offices, tmp_path)
    for name in STEPS:
        killed(_WORK, "restore", str(home), PASSPHRASE, f"{path}:{name}", seconds=None)
        await _whole(offices)
        office = await offices()
        await office.notes.add("written later")
        await office.close()


async def test_killed_at_any_moment_the_exchange_is_whole(offices: Offices, tmp_path: Path) -> None:
    home, path = await _prepared(offices, tmp_path)
    chance = random.Random(40)
    for _round in range(6):
        killed(_WORK, "restore", str(home), PASSPHRASE, f"{path}:", seconds=chance.uniform(0.0, 0.8))
        await _whole(offices)


async def test_killed_while_backups_are_made_the_office_and_its_list_are_whole(
    offices: Offices, tmp_path: Path
) -> None:
    office = await offices()
    await furnish(office, tmp_path)
    home = office.locations.home
    await office.close()
    chance = random.Random(41)
    for _round in range(6):
        killed(_WORK, "backup", str(home), PASSPHRASE, "", seconds=chance.uniform(0.0, 1.0))
        office = await offices()
        assert await texts(office) == [f"Remember: {MARKER}"]
        for known in await office.backups.all():
            if known.there:
                await office.backups.check(known.id)
        await office.backups.make()
        assert not list(home.glob("backups/*.part")) and not list(home.glob("backups/copy-*"))
        await office.close()


async def test_the_steps_are_those_that_are_gone_through(
    offices: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await offices()
    made = await office.backups.make()
    await office.backups.prepare_restore(made.id)
    await office.close()
    gone_through: list[str] = []
    original = going_back.finish
    monkeypatch.setattr(
        going_back, "finish", lambda *arguments: original(*arguments, step=gone_through.append)
    )
    await offices()
    assert tuple(gone_through) == STEPS
