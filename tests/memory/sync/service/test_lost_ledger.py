"""A service whose ledger of erasures is lost for good: devices know what they erased."""

import shutil
from pathlib import Path

from memory import notes
from memory.lifecycle.subjects import Subject
from memory.sync.hosted import backing_up
from memory.sync.hosted.service import make_service
from tests.memory.sync.service.offices import Hosted, Office, settle


def copy_stores(hosted: Hosted, to: Path) -> None:
    to.mkdir()
    for store in hosted.service.stores:
        hosted.run(store.checkpoint())
        shutil.copy(store.path, to)


def begin_another_ledger(hosted: Hosted, copied: Path) -> None:
    """Bring back records and keys of an earlier day, as ``bureau-hosted restore --without-ledger`` does."""
    hosted._stop()
    for name in ("records", "keys", "ledger"):
        for each in hosted.settings.data.glob(f"{name}.sqlite*"):
            each.unlink()
    for name in ("records", "keys"):
        shutil.copy(copied / f"{name}.sqlite", hosted.settings.data)
    service = make_service(hosted.settings, hosted.clock)

    async def bring_back() -> None:
        await backing_up.restore(service, None, None)
        for store in service.stores:
            await store.close()

    hosted.run(bring_back())
    hosted.open()


def test_what_was_erased_stays_away_though_service_and_ledger_forgot_it(
    offices: list[Office], tmp_path: Path
) -> None:
    one, other, _away = offices
    gone = one.do(notes.add_note, "erased").id
    settle(*offices)
    copy_stores(one.hosted, tmp_path / "copied")
    one.erase(Subject("note", gone))
    settle(one, other)
    begin_another_ledger(one.hosted, tmp_path / "copied")
    for office in offices:
        office.reopen()
        office.sync(generation=office.sync().generation)
    settle(*offices)
    assert [gone in office.state()["note"] for office in offices] == [False, False, False]
    kept = {rid for rid, (state, _rev, _seq) in one.known().items() if state != "erased"}
    assert set(one.hosted.live(one.member.space_id)) == kept
