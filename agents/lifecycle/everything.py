"""Erasing the whole office: the keys first, so that whatever comes between leaves noise, then every file."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agents.office import Office
from agents.sync_service.device_item import DeviceItem
from memory.lifecycle import remains, reports
from memory.lifecycle.data_map import covers
from memory.lifecycle.reports import Copy


@dataclass(frozen=True, slots=True)
class Remains:
    """What is there after an office: exports and backups elsewhere, and files of its folder.

    ``files`` are not Bureau's, or could not be removed.
    """

    files: tuple[Path, ...]
    copies: tuple[Copy, ...]


async def erase_everything(office: Office) -> Remains:
    """Destroy the keys of the office, close it and remove its files; return what is left to its owner to destroy.

    Keyring items go with it. What a crash leaves of it is removed when an office is opened here again. Raises
    StorageError, or VaultError where a key could not be destroyed; then the office is as it was.
    """
    copies = await copies_elsewhere(office)
    for connection in await office.connections.all():
        await office.connections.forget_key(connection.id)
    await DeviceItem(office.vault).delete()
    await asyncio.to_thread(office.vault.destroy)
    await office.close()
    return Remains(await asyncio.to_thread(remains.remove, office.locations), copies)


async def copies_elsewhere(office: Office) -> tuple[Copy, ...]:
    """Return the exports and backups that erasing the office does not reach, the latest first. Raises StorageError."""
    every = await office.database.read(reports.copies_since, 0)
    return tuple(sorted(_not_ours(every, office.locations.home), key=lambda copy: -copy.at))


def _not_ours(copies: Iterable[Copy], home: Path) -> Iterable[Copy]:
    for copy in copies:
        path = Path(copy.path)
        if not path.is_relative_to(home) or covers(path.relative_to(home).as_posix()) is None:
            yield copy
