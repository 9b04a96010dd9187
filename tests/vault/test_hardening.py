"""A crash writes no memory to disk, and nothing else stops working."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.req("R033")

RAISE_LIMIT = "import resource; hard = resource.getrlimit(4)[1]; resource.setrlimit(4, (hard, hard)); "
HARDEN = RAISE_LIMIT + "from vault.hardening import forbid_core_dumps; forbid_core_dumps(); "


def _python(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_process_is_not_dumpable_and_its_limit_is_zero_for_good(tmp_path: Path) -> None:
    program = HARDEN + ("import ctypes; print(resource.getrlimit(4), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))")
    done = _python(program, tmp_path)
    assert done.stdout.strip() == "(0, 0) 0", done.stderr
    before = _python("import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))", tmp_path)
    assert before.stdout.strip() == "1", before.stderr


def test_a_crash_leaves_no_file(tmp_path: Path) -> None:
    done = _python(HARDEN + "import os; os.abort()", tmp_path)
    assert done.returncode == -6
    assert list(tmp_path.iterdir()) == []


def test_children_sockets_and_own_process_information_still_work(tmp_path: Path) -> None:
    program = HARDEN + (
        "import os, socket, struct, subprocess, sys; from pathlib import Path; "
        "left, right = socket.socketpair(); "
        "peer = struct.unpack('3i', left.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)); "
        "assert peer == (os.getpid(), os.getuid(), os.getgid()), peer; "
        "assert len(list(Path('/proc/self/fd').iterdir())) > 3; "
        "assert 'VmRSS' in Path('/proc/self/status').read_text(); "
        "child = 'import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))'; "
        "assert subprocess.check_output([sys.executable, '-c', child]) == b'1\\n'; "
        "print('fine')"
    )
    done = _python(program, tmp_path)
    assert done.stdout.strip() == "fine", done.stderr
