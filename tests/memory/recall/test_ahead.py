"""The recall process that is started before its office is open, and Chroma's engine below the index."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from memory.database import Database
from memory.locations import Locations
from memory.recall.ahead import RecallAhead
from memory.recall.embedder_identity import DIMENSIONS, EMBEDDER
from memory.recall.search import Recall
from tests.memory.recall.conftest import OFFICE, warm
from tests.memory.recall.test_sealing import QUESTION
from tests.memory.recall.test_search import fill
from tests.memory.recall.writing import Writer

_QUERY = """
import json, sys
import chromadb
from chromadb.config import Settings
client = chromadb.PersistentClient(sys.argv[1], Settings(anonymized_telemetry=False))
collection = client.get_collection(sys.argv[2], embedding_function=None)
found = collection.query(query_embeddings=[json.loads(sys.argv[3])], n_results=3, include=["distances"])
print(json.dumps([collection.count(), found["ids"][0], found["distances"][0]]))
"""
_WRITE = """
import json, sys
from pathlib import Path
import numpy as np
from memory.recall.vector_index import VectorIndex
index = VectorIndex(Path(sys.argv[1]), sys.argv[2])
rows = np.random.default_rng(7).normal(size=(260, int(sys.argv[3]))).astype(np.float32)
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
index.add([str(number) for number in range(260)], rows)
while index.settle():
    pass
index.remove(["4", "5"])
print(json.dumps([rows[9].tolist(), index.query(rows[9:10], 3)]))
index.close()
"""


def run(script: str, *words: str) -> object:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(
        [sys.executable, "-c", script, *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_the_index_writes_is_read_by_chroma_itself(tmp_path: Path) -> None:
    row, ours = run(_WRITE, str(tmp_path), EMBEDDER, str(DIMENSIONS))  # type: ignore[misc]  # a list of two
    held, names, distances = run(_QUERY, str(tmp_path), EMBEDDER, json.dumps(row))  # type: ignore[misc]  # of three
    assert held == 258
    assert names[0] == "9"
    assert names == [name for name, _product in ours]
    assert [1 - distance for distance in distances] == pytest.approx([product for _name, product in ours])


async def test_the_office_takes_over_what_was_started_ahead(
    database: Database, locations: Locations, writer: Writer
) -> None:
    allergy = fill(writer)
    ahead = RecallAhead()
    process, scratch = ahead._process, ahead._scratch
    recall = Recall(database, locations, OFFICE, ahead)
    assert recall.condition.pid is None, "a process that was asked nothing is not up"
    await warm(recall)
    assert recall.keeper.process is process
    assert recall.keeper._scratch is scratch
    found = await recall.search(QUESTION)
    assert (found.hits[0].source_id, found.home) == (allergy, "sealed")
    await recall.close()
    assert not scratch.folder.exists()
    ahead.close()


async def test_a_folder_without_room_is_left_for_another(
    database: Database, locations: Locations, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(writer)
    ahead = RecallAhead()
    first = ahead._scratch.folder
    monkeypatch.setattr("memory.recall.home._LEAST_FREE", 1 << 60)
    recall = Recall(database, locations, OFFICE, ahead)
    await warm(recall)
    assert recall.condition.home == "memory"
    assert not first.exists()
    await recall.close()


async def test_a_process_that_died_unasked_is_replaced(
    database: Database, locations: Locations, writer: Writer
) -> None:
    allergy = fill(writer)
    ahead = RecallAhead()
    child = await _child(ahead)
    child.kill()
    await asyncio.to_thread(psutil.wait_procs, [child], 10)
    recall = Recall(database, locations, OFFICE, ahead)
    await warm(recall)
    assert (await recall.search(QUESTION)).hits[0].source_id == allergy
    await recall.close()


async def test_an_office_that_is_never_asked_ends_it(database: Database, locations: Locations) -> None:
    ahead = RecallAhead()
    child, folder = await _child(ahead), ahead._scratch.folder
    await Recall(database, locations, OFFICE, ahead).close()
    assert not child.is_running()
    assert not folder.exists()


async def test_what_no_office_took_leaves_nothing() -> None:
    ahead = RecallAhead()
    child, folder = await _child(ahead), ahead._scratch.folder
    ahead.close()
    ahead.close()
    assert not child.is_running()
    assert not folder.exists()


async def _child(ahead: RecallAhead) -> psutil.Process:
    """Return the process of an office that did not ask it anything yet."""
    while ahead._process._child is None:
        await asyncio.sleep(0.01)
    return psutil.Process(ahead._process._child.pid)
