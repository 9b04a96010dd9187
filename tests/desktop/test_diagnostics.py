"""Where faults of the window end: in files of the office."""

import subprocess
import sys
from pathlib import Path

import pytest

_CRASH = """
import os, sys
from pathlib import Path
from desktop.diagnostics import Diagnostics
from memory.locations import Locations
diagnostics = Diagnostics(print)
diagnostics.write_to(Locations(Path(sys.argv[1])))
if sys.argv[2] == "crash":
    os.abort()
diagnostics.remove()
"""


def _run(home: Path, how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _CRASH, str(home), how]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.req("R082")
def test_a_crash_is_told_in_a_file_of_the_office(tmp_path: Path) -> None:
    written = tmp_path / "logs" / "crash.log"
    assert _run(tmp_path, "quit").returncode == 0
    assert written.read_text() == "" and written.stat().st_mode & 0o777 == 0o600
    assert "Fatal Python error" not in _run(tmp_path, "crash").stderr
    assert "Fatal Python error: Aborted" in written.read_text()
