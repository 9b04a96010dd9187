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
    await asyncio.to_thread(copy.settings.data.mkdir, parents=True, exist_ok=True, mode=0o700)
    for store in copy.stores:
        await store.create()
        if any((await backing_up.count_rows(store)).values()):
            raise ServiceFault(_("The place for the drill is not empty; choose another."))
    earlier = await _counts(service)
    begun = time.monotonic()
    backup = await backing_up.back_up(service, folder)
    saved = time.monotonic()
    later = await _counts(service)
    await backing_up.restore(copy, backup.records, backup.keys)
    restored = time.monotonic()
    rows = 0
    for (store, table), count in (await _counts(copy)).items():
        # People may have gone on meanwhile.
        few, many = sorted((earlier[store, table], later[store, table]))
        if table not in _MOVES and not few <= count <= many:
            raise ServiceFault(
                _("The drill brought back {after} of {before} rows of {table}.").format(
                    after=count, before=few, table=table
                )
            )
        rows += count
    return Drill(saved - begun, restored - saved, rows)


async def _counts(service: Service) -> dict[tuple[str, str], int]:
    """Return the rows of each table that a backup holds, by store and table."""
    stores = (service.stores.records, service.stores.keys)
    return {
        (store.name, table): count
        for store in stores
        for table, count in (await backing_up.count_rows(store)).items()
    }
