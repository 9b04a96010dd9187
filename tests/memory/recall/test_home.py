"""The folder of the recall process: two offices that start at the same moment leave each other's alone."""

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from memory.recall import home
from memory.recall.home import Scratch

Meanwhile = Callable[[Path], object]


def holding(parent: Path) -> IO[bytes]:
    """Hold the lock of the folder that is just being made, as a process does that is about to remove it."""
    (owner,) = parent.glob("bureau-recall-*/owner")
    lock = owner.open("rb")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


@pytest.mark.parametrize("meanwhile", [holding, home._remove_leftovers], ids=["begins", "is done"])
def test_a_folder_that_another_process_takes_for_a_leftover_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Meanwhile
) -> None:
    flock, others = fcntl.flock, []

    def interrupted(lock: IO[bytes], operation: int) -> None:
        if not others:
            others.append(None)  # what is done meanwhile locks, too
            others[0] = meanwhile(tmp_path)
        flock(lock, operation)

    monkeypatch.setattr(home, "_memory_folders", lambda: [tmp_path])
    monkeypatch.setattr(fcntl, "flock", interrupted)
    made = Scratch.make(0)
    assert made.folder.parent == tmp_path and made.index.is_dir()
    with pytest.raises(BlockingIOError), (made.folder / "owner").open("rb") as lock:
        flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    made.remove()
    assert not made.folder.exists()
    if others[0] is not None:
        others[0].close()
