"""The keeper of the index: it closes whatever it is at, leaves nothing behind, and comes back after a full disk."""

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from memory.database import Database
from memory.locations import Locations
from memory.recall.sealing import seal
from memory.recall.search import Recall
from tests.memory.recall.conftest import OFFICE, warm
from tests.memory.recall.test_search import fill
from tests.memory.recall.writing import Writer

QUESTION = "Which food is dangerous for him?"


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_it_closes_in_the_moment_it_is_woken(
    database: Database, locations: Locations, writer: Writer, turns: int
) -> None:
    fill(writer)
    recall = Recall(database, locations, OFFICE)
    await warm(recall)
    await asyncio.sleep(0.2)  # until it waits to be woken
    recall.wake()
    for _turn in range(turns):
        await asyncio.sleep(0)
    await asyncio.wait_for(recall.close(), 30)
    assert recall.condition.pid is None


async def test_a_disk_that_was_full_stops_it_only_until_there_is_room(
    database: Database, locations: Locations, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    recall = Recall(database, locations, OFFICE)
    await warm(recall)
    await database.write(
        statement(
            "CREATE TRIGGER filled BEFORE INSERT ON embedding BEGIN"
            " SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    )
    allergy = fill(writer)
    recall.wake()
    while len(pauses := re.findall(r"recall is down for (\S+) s", caplog.text)) < 3:
        await asyncio.sleep(0.02)
    assert pauses[:3] == ["0.2", "0.5", "1.0"], "it tries less and less often"
    await database.write(statement("DROP TRIGGER filled"))
    await asyncio.wait_for(recall.settled(), 60)
    explained = await recall.why(QUESTION)
    assert (explained["home"], explained["hits"][0]["source"]["id"]) == ("sealed", allergy)
    await recall.close()


def statement(sql: str) -> Callable[[Session], None]:
    def run(session: Session) -> None:
        session.execute(text(sql))

    return run


def test_what_cannot_be_sealed_to_its_end_leaves_no_piece(tmp_path: Path) -> None:
    folder, target = tmp_path / "chroma", tmp_path / "chroma.sealed"
    folder.mkdir()
    (folder / "data").write_bytes(b"x")
    (target / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=re.escape(target.name)):
        seal(folder, target, os.urandom(32), OFFICE, "5a" * 16)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chroma", "chroma.sealed"]


async def test_closed_while_the_index_is_unsealed_it_leaves_no_folder_in_memory(
    database: Database, locations: Locations, writer: Writer
) -> None:
    fill(writer)
    first = Recall(database, locations, OFFICE)
    await warm(first)
    await first.close()
    content = locations.snapshot.read_bytes()
    locations.snapshot.unlink()
    os.mkfifo(locations.snapshot)  # a disk that is slow
    second = Recall(database, locations, OFFICE)
    await second.start()
    pipe = await asyncio.to_thread(os.open, locations.snapshot, os.O_WRONLY)
    while not second.keeper.embeds:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    scratch = second.keeper._scratch
    assert scratch is not None and scratch.in_memory
    closing = asyncio.create_task(second.close())
    await asyncio.wait([closing], timeout=0.3)
    await asyncio.to_thread(written, pipe, content)
    await asyncio.wait_for(closing, 30)
    await asyncio.get_running_loop().shutdown_default_executor()  # whoever still writes has ended
    assert not scratch.folder.exists()


def written(pipe: int, content: bytes) -> None:
    """Write all of it and close the pipe."""
    with open(pipe, "wb") as output:
        output.write(content)
