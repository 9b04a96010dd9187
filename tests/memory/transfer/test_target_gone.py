"""The disk that an export is written to goes away in the middle."""

import os
import subprocess
from pathlib import Path

import pytest

from memory.transfer.errors import TransferError
from memory.transfer.watching import Watch
from tests.memory.transfer.profiles import Profile


@pytest.mark.parametrize("name", ["out.aofx", "out"])
def test_a_target_that_is_taken_away_is_one_sentence_and_leaves_nothing(
    office: Profile, tmp_path: Path, name: str
) -> None:
    stick, away = tmp_path / "stick", tmp_path / "away"
    stick.mkdir()
    # A real file system, taken away as a pulled stick is; where only root may mount, its folder is taken away.
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=32m", "bureau-test", str(stick)],
            check=False,
            capture_output=True,
        ).returncode
    )
    taken = False

    def progress(done: int, total: int) -> None:
        nonlocal taken
        if done > total // 3 and not taken:
            taken = True
            if mounted:
                subprocess.run(["umount", "--lazy", str(stick)], check=True)
            else:
                stick.rename(away)
                stick.mkdir()

    try:
        with pytest.raises(TransferError) as failed:
            office.export(stick / name, watch=Watch(progress))
    finally:
        if mounted and not taken:
            subprocess.run(["umount", "--lazy", str(stick)], check=True)
    assert taken and "\n" not in str(failed.value)
    assert list(stick.iterdir()) == []
    assert office.export(tmp_path / name).path.exists()
