"""The real window under Xvfb: how soon it is there, and what its processes hold.

``python -m tests.bench.window_bench`` prints one line per figure.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import offices
from tests.bench.figures import Figure
from tests.bench.processes import (
    MEGABYTE,
    PROGRAM,
    ROOT,
    family_bytes,
    proportional_bytes,
    screen,
    tmpfs_bytes,
    window,
)
from tests.peers import aimock

STARTS = 7
SETTLING_SECONDS = 6.0
LONG = 10_000
KEY = "bench-key-0123456789"
BARE = """
import os, sys, time
from pathlib import Path
ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
begun = ticks / os.sysconf("SC_CLK_TCK")
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
class Window(QWidget):
    def paintEvent(self, event):
        age = float(Path("/proc/uptime").read_text().split()[0]) - begun
        print(f"first-paint {age:.3f}", flush=True)
        QTimer.singleShot(float(sys.argv[1]) * 1000, app.quit)
app = QApplication([])
window = Window()
window.resize(1360, 860)
window.show()
app.exec()
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, screen() as environment:
        home = Path(folder) / "office"
        asyncio.run(offices.empty(home))
        _starts(home, environment)
        _memory(Path(folder), home, environment)


def _starts(home: Path, environment: dict[str, str]) -> None:
    first, ready, bare = [], [], []
    for _run in range(STARTS + 1):
        with window(home, environment) as marks:
            ready.append(marks.wait_for("ready"))
            first.append(marks.seen["first-paint"])
        bare.append(_bare(environment, 0.0)[0])
    # The first start fills the disk cache; the rest are warm.
    print(
        Figure(
            "window_first_paint", statistics.median(first[1:]), "s", 0.8, 0.4,
            f"bare PySide6 window {statistics.median(bare[1:]):.2f}",
        ).line()
    )  # fmt: skip
    print(Figure("window_ready_to_type", statistics.median(ready[1:]), "s", 1.5, 0.8).line())


def _bare(environment: dict[str, str], seconds: float) -> tuple[float, int]:
    """Start a bare window; return its seconds to first paint and, after ``seconds``, its bytes."""
    command = [sys.executable, "-c", BARE, str(seconds)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        age = float(process.stdout.readline().split()[1])
        time.sleep(seconds * 0.8)
        held = proportional_bytes(process.pid) if seconds else 0
    return age, held


def _memory(folder: Path, home: Path, environment: dict[str, str]) -> None:
    bare = _bare(environment, 2.0)[1] / MEGABYTE
    with window(home, environment) as marks:
        marks.wait_for("ready")
        time.sleep(SETTLING_SECONDS)
        idle = proportional_bytes(marks.process.pid) / MEGABYTE
        print(Figure("window_pss_idle", idle, "MB", 200, 150, f"bare PySide6 window {bare:.0f}").line())
        _use_a_provider(folder, home)
        time.sleep(SETTLING_SECONDS)
        used = proportional_bytes(marks.process.pid) / MEGABYTE
        print(Figure("window_pss_after_provider", used, "MB", 360, 280).line())
    long = folder / "long"
    asyncio.run(offices.with_long_chat(long, LONG))
    with window(long, environment) as marks:
        marks.wait_for("ready")
        _use_a_provider(folder, long)
        time.sleep(SETTLING_SECONDS)
        opened = proportional_bytes(marks.process.pid) / MEGABYTE
        print(Figure("window_pss_chat_10000", opened, "MB", 400, 300).line())
    filled = folder / "filled"
    asyncio.run(offices.with_passages(filled, LONG))
    with window(filled, environment) as marks:
        marks.wait_for("ready")
        _use_a_provider(folder, filled)
        _command(filled, "memory", "search", "depth at the quay")
        time.sleep(SETTLING_SECONDS)
        family = family_bytes(marks.process.pid) / MEGABYTE
        kept = tmpfs_bytes(marks.process.pid) / MEGABYTE
        print(
            Figure(
                "all_processes_10000_passages", family + kept, "MB", 850, 600, f"of which tmpfs {kept:.0f}"
            ).line()
        )


def _use_a_provider(folder: Path, home: Path) -> None:
    """Have the open window answer one question through an SDK."""
    place = folder / f"mock-{home.name}"
    place.mkdir()
    server = aimock.start(place, [{"match": {}, "response": {"content": "The quay is 6.4 m deep."}}])
    try:
        _command(
            home, "keys", "add", "anthropic", "--base-url", server.url, "--model", "m", "--stdin", stdin=KEY
        )
        answer = json.loads(_command(home, "ask", "--json", "@Lead how deep is the quay?"))
        if answer["text"] != "The quay is 6.4 m deep.":
            raise RuntimeError(f"the provider did not answer: {answer}")
    finally:
        server.stop()


def _command(home: Path, *words: str, stdin: str = "") -> str:
    """Run a command as a client of the open window."""
    done = subprocess.run(
        [*PROGRAM, "--home", str(home), *words],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
