"""A process that works on an office and is killed in the midst of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def killed(module: str, *arguments: str, seconds: float | None) -> None:
    """Run a module until it is ready, and kill it so much later; None where it kills itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    if seconds is not None:
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
