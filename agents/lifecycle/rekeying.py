"""Deep erase: the database gets another key, and nothing that the disk still holds under the former one opens.

A new key rests as pending wherever keys rest before the database gets it, and the former one is forgotten only
after. Whatever moment the power goes at, one of the two opens the database at the next start.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from agents.events import EventBus, OfficePaused, OfficeResumed
from memory.database import Database
from memory.errors import StorageError
from memory.locations import Locations
from resources.language import gettext as _
from vault.office_keys import Vault

STEPS = ("begun", "pending", "folded", "compacted", "closed", "rekeyed", "opened", "promoted", "swept")
"""What a change of keys goes through, in order; ``step`` hears each name once it is reached."""

_LOOSE = 10
"""Above one free page in so many, the file is made smaller first."""


async def change_key(
    database: Database,
    vault: Vault,
    locations: Locations,
    bus: EventBus,
    step: Callable[[str], None] = lambda name: None,
) -> None:
    """Encrypt the database anew under a key that did not exist before, and forget the former one.

    The office waits meanwhile: some ten seconds for each gigabyte. Files keep their keys, which are rows of the
    database. Snapshots from before an upgrade, which only the former key opens, are removed. Raises StorageError
    or VaultError; then the former key, or both of them, stay in force and nothing is lost.
    """
    bus.publish(OfficePaused(_("The database is being encrypted anew; everything goes on in a moment.")))
    try:
        step("begun")
        key = await asyncio.to_thread(vault.begin_rekey)
        if database.key == key:  # an earlier change got so far; what was erased since needs a key of its own
            await database.prove()  # nothing is forgotten on a guess
            await asyncio.to_thread(vault.finish_rekey)
            key = await asyncio.to_thread(vault.begin_rekey)
        step("pending")
        try:
            await database.rekey(key, partial(_encrypt_anew, key=key, step=step))
        except StorageError:
            if database.key != key:
                await database.prove()  # else both stay known, and the next start finds out which one it is
                await asyncio.to_thread(vault.abandon_rekey)
            raise
        step("opened")
        await asyncio.to_thread(vault.finish_rekey)
        step("promoted")
        for snapshot in locations.backups.glob("before-*.db"):
            snapshot.unlink(missing_ok=True)
        step("swept")
    finally:
        bus.publish(OfficeResumed())


def _encrypt_anew(connection: Any, *, key: bytes, step: Callable[[str], None]) -> None:
    def ask(pragma: str) -> Any:
        return connection.execute(f"PRAGMA {pragma}").fetchone()

    ask("wal_checkpoint(TRUNCATE)")
    step("folded")
    # What was deleted is overwritten in place already; packing is for the space, and needs memory of its size.
    if ask("freelist_count")[0] * _LOOSE > ask("page_count")[0]:
        connection.execute("VACUUM")
        ask("wal_checkpoint(TRUNCATE)")
    step("compacted")
    ask("journal_mode = DELETE")
    step("closed")
    connection.execute(f"PRAGMA rekey = \"x'{key.hex()}'\"")
    step("rekeyed")
