"""Providers' keys that come with an encrypted export: each into the vault, where its connection has none yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from memory import accounts, audit
from memory.transfer.age import is_encrypted
from memory.transfer.bag_reading import Bag
from memory.transfer.exporting import SECRETS
from memory.transfer.record_reading import broken, read_records
from memory.transfer.watching import Watch
from vault.errors import KeyNotFound
from vault.secret import Secret

if TYPE_CHECKING:
    from agents.office import Office


@dataclass(frozen=True, slots=True)
class ArrivingKey:
    """A provider's key and the connection it belongs to."""

    connection_id: str
    secret: Secret


def arriving_keys(bag: Bag, path: Path) -> tuple[ArrivingKey, ...]:
    """Return the keys of an export; one that lies open to everybody is taken for damaged. Raises ArchiveDamaged."""
    if SECRETS not in bag.listed:
        return ()
    if not _sealed(path):
        raise bag.damaged(f"data/{SECRETS}")
    found = []
    for number, line in enumerate(read_records("secrets", bag.pieces(SECRETS, Watch())), 1):
        for name in ("connection_id", "secret"):
            if not isinstance(line.get(name), str) or not line[name]:
                raise broken("secrets", number, name)
        found.append(ArrivingKey(line["connection_id"], Secret(line["secret"])))
    return tuple(found)


async def keep(office: "Office", keys: Sequence[ArrivingKey]) -> int:
    """Put keys into the vault and return how many; a connection that has one keeps it. Raises VaultError, StorageError.

    A crash on the way leaves connections without a key, which the same import brings in when it is made again.
    """
    known = {connection.id: connection for connection in await office.connections.all()}
    kept = 0
    for key in keys:
        connection = known.get(key.connection_id)
        if connection is None or await asyncio.to_thread(_has_key, office, key.connection_id):
            continue
        await asyncio.to_thread(office.vault.write_key, connection.id, key.secret, connection.label)
        # A fingerprint recognises a key within one office only, so it is made anew here.
        fingerprint = office.vault.fingerprint(key.secret)
        await office.database.write(_note, connection.id, key.secret.mask(), fingerprint)
        kept += 1
    return kept


def _has_key(office: "Office", connection_id: str) -> bool:
    try:
        office.vault.read_key(connection_id)
    except KeyNotFound:
        return False
    return True


def _note(session: Session, connection_id: str, mask: str, fingerprint: str) -> None:
    connection = accounts.record_arrival(session, connection_id, mask=mask, fingerprint=fingerprint)
    audit.append(session, "key brought in", connection.id, {"fingerprint": fingerprint})


def _sealed(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return is_encrypted(file)
