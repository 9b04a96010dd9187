"""Marks of the start, for ``make bench``: seconds since the process began."""

import os
import sys
import time
from pathlib import Path


def _age() -> float:
    """Return the seconds since this process began, from the system's own record where it has one."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        import psutil

        return time.time() - float(psutil.Process().create_time())
    return uptime - ticks / os.sysconf("SC_CLK_TCK")


_IMPORTED_AT = time.monotonic()
_AGE_THEN = _age() if os.environ.get("BUREAU_TIMING") == "1" else 0.0


def mark(name: str) -> None:
    """Write ``name seconds`` to stdout when ``BUREAU_TIMING`` is 1, else do nothing."""
    if os.environ.get("BUREAU_TIMING") == "1":
        sys.stdout.write(f"{name} {_AGE_THEN + time.monotonic() - _IMPORTED_AT:.3f}\n")
        sys.stdout.flush()
