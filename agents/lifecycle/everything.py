"""Erasing the whole office: the keys first, so that whatever comes between leaves noise, then every file."""

import asyncio
import shutil
from pathlib import Path

from agents.office import Office
from agents.sync_service.device_item import DeviceItem
from memory.lifecycle.data_map import covers
from memory.locations import Locations


async def erase_everything(office: Office) -> tuple[Path, ...]:
    """Destroy the keys of the office, close it and remove its files; return the files that are not Bureau's.

    Keyring items go with it. Raises VaultError where a key could not be destroyed; then the office is as it was.
    """
    for connection in await office.connections.all():
        await office.connections.forget_key(connection.id)
    await DeviceItem(office.vault).delete()
    await asyncio.to_thread(office.vault.destroy)
    await office.close()
    return await asyncio.to_thread(_remove, office.locations)


def _remove(locations: Locations) -> tuple[Path, ...]:
    from platformdirs import user_cache_path, user_log_path

    home, left = locations.home, []
    for path in sorted(home.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif covers(path.relative_to(home).as_posix()) is not None:
            path.unlink(missing_ok=True)
        else:
            left.append(path)
    if not left:
        home.rmdir()
    for folder in (user_cache_path("bureau", appauthor=False), user_log_path("bureau", appauthor=False)):
        shutil.rmtree(folder, ignore_errors=True)
    return tuple(reversed(left))
