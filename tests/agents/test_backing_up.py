"""Backups of a real office: what they hold, who opens them, what stands in their way."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.events import BackupsChanged, Event, Notice
from agents.lifecycle import backing_up
from agents.office import Office
from memory import audit, notes, settings
from memory.errors import BackupDamaged, BackupStopped, DiskFull, NotFound, Refused
from memory.lifecycle import backup_file, backup_making
from memory.lifecycle.backup_file import HEAD, BackupReader, part_of, read_head
from memory.lifecycle.backup_making import body_key
from memory.lifecycle.reports import copies_since
from memory.lifecycle.subjects import Subject
from tests.agents.conftest import PASSPHRASE
from vault import backup_keys
from vault.errors import BackupKeyAbsent, PassphraseWrong, RecoveryKeyWrong
from vault.secret import Secret

MARKER = "Quetzalcoatlus"


async def furnish(office: Office, tmp_path: Path) -> None:
    """Give the office a note, a file and something its agents wrote."""
    await office.notes.add(f"Remember: {MARKER}")
    conversation = await office.create_conversation(title=MARKER)
    source = tmp_path / "lease.txt"
    source.write_text(f"The rent of {MARKER} is due.")
    await office.attach(conversation.id, source)
    (office.locations.workspace / "drafts").mkdir()
    (office.locations.workspace / "drafts" / "plan.txt").write_text(MARKER)
    (office.locations.workspace / "link").symlink_to("/etc/passwd")


def contents(path: Path, key: bytes) -> dict[str, bytes]:
    return {file.name: b"".join(file.pieces) for file in BackupReader(path, body_key(key)).files()}


def key_by_office(office: Office, path: Path) -> bytes:
    head = read_head(path)
    return office.vault.open_backup_key(head.id, list(head.slots))


@pytest.mark.req("R055")
async def test_a_backup_holds_the_office_and_shows_nothing(office: Office, tmp_path: Path) -> None:
    await furnish(office, tmp_path)
    steps: list[tuple[int, int]] = []
    made = await office.backups.make(progress=lambda done, total: steps.append((done, total)))
    path = Path(made.path)
    assert path.parent == office.locations.backups
    assert made.verified_at is not None and made.there
    assert MARKER.encode() not in path.read_bytes()
    held = contents(path, key_by_office(office, path))
    blobs = [name for name in held if name.startswith("blobs/")]
    assert set(held) == {"office.db", "workspace/drafts/plan.txt", *blobs}
    assert len(blobs) == 1
    assert held["workspace/drafts/plan.txt"].decode() == MARKER
    assert steps and all(0 <= done <= total for done, total in steps)
    assert office.vault.keys.database_key.hex() not in str(read_head(path))
    assert next(entry.kind for entry in await office.database.read(audit.entries)) == "backup made"
    assert [one.id for one in await office.backups.all()] == [made.id]
    assert [file.name for file in office.locations.backups.iterdir()] == [path.name]


async def test_the_database_in_a_backup_has_a_key_of_its_own(office: Office, tmp_path: Path) -> None:
    await furnish(office, tmp_path)
    path = Path((await office.backups.make()).path)
    key = key_by_office(office, path)
    copy = tmp_path / "copy.db"
    copy.write_bytes(contents(path, key)["office.db"])
    backup_making.check_database(copy, backup_making.database_key(key))
    with pytest.raises(Exception, match="not a database"):
        backup_making.check_database(copy, office.vault.keys.database_key)


async def test_who_opens_a_backup(office: Office) -> None:
    words = await office.new_recovery_key()
    path = Path((await office.backups.make()).path)
    head = read_head(path)
    slots, named = list(head.slots), (head.office, head.id)
    key = key_by_office(office, path)
    assert backup_keys.open_by_recovery(slots, *named, Secret(words)) == key
    assert backup_keys.open_by_passphrase(slots, *named, Secret(PASSPHRASE)) == key
    with pytest.raises(PassphraseWrong):
        backup_keys.open_by_passphrase(slots, *named, Secret("another passphrase"))
    with pytest.raises(BackupKeyAbsent):
        backup_keys.open_by_recovery(slots[:1], *named, Secret(words))


async def test_a_new_recovery_key_replaces_the_former_one_in_every_backup(office: Office) -> None:
    former = await office.new_recovery_key()
    path = Path((await office.backups.make()).path)
    words = await office.new_recovery_key()
    head = read_head(path)
    slots, named = list(head.slots), (head.office, head.id)
    assert backup_keys.open_by_recovery(slots, *named, Secret(words)) == key_by_office(office, path)
    with pytest.raises(RecoveryKeyWrong):
        backup_keys.open_by_recovery(slots, *named, Secret(former))


async def test_a_backup_out_of_reach_is_named_when_the_recovery_key_changes(
    office: Office, heard: list[Event], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    await office.backups.choose_folder(disk)
    await office.backups.make()
    disk.rename(tmp_path / "away")
    await office.new_recovery_key()
    said = [event.sentence for event in heard if isinstance(event, Notice)]
    assert said == ["Some backups still open with the former recovery key only (1)."]


async def test_without_its_disk_a_folder_is_not_written_to(office: Office, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    assert await office.backups.choose_folder(disk) == disk
    made = await office.backups.make()
    assert Path(made.path).parent == disk
    shutil.move(disk, tmp_path / "away")
    disk.mkdir()  # the empty mount point that stays behind
    with pytest.raises(Refused, match="connect the disk"):
        await office.backups.make()
    assert list(disk.iterdir()) == []
    assert not (await office.backups.all())[0].there
    disk.rmdir()
    with pytest.raises(Refused, match="connect the disk"):
        await office.backups.remove(made.id)
    with pytest.raises(Refused, match="connect the disk"):
        await office.backups.choose_folder(tmp_path / "none" / "there")
    assert await office.backups.choose_folder(None) == office.locations.backups
    assert (await office.backups.make()).there


async def test_no_backup_is_begun_where_the_disk_has_no_room(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_making, "SPARE", 1 << 60)
    with pytest.raises(DiskFull, match="Nothing was written"):
        await office.backups.make()
    assert list(office.locations.backups.iterdir()) == []


async def test_called_off_nothing_is_left(office: Office, tmp_path: Path) -> None:
    await furnish(office, tmp_path)
    steps = 0

    def cancelled() -> bool:
        nonlocal steps
        steps += 1
        return steps == 3

    with pytest.raises(BackupStopped):
        await office.backups.make(cancelled=cancelled)
    assert list(office.locations.backups.iterdir()) == []
    making = asyncio.create_task(office.backups.make())
    await asyncio.sleep(0)
    making.cancel()
    with pytest.raises(asyncio.CancelledError):
        await making
    await office.backups.make()
    assert len(list(office.locations.backups.iterdir())) == 1


async def test_what_is_erased_meanwhile_is_in_no_backup(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = await office.notes.add(f"Remember: {MARKER}")
    loop = asyncio.get_running_loop()
    original, calls = backup_making.write_backup, []

    def erasing(*arguments: object, **named: object) -> object:
        written = original(*arguments, **named)
        calls.append(written.path)
        if len(calls) == 1:
            erase = office.erasing.erase([Subject("note", note.id)])
            asyncio.run_coroutine_threadsafe(erase, loop).result()
        return written

    monkeypatch.setattr(backing_up, "write_backup", erasing)
    made = await office.backups.make()
    assert len(calls) == 2
    assert not calls[0].exists()
    path = Path(made.path)
    copy = tmp_path / "copy.db"
    key = key_by_office(office, path)
    copy.write_bytes(contents(path, key)["office.db"])
    from memory.database import Database

    database = Database.open(copy, backup_making.database_key(key))
    try:
        assert database.write_now(notes.notes) == ()
    finally:
        database.close()


async def test_a_backup_holds_what_is_erased_later_and_the_report_names_it(office: Office) -> None:
    note = await office.notes.add(f"Remember: {MARKER}")
    made = await office.backups.make()
    report = await office.erasing.erase([Subject("note", note.id)])
    assert made.id in report.copies
    assert [copy.path for copy in await office.database.read(copies_since, 0)] == [made.path]


async def test_a_lost_file_does_not_stop_backups(office: Office, tmp_path: Path) -> None:
    await furnish(office, tmp_path)
    for path in office.locations.blobs.iterdir():
        path.unlink()
    made = await office.backups.make()
    path = Path(made.path)
    reader = BackupReader(path, body_key(key_by_office(office, path)))
    assert [file.name for file in reader.files()] == ["office.db", "workspace/drafts/plan.txt"]
    assert reader.contents is not None and reader.contents.facts["lost"] == 1


async def test_a_backup_is_read_again(office: Office) -> None:
    made = await office.backups.make()
    assert (await office.backups.check(made.id[:8])).verified_at >= made.verified_at
    path = Path(made.path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BackupDamaged):
        await office.backups.check(made.id)
    with pytest.raises(NotFound):
        await office.backups.check("none such")


async def test_a_removed_backup_opens_for_nobody(office: Office, heard: list[Event], tmp_path: Path) -> None:
    made = await office.backups.make()
    kept = tmp_path / "kept"
    kept.hardlink_to(made.path)
    await office.backups.remove(made.id)
    assert await office.backups.all() == ()
    assert kept.read_bytes()[: 2 * HEAD] == bytes(2 * HEAD)
    assert heard[-1] == BackupsChanged()


async def test_scheduled_backups_come_when_they_are_due(office: Office) -> None:
    made = await office.backups.make_if_due()
    assert made is not None and made.occasion == "schedule"
    assert await office.backups.make_if_due() is None
    assert await office.backups.make_if_due(made.at + 24 * 3600 * 1000) is not None
    await office.settings.change("backup.rhythm", "off")
    assert await office.backups.make_if_due(made.at + 90 * 24 * 3600 * 1000) is None


async def test_what_stands_in_the_way_of_the_schedule_is_told(
    office: Office, heard: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_making, "SPARE", 1 << 60)
    assert await office.backups.make_if_due() is None
    assert [event.sentence for event in heard if isinstance(event, Notice)] == [
        "The scheduled backup was not made."
    ]


async def test_what_a_killed_backup_left_is_swept(office: Office) -> None:
    (office.locations.backups / "copy-0123").write_bytes(b"half")
    (office.locations.backups / "Bureau x.bureau-backup.part").write_bytes(b"half")
    await office.backups.make()
    assert len(list(office.locations.backups.iterdir())) == 1


async def test_what_was_noted_before_a_crash_gets_its_name_and_what_was_not_goes(office: Office) -> None:
    made = await office.backups.make()
    path = Path(made.path)
    for left in (part_of(path), part_of(path.with_name("Bureau other.bureau-backup"))):
        left.write_bytes(path.read_bytes())
    path.unlink()
    again = await office.backups.make()
    assert {file.name for file in path.parent.iterdir()} == {path.name, Path(again.path).name}
    await office.backups.check(made.id)


async def test_a_backup_whose_removal_was_cut_off_does_not_come_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await office.backups.make()
    with monkeypatch.context() as dying:
        dying.setattr(Path, "unlink", _killed)
        with pytest.raises(KeyboardInterrupt):
            backup_file.shred(Path(made.path))
    (known,) = await office.backups.all()
    assert not known.there and len(list(office.locations.backups.iterdir())) == 1
    again = await office.backups.make()
    assert list(office.locations.backups.iterdir()) == [Path(again.path)]
    await office.backups.remove(made.id)
    assert await office.backups.all() == (again,)


def _killed(_path: Path, missing_ok: bool = False) -> None:
    raise KeyboardInterrupt


async def test_the_rotation_removes_files(office: Office) -> None:
    await office.settings.change("backup.keep_days", 1)
    await office.settings.change("backup.keep_weeks", 0)
    await office.settings.change("backup.keep_months", 0)
    first = await office.backups.make("schedule")
    mine = await office.backups.make("owner")
    second = await office.backups.make("schedule")
    assert {one.id for one in await office.backups.all()} == {mine.id, second.id}
    assert not Path(first.path).exists()


@pytest.mark.req("R055")
async def test_the_folder_is_a_setting_of_the_office(
    offices: Callable[..., Awaitable[Office]], tmp_path: Path
) -> None:
    office = await offices()
    await office.backups.choose_folder(tmp_path)
    await office.close()
    office = await offices()
    assert await office.backups.folder() == tmp_path
    assert await office.database.read(settings.value, "backup.folder") == {"path": str(tmp_path)}
