"""What processes hold in memory, and starting the real program on a virtual screen."""

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-c", "from desktop.command_line import program; program()"]
PASSPHRASE = "bench passphrase"
MEGABYTE = 1_000_000


def proportional_bytes(pid: int) -> int:
    """Return the proportional set size of a process; where the system tells it to root only, the resident size.

    The office's processes allow no core dump, and what cannot be dumped tells no other user its shares.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except PermissionError:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    for line in lines:
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no proportional set size")


def family_bytes(pid: int) -> int:
    """Return the proportional set size of a process and all its descendants."""
    every = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return sum(proportional_bytes(member) for member in every)


def tmpfs_bytes(pid: int) -> int:
    """Return the bytes of the files on tmpfs that a process family holds open or has mapped, and their folders."""
    folders: set[Path] = set()
    for member in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        for file in member.open_files():
            path = Path(file.path)
            if path.is_relative_to("/dev/shm") or path.is_relative_to("/run"):
                folders.add(path.parent)
    total = 0
    for folder in folders:
        for path in folder.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_blocks * 512 if path.is_file() else 0
    return total


@contextlib.contextmanager
def screen() -> Iterator[dict[str, str]]:
    """Start a virtual screen and yield the environment of programs that are to show themselves there."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], 20)
        if not ready:
            raise RuntimeError("the virtual screen did not start")
        display = f":{os.read(reading, 16).decode().strip()}"
        environment = {**os.environ, "DISPLAY": display, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "xcb"}
        yield environment
    finally:
        os.close(reading)
        server.terminate()
        server.wait()


class Marks:
    """The timing marks that a started program prints: ``name seconds``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seen: dict[str, float] = {}

    def wait_for(self, name: str, seconds: float = 30.0) -> float:
        """Return the seconds of a mark. Raises RuntimeError where it does not come."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        while name not in self.seen:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            line = self.process.stdout.readline() if ready else ""
            if not line:
                raise RuntimeError(f"no mark {name}; seen {self.seen}")
            word, _, value = line.partition(" ")
            with contextlib.suppress(ValueError):
                self.seen[word] = float(value)
        return self.seen[name]


@contextlib.contextmanager
def window(home: Path, environment: dict[str, str]) -> Iterator[Marks]:
    """Open the real window on an office and close it again."""
    passphrase = home.with_name("passphrase")
    passphrase.write_text(PASSPHRASE)
    command = [*PROGRAM, "--home", str(home), "--passphrase-file", str(passphrase)]
    process = subprocess.Popen(
        command, env={**environment, "BUREAU_TIMING": "1"}, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Marks(process)
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
