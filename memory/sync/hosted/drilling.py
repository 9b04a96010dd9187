"""The drill: back the service up, bring the backup back into an empty place, and hold the two against each other."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from memory.sync.hosted import backing_up
from memory.sync.hosted.errors import ServiceFault
from memory.sync.hosted.service import Service
from resources.language import gettext as _

_MOVES = ("tides", "sessions", "op_results", "jobs", "backup_keys", "rate_limits")
"""Tables that differ by design: restoring ends sessions, forgets results and leaves a new mark."""


@dataclass(frozen=True, slots=True)
class Drill:
    """How a drill went: seconds, and the rows that were brought back."""

    backup_seconds: float
    restore_seconds: float
    rows: int


async def drill(service: Service, copy: Service, folder: Path) -> Drill:
    """Back up, restore into ``copy`` (empty, with the same secret) and compare. Raises ServiceFault."""
    if copy.keys.secret != service.keys.secret:
        raise ServiceFault(_("The drill needs the service’s own secret: name it with secret_file."))
    begun = time.monotonic()
    backup = await backing_up.back_up(service, folder)
    saved = time.monotonic()
    await asyncio.to_thread(copy.settings.data.mkdir, parents=True, exist_ok=True, mode=0o700)
    for store in copy.stores:
        await store.create()
        if any((await backing_up.count_rows(store)).values()):
            raise ServiceFault(_("The place for the drill is not empty; choose another."))
    await backing_up.restore(copy, backup.records, backup.keys)
    restored = time.monotonic()
    rows = 0
    for name in ("records", "keys"):
        before = await backing_up.count_rows(getattr(service.stores, name))
        after = await backing_up.count_rows(getattr(copy.stores, name))
        for table, count in before.items():
            if table not in _MOVES and after[table] != count:
                raise ServiceFault(
                    _("The drill brought back {after} of {before} rows of {table}.").format(
                        after=after[table], before=count, table=table
                    )
                )
            rows += after[table]
    return Drill(saved - begun, restored - saved, rows)
