"""Exports of the office, their verification, and bringing one in; with the vault's signature and its keys."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.orm import Session

from agents.events import ConnectionsChanged, ConversationChanged, NotesChanged, RosterChanged
from agents.indexing import index_said
from agents.lifecycle.arriving_keys import ArrivingKey, arriving_keys, keep
from memory import accounts, notes
from memory.attachments import attachments_of
from memory.errors import Refused, StorageError
from memory.recall.indexing import index_note
from memory.transfer import importing, unindexed
from memory.transfer.age import Encryption
from memory.transfer.bag_reading import Bag, Unlock, open_bag
from memory.transfer.comparing import Choice
from memory.transfer.exporting import Order, Written, export
from memory.transfer.incoming_workspace import settle
from memory.transfer.merging import Merged
from memory.transfer.registry import record_export
from memory.transfer.selection import Filters
from memory.transfer.verifying import Verified, verify
from memory.transfer.watching import Watch
from resources.language import gettext as _
from vault.errors import VaultError

if TYPE_CHECKING:
    from agents.office import Office

T = TypeVar("T")
_PAUSE_SECONDS = 0.01
"""Between two pieces of background work, so that whoever wants the writing lane gets it first."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """How an export is to be. ``with_keys`` puts the providers' keys in; only into an encrypted one."""

    filters: Filters = field(default_factory=Filters)
    encryption: Encryption | None = None
    with_embeddings: bool = False
    with_keys: bool = False
    replace: bool = False


class Transfers:
    """Writes, checks and brings in exports of this office. What comes in is indexed in the background."""

    def __init__(self, office: "Office") -> None:
        self._office = office
        self._turn = asyncio.Lock()
        self._again = asyncio.Event()
        self._settled = asyncio.Event()
        self._background: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Finish what a crash left of an import, and go on indexing; again is harmless. Raises StorageError."""
        if self._background is not None:
            return
        async with self._turn:  # what an import is just putting aside was left by no crash
            await self._office.database.write(settle, self._office.locations.workspace)
        self._again.set()
        self._background = asyncio.create_task(self._index(), name="index imports of our own")

    async def settled(self) -> None:
        """Wait until everything that was brought in can be found by its words."""
        await self._settled.wait()

    async def close(self) -> None:
        """End the background work; it goes on at the next start."""
        if self._background is not None:
            self._background.cancel()
            await asyncio.gather(self._background, return_exceptions=True)

    async def export(self, path: Path, wish: Wish | None = None, watch: Watch | None = None) -> Written:
        """Write an export, sign it and note it in the register.

        Raises TransferError, StorageError or VaultError; then nothing is left of it.
        """
        wish = wish or Wish()
        if wish.with_keys and wish.encryption is None:
            raise Refused(_("Keys go only into an encrypted export: give a passphrase or a recipient."))
        office, signer = self._office, await asyncio.to_thread(self._signer)
        order = Order(
            path=path,
            office_id=office.vault.office_id,
            application=_application(),
            sign=signer.sign,
            public_key=signer.public_key().public_bytes_raw(),
            filters=wish.filters,
            with_embeddings=wish.with_embeddings,
            encrypter=wish.encryption,
            secrets=await self._keys() if wish.with_keys else (),
            replace=wish.replace,
        )
        written = await office.database.read_apart(
            export, order, office.blobs, office.locations.workspace, watch or Watch()
        )
        try:
            await office.database.write(record_export, written)
        except Refused:
            await asyncio.to_thread(_remove, path)
            raise
        return written

    async def verify(self, path: Path, unlock: Unlock | None = None, watch: Watch | None = None) -> Verified:
        """Check an export, of this office or another. Raises TransferError."""
        own = await self._own_key()

        def check() -> Verified:
            with open_bag(path, unlock) as bag:
                return verify(bag, watch or Watch(), own_key=own)

        return await asyncio.to_thread(check)

    async def look_into(
        self, path: Path, choice: Choice, unlock: Unlock | None = None, watch: Watch | None = None
    ) -> importing.Preview:
        """Return what ``bring_in`` would do; nothing is written. Raises TransferError or StorageError."""

        own = await self._own_key()

        async def look(bag: Bag) -> importing.Preview:
            return await self._office.database.read_apart(
                importing.preview, bag, choice, watch or Watch(), own_key=own
            )

        return await _with_bag(path, unlock, look)

    async def bring_in(
        self, path: Path, choice: Choice, unlock: Unlock | None = None, watch: Watch | None = None
    ) -> Merged:
        """Bring an export in, wholly or not at all; keys that it holds follow into the vault.

        Raises TransferError or StorageError; VaultError where a key did not get in: all the rest then did, and
        the same import brings the key in later.
        """
        office = self._office

        async def take(bag: Bag) -> Merged:
            keys.extend(await asyncio.to_thread(arriving_keys, bag, path))
            return await importing.bring_in(
                office.database, bag, office.blobs, office.locations.workspace, choice, watch or Watch()
            )

        keys: list[ArrivingKey] = []

        async with self._turn:
            merged = await _with_bag(path, unlock, take)
        self._settled.clear()
        self._again.set()
        for event in (ConversationChanged(""), RosterChanged(), NotesChanged(), ConnectionsChanged()):
            office.events.publish(event)
        if kept := await keep(office, keys):
            merged.counts["secrets"] = {"new": kept}
        return merged

    async def _own_key(self) -> bytes:
        """Return what tells the signature of this office from that of another."""
        key: bytes = (await asyncio.to_thread(self._signer)).public_key().public_bytes_raw()
        return key

    def _signer(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self._office.vault.keys.signing_seed)

    async def _keys(self) -> list[dict[str, Any]]:
        found = []
        for connection in await self._office.database.read(accounts.connections):
            try:
                key = await asyncio.to_thread(self._office.vault.read_key, connection.id)
            except VaultError as error:
                _log.warning("A key is not in the export: %s", error)
                continue
            found.append({"connection_id": connection.id, "label": connection.label, "secret": key.reveal()})
        return found

    async def _index(self) -> None:
        database = self._office.database
        while True:
            await self._again.wait()
            self._again.clear()
            try:
                for token in await database.read(unindexed.waiting):
                    await self._index_some(_index_messages, notes_too=False)
                    await self._index_some(_index_notes, notes_too=True)
                    again = await database.read(unindexed.files)
                    for attachment in await database.read(attachments_of, again):
                        await self._office.files.read_again(attachment)
                    await database.write(unindexed.indexed, token)
            except StorageError:
                _log.exception("What was brought in is not indexed yet; the next start goes on with it")
            if not self._again.is_set():
                self._settled.set()

    async def _index_some(self, index: Callable[[Session, list[str]], None], *, notes_too: bool) -> None:
        after = 0
        while some := await self._office.database.read(unindexed.some, notes_too, after):
            after = some[-1][0]
            await self._office.database.write(index, [identifier for _place, identifier in some])
            self._office.recall.wake()
            await asyncio.sleep(_PAUSE_SECONDS)


async def _with_bag(path: Path, unlock: Unlock | None, use: Callable[[Bag], Awaitable[T]]) -> T:
    bag = await asyncio.to_thread(open_bag, path, unlock)
    try:
        return await use(bag)
    finally:
        bag.close()


def _index_messages(session: Session, identifiers: list[str]) -> None:
    index_said(session, *identifiers)


def _index_notes(session: Session, identifiers: list[str]) -> None:
    index_note(session, *(notes.note(session, identifier) for identifier in identifiers))


def _application() -> str:
    try:
        return f"bureau {version('bureau')}"
    except PackageNotFoundError:
        return "bureau"  # run from its sources


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
