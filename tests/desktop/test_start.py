"""The window's process from its start to its ordered end, on a real office."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memory.locations import Locations
from tests.desktop.conftest import PASSPHRASE

_PROGRAM = """
import sys
from pathlib import Path
from memory.locations import Locations
from desktop.application import run
sys.exit(run(Locations.find(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
"""
_WHILE_MODULES_COME_AND_GO = """
import sys, threading
from memory.locations import Locations
from desktop import application

class Busy:
    def __init__(self, *_given):
        for number in range(200_000):
            sys.modules[f"there{number}"] = sys
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            for number in range(1000):
                sys.modules[f"comes{number}"] = sys
            for number in range(1000):
                del sys.modules[f"comes{number}"]

application.VaultAhead = Busy
sys.modules["desktop.chats.area"] = None  # far enough
try:
    application.run(Locations.find(sys.argv[1]))
except ModuleNotFoundError:
    print("Qt is there" if "PySide6.QtWidgets" in sys.modules else "too early", flush=True)
"""
_SLOW = ("sqlalchemy", "pydantic_ai", "numpy", "chromadb", "anthropic", "openai", "asyncio", "pygments")


def start(home: Path, *arguments: str, program: str = _PROGRAM) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(home), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "BUREAU_TIMING": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def read_until(process: subprocess.Popen[str], word: str) -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith(word):
            return lines
    raise AssertionError(f"never said {word}: {lines}")


def test_qt_begins_whatever_the_vault_imports_meanwhile(own_home):
    """Shiboken goes through the modules as it begins; one that came meanwhile would end the process."""
    process = start(own_home, program=_WHILE_MODULES_COME_AND_GO)
    said, _errors = process.communicate(timeout=60)
    assert "Qt is there" in said, said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_window_opens_a_new_office_and_ends_in_order_when_asked(own_home, number):
    file = own_home / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    office = own_home / "office"
    process = start(office, str(file))
    try:
        lines = read_until(process, "ready")
        assert lines[0].startswith("first-paint ")
        time.sleep(0.3)
        process.send_signal(number)
        rest, _errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest and "Task was destroyed" not in rest
    locations = Locations(office)
    assert locations.database.exists()
    assert not Path(str(locations.database) + "-wal").exists(), "the log was not folded into the database"
    assert (office / "window.json").exists()


def test_nothing_slow_is_imported_before_the_first_paint(own_home):
    program = _PROGRAM.replace(
        "from desktop.application import run",
        "import desktop.window as w\n"
        "class Watching(w.Window):\n"
        "    def paintEvent(self, event):\n"
        "        super().paintEvent(event)\n"
        f"        print('slow', [name for name in {_SLOW!r} if name in sys.modules])\n"
        "        sys.stdout.flush()\n"
        "        import os; os._exit(0)\n"
        "w.Window = Watching\n"
        "from desktop.application import run",
    )
    process = start(own_home / "office", program=program)
    output, _errors = process.communicate(timeout=60)
    assert "slow []" in output, output


def test_a_locked_office_stays_locked_without_its_passphrase_and_the_window_ends(own_home):
    """Without keyring and passphrase the window shows a card instead of the office."""
    office = own_home / "office"
    process = start(office)
    try:
        read_until(process, "first-paint")
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        rest, _errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert not (office / "office.db").exists()
