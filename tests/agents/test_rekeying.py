"""Deep erase: another key, nothing lost at any moment a process can be killed at, nothing opened by the old key."""

import random
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from agents.events import Event, OfficePaused, OfficeResumed
from agents.lifecycle.rekeying import STEPS, change_key
from agents.office import Office
from memory import audit, notes
from memory.database import Database
from memory.errors import DatabaseKeyWrong, Refused, StorageError
from memory.lifecycle import reports
from memory.lifecycle.subjects import Subject
from tests.agents.conftest import PASSPHRASE
from tests.agents.killing import killed
from tests.agents.test_erasing import MARKER, traces
from vault import keyslots
from vault.errors import SavingFailed
from vault.secret import Secret


async def test_a_note_erased_deeply_is_under_no_key_that_exists(office: Office, heard: list[Event]) -> None:
    note = await office.notes.add(f"Remember: {MARKER}")
    kept = await office.notes.add("Remember the milk")
    former = office.vault.keys.database_key
    report = await office.erasing.erase([Subject("note", note.id)], deep=True)
    report = await office.erasing.proved(report.id)
    assert (report.level, report.state) == ("deep", "clean")
    assert office.vault.keys.database_key != former
    assert office.vault.keys.pending_database_key is None
    assert traces(office) == []
    assert [one.id for one in await office.database.read(notes.notes)] == [kept.id]
    assert [type(event) for event in heard if isinstance(event, OfficePaused | OfficeResumed)] == [
        OfficePaused,
        OfficeResumed,
    ]
    await office.close()
    with pytest.raises(DatabaseKeyWrong):
        Database.open(office.locations.database, former)


async def test_while_an_export_reads_the_key_stays_as_it_is(office: Office) -> None:
    note = await office.notes.add("Remember the milk")
    former = office.vault.keys.database_key

    async def reads() -> None:
        import asyncio
        import threading

        begun, go_on = threading.Event(), threading.Event()

        def export(session: Session) -> None:
            notes.notes(session)
            begun.set()
            go_on.wait()

        reading = asyncio.create_task(office.database.read_apart(export))
        await asyncio.to_thread(begun.wait)
        try:
            with pytest.raises(Refused):
                await office.erasing.deepen()
        finally:
            go_on.set()
            await reading

    await reads()
    assert office.vault.keys.database_key == former
    assert office.vault.keys.pending_database_key is None
    assert (await office.database.read(notes.note, note.id)).text == "Remember the milk"
    assert (await office.erasing.deepen()).state == "clean"
    assert office.vault.keys.database_key != former


async def test_a_second_change_that_fails_forgets_no_key_that_the_database_has(
    offices: Callable[..., Awaitable[Office]], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await offices()
    note = await office.notes.add("Remember the milk")
    first = office.vault.keys.database_key

    def refused(path: Path, data: bytes) -> None:
        raise SavingFailed.refused(str(path), "the disk is full")

    def full_once_opened(name: str) -> None:
        if name == "opened":
            monkeypatch.setattr(keyslots, "write_durably", refused)

    def locked_once_folded(name: str) -> None:
        if name == "folded":
            raise Refused("Something still reads the whole database.")

    change = partial(change_key, office.database, office.vault, office.locations, office.events)
    with pytest.raises(SavingFailed):
        await change(full_once_opened)
    monkeypatch.undo()
    second = office.database.key
    assert second not in (first, office.vault.keys.database_key)
    with pytest.raises(Refused):
        await change(locked_once_folded)
    assert office.vault.keys.database_key == office.database.key == second
    await _opens_whole_again(office, offices, [note.id])
    again = await offices()
    await change_key(again.database, again.vault, again.locations, again.events)
    assert again.database.key not in (first, second)
    await _opens_whole_again(again, offices, [note.id])


async def test_a_change_that_fails_after_the_file_has_its_key_leaves_both_known(
    offices: Callable[..., Awaitable[Office]],
) -> None:
    office = await offices()
    note = await office.notes.add("Remember the milk")

    def refused_once_rekeyed(name: str) -> None:
        if name == "rekeyed":
            raise Refused("The disk no longer answers.")

    with pytest.raises(StorageError):
        await change_key(office.database, office.vault, office.locations, office.events, refused_once_rekeyed)
    assert office.vault.keys.pending_database_key is not None
    await _opens_whole_again(office, offices, [note.id])


async def _opens_whole_again(
    office: Office, offices: Callable[..., Awaitable[Office]], expected: list[str]
) -> None:
    await office.close()
    await _opens_whole(offices, expected)


async def _opens_whole(offices: Callable[..., Awaitable[Office]], expected: list[str]) -> None:
    office = await offices()
    assert [note.id for note in await office.database.read(notes.notes)] == expected
    assert office.vault.keys.pending_database_key is None
    await office.close()


async def test_killed_at_every_step_the_office_opens_with_everything(
    offices: Callable[..., Awaitable[Office]],
) -> None:
    office = await offices()
    kept = [await office.notes.add(f"{number} {MARKER * 50}") for number in range(20)]
    expected = [note.id for note in reversed(kept)]
    home = office.locations.home
    await office.close()
    for name in STEPS:
        killed("tests.agents.office_to_rekey", str(home), PASSPHRASE, name, seconds=None)
        await _opens_whole(offices, expected)


async def test_killed_at_any_moment_the_office_opens_with_everything(
    offices: Callable[..., Awaitable[Office]],
) -> None:
    office = await offices()
    kept = [await office.notes.add(f"{number} {MARKER * 300}") for number in range(40)]
    expected = [note.id for note in reversed(kept)]
    home = office.locations.home
    await office.close()
    chance = random.Random(20)
    for _round in range(8):
        killed("tests.agents.office_to_rekey", str(home), PASSPHRASE, "", seconds=chance.uniform(0.0, 0.4))
        await _opens_whole(offices, expected)


async def test_the_steps_are_those_that_are_gone_through(office: Office) -> None:
    gone_through: list[str] = []
    await change_key(office.database, office.vault, office.locations, office.events, gone_through.append)
    assert tuple(gone_through) == STEPS


async def test_the_claim_waits_for_another_recovery_key_and_passphrase(office: Office) -> None:
    await office.new_recovery_key()
    note = await office.notes.add(f"Remember: {MARKER}")
    declined = await office.erasing.proved(
        (await office.erasing.erase([Subject("note", note.id)], deep=True)).id
    )
    alone = await office.erasing.deepen()
    for report, openers in ((declined, 2), (alone, 2)):
        assert len(report.openers) == openers
        assert reports.claim(report, ()) == ""
        assert len(reports.warnings(report.openers)) == openers
    await office.new_recovery_key()
    assert (await office.erasing.proved(alone.id)).openers == ("passphrase",)
    await office.change_passphrase(Secret("seven other quiet words"))
    report = await office.erasing.proved(declined.id)
    assert report.openers == () and "no byte" in reports.claim(report, ()).lower()
    assert reports.claim(report, (reports.Copy("a", "export", "out.aofx", 1),)) == ""
    again = await office.erasing.deepen()
    assert again.openers == ("recovery key", "passphrase")
    assert {entry.kind for entry in await office.database.read(audit.entries)} >= {"passphrase changed"}
