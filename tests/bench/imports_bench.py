"""500 MB of ChatGPT's export brought into an office whose real window stays open meanwhile.

``python -m tests.bench.imports_bench [MEGABYTES]`` prints one line per figure.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from random import Random
from typing import Any

from tests.bench import offices
from tests.bench.figures import Figure
from tests.bench.processes import MEGABYTE, PASSPHRASE, ROOT, proportional_bytes, screen
from tests.memory.transfer import foreign_archives

MEGABYTES = 500
PARTS = 3
AFTER_SECONDS = 15.0
"""How long the window is watched while what was brought in is being indexed."""
_BEGUN = 1_600_000_000.0


def main(megabytes: int) -> None:
    """Write the export, open the window on an empty office, measure and print."""
    with tempfile.TemporaryDirectory() as folder, screen() as environment:
        home, archive = Path(folder) / "office", Path(folder) / "chatgpt.zip"
        write_export(archive, megabytes * MEGABYTE)
        asyncio.run(offices.empty(home))
        passphrase = Path(folder) / "passphrase"
        passphrase.write_text(PASSPHRASE)
        command = [
            sys.executable,
            "-m",
            "tests.bench.imports_bench",
            str(home),
            str(passphrase),
            str(archive),
        ]
        subprocess.run(command, env=environment, cwd=ROOT, check=True)


def write_export(path: Path, size: int) -> None:
    """Write a split export of ChatGPT whose JSON has that many bytes: chats of 4 to 80 messages with branches."""
    random, written, number = Random(7), 0, 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part in range(PARTS):
            with archive.open(f"conversations-{part:03}.json", "w", force_zip64=True) as member:
                separator = b"["
                while written < size * (part + 1) / PARTS:
                    number += 1
                    raw = json.dumps(_conversation(random, number)).encode()
                    member.write(separator + raw)
                    written += len(raw) + 1
                    separator = b","
                member.write(b"]")


def _conversation(random: Random, number: int) -> dict[str, Any]:
    begun = _BEGUN + number * 3_600
    nodes = [foreign_archives.node("root", None)]
    parent = "root"
    for index in range(random.randrange(2, 40)):
        question, answer = f"{number}-{index}-question", f"{number}-{index}-answer"
        at = begun + index * 60
        nodes.append(foreign_archives.node(question, parent, "user", _words(random, 40), at))
        for version in range(1 + (random.random() < 0.15)):
            identity = f"{answer}-{version}"
            metadata = {
                "model_slug": "gpt-4o",
                "finish_details": {"type": "stop", "stop_tokens": [200002]},
                "request_id": "0" * 32,
                "parent_id": question,
                "citations": [],
                "content_references": [],
            }
            text = _words(random, random.randrange(60, 500))
            nodes.append(
                foreign_archives.node(identity, question, "assistant", text, at + 9, metadata=metadata)
            )
            parent = identity
    identity = f"conversation-{number}"
    title = _words(random, 5).strip(".")
    return foreign_archives.chatgpt(
        nodes,
        parent,
        id=identity,
        conversation_id=identity,
        title=title,
        create_time=begun,
        update_time=begun + 9_000,
    )


_STARTS = ("ta", "mo", "ri", "ku", "le", "sha", "vin", "por")
_ENDS = ("de", "ling", "rok", "ma", "stel", "no", "ra", "fin")
_STEMS = [start + end for start in _STARTS for end in _ENDS]


def _words(random: Random, count: int) -> str:
    words = random.choices(_STEMS, k=count)
    lines = [" ".join(words[start : start + 18]).capitalize() + "." for start in range(0, count, 18)]
    return "\n\n".join(lines)


def measure(home: Path, passphrase: Path, archive: Path) -> None:
    """Open the real window, bring the archive in and print the figures."""
    from desktop.application import run
    from desktop.lifecycle import Lifecycle
    from memory.locations import Locations

    async def scene(lifecycle: Lifecycle) -> None:
        while lifecycle.opening.contents is None:
            await asyncio.sleep(0.02)
        await asyncio.sleep(4.0)
        await _figures(lifecycle, archive)
        lifecycle.window.closing.emit()

    code = run(Locations.find(home), passphrase, scene)
    if code:
        raise SystemExit(code)


async def _figures(lifecycle: Any, archive: Path) -> None:
    from agents.lifecycle.bringing_in import bring_in

    office = lifecycle.opening.contents.chat.session.office
    idle = proportional_bytes(os.getpid())
    peak = [idle]
    with _Heart(lifecycle.window, peak) as quiet:
        await asyncio.sleep(3.0)
    with _Heart(lifecycle.window, peak) as heart:
        begun = time.perf_counter()
        brought = await bring_in(office, archive)
        seconds = time.perf_counter() - begun
    with _Heart(lifecycle.window, peak) as after:
        await asyncio.sleep(AFTER_SECONDS)
    counts = f"{brought.summary.conversations} chats, {brought.summary.messages} messages"
    spread = f"idle {quiet.percentile(0.99):.0f}, longest {heart.percentile(1):.0f}"
    held = (max(peak) - idle) / MEGABYTE
    print(Figure("import_500_mb", seconds / 60, "min", 6, 3, counts).line())
    print(Figure("import_timer_gap_p99", heart.percentile(0.99), "ms", 50, 33, spread).line())
    print(Figure("import_indexing_gap_p99", after.percentile(0.99), "ms", 50, 33).line())
    print(Figure("import_memory_above_idle", held, "MB", 250, 150).line(), flush=True)


class _Heart:
    """A timer of 16 ms in the window's loop, and the gaps between its beats."""

    def __init__(self, window: Any, peak: list[int]) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._gaps: list[float] = []
        self._last = 0.0
        self._peak = peak
        self._timer = QTimer(window, interval=16)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def __enter__(self) -> "_Heart":
        self._last = time.perf_counter()
        self._timer.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._timer.stop()

    def percentile(self, share: float) -> float:
        """Return the gap in ms that this share of them does not exceed."""
        ordered = sorted(self._gaps)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    def _beat(self) -> None:
        now = time.perf_counter()
        self._gaps.append((now - self._last) * 1000)
        self._last = now
        if len(self._gaps) % 60 == 0:
            self._peak.append(proportional_bytes(os.getpid()))
            self._last = time.perf_counter()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(*(Path(word) for word in sys.argv[1:]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else MEGABYTES)
