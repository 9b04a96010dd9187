"""Whether other devices wrote into a folder, told by the times of their folders there: no file is listed or opened."""

import os
import time
from pathlib import Path

_SETTLED_NANOSECONDS = 3_000_000_000
"""A folder that changed less than this ago may change again without another time: some disks count in two seconds."""


def look(root: Path, space_id: str, device_id: str) -> tuple[tuple[str, int, bool], ...] | None:
    """Return what differs once another device has written, or may have; None where the folder is not there. Blocks.

    For each device stands when its folder changed, in nanoseconds, and whether that time is settled.
    """
    found = []
    try:
        with os.scandir(root / space_id) as entries:
            for entry in entries:
                if entry.name != device_id and entry.is_dir():
                    changed = entry.stat().st_mtime_ns
                    fresh = 0 <= time.time_ns() - changed < _SETTLED_NANOSECONDS
                    found.append((entry.name, changed, not fresh))
    except OSError:
        return None
    return tuple(sorted(found))
