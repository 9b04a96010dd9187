"""The office between its owner's devices: turned on for a folder, a round at a time; its keys rest in the vault."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete
from sqlalchemy.orm import Session

from agents.events import ConversationChanged, EventBus, NotesChanged, RosterChanged, SyncSwitched
from agents.indexing import index_said
from agents.lifecycle.erasing import Erasing
from memory import audit, notes
from memory.database import Database
from memory.errors import Refused, StorageError
from memory.identifiers import now
from memory.lifecycle.subjects import Subject
from memory.recall import indexing
from memory.recall.search import Recall
from memory.sync import base64url, membership, outbox, space
from memory.sync.account import Account
from memory.sync.arrival import Trust
from memory.sync.device_keys import DeviceKeys, Receiver
from memory.sync.envelope import Signer
from memory.sync.exchange import Parts, Round, exchange
from memory.sync.folder import FolderCarrier
from memory.sync.folder_account import spaces
from memory.sync.membership import Member
from memory.sync.outbox import Waiting
from memory.sync.shapes import shapes
from memory.sync.space import Credentials
from memory.sync.space_keys import SpaceKey, SpaceKeys
from memory.tables import AgentTable, MessageTable
from memory.transfer.merging import is_untouched
from resources.language import gettext as _
from vault.errors import VaultError
from vault.office_keys import Vault
from vault.secret import Secret

P = ParamSpec("P")
T = TypeVar("T")

ITEM = "sync"
"""The name of the vault's item that holds the keys of this device."""


@dataclass(frozen=True, slots=True)
class Here:
    """What this office knows of its space."""

    space_id: str
    device_id: str
    folder: Path
    enabled: bool
    log_n: int
    log_head: bytes
    epoch: int
    round_at: int | None
    """When the last round ended that went well, in UTC milliseconds."""
    fault: str
    """Why the last one did not, as a sentence; empty where it did. ``fault_at`` says when."""
    fault_at: int | None


@dataclass(frozen=True, slots=True)
class Status:
    """How sync stands; ``here`` is None where it was never on."""

    here: Here | None
    waiting: Waiting


class Syncing:
    """Turns sync on and off and does its rounds, one after the other."""

    def __init__(
        self, database: Database, vault: Vault, recall: Recall, bus: EventBus, erasing: Erasing
    ) -> None:
        self._database, self._vault, self._recall = database, vault, recall
        self._bus, self._erasing = bus, erasing
        self._turn = asyncio.Lock()
        self._under_way: asyncio.Task[Round] | None = None
        self._interrupted = False

    async def found(self, folder: Path, recovery_key: bytes, types: Collection[str] | None = None) -> Round:
        """Begin a space in an empty folder, with this device as its first. Raises Refused, StorageError, VaultError.

        ``types`` are the types of records that sync, None for all.
        """
        async with self._turn:
            await self._refuse_if_on()
            if await _reach(folder, spaces, folder):
                raise Refused(_("Another device uses this folder already: join it with “bureau sync join”."))
            member = await _reach(folder, membership.found, folder, recovery_key, now())
            await self._begin(member, folder, types, founds=True)
            return await self._noted_round(None)

    async def join(self, folder: Path, recovery_key: bytes, types: Collection[str] | None = None) -> Round:
        """Become another device of the space in a folder; ``types`` as for `found`.

        Raises Refused, StorageError, VaultError.
        """
        async with self._turn:
            await self._refuse_if_on()
            there = await _reach(folder, spaces, folder)
            if len(there) != 1:
                raise Refused(
                    _("This folder holds no office of yours, or several: choose the folder of one.")
                )
            member = await _reach(folder, membership.join, folder, there[0], recovery_key, now())
            await self._begin(member, folder, types, founds=False)
            return await self._noted_round(None)

    async def switch(self, *, enabled: bool) -> None:
        """Pause sync, or go on with it. Raises Refused where it was never on."""
        await self._here()
        if not enabled:
            self._interrupt()
        await self._database.write(_switch, enabled)
        self._bus.publish(SyncSwitched())

    async def leave(self) -> None:
        """Forget the space and this device's keys; the office stays as it is. Raises VaultError, StorageError."""
        self._interrupt()
        async with self._turn:
            await self._database.write(_leave)
            await asyncio.to_thread(self._vault.delete_key, ITEM)
        self._bus.publish(SyncSwitched())

    async def now(self, *, confirmed: int | None = None) -> Round:
        """Do one round; ``confirmed`` as for `exchange`. Raises Refused, StorageError, VaultError."""
        async with self._turn:
            return await self._noted_round(confirmed)

    async def here(self) -> Here | None:
        """Return what this office knows of its space, None where sync was never on."""
        return await self._database.read(_read_here)

    async def status(self) -> Status:
        """Return how sync stands, with what waits counted."""
        return Status(await self.here(), await self._database.read(outbox.waiting))

    async def devices(self) -> Account:
        """Return the account as the folder shows it. Raises Refused, StorageError."""
        return await self._account(await self._here())

    async def _refuse_if_on(self) -> None:
        if await self.here() is not None:
            raise Refused(_("This office syncs already: see “bureau sync status”."))

    async def _here(self) -> Here:
        here = await self.here()
        if here is None:
            raise Refused(_("This office does not sync: turn it on with “bureau sync on FOLDER”."))
        return here

    async def _begin(
        self, member: Member, folder: Path, types: Collection[str] | None, *, founds: bool
    ) -> None:
        secret = Secret(json.dumps(_to_item(member)))
        await asyncio.to_thread(self._vault.write_key, ITEM, secret, _("keys of this device for sync"))
        await self._database.write(_begin, member, str(folder), shapes() if types is None else types, founds)
        self._bus.publish(SyncSwitched())

    async def _noted_round(self, confirmed: int | None) -> Round:
        """Do one round, which `_interrupt` ends, and remember how it ended for whoever asks later."""
        if not (await self._here()).enabled:
            raise Refused(_("Sync is paused: turn it on again with “bureau sync on”."))
        self._under_way = asyncio.create_task(self._round(confirmed), name="round of sync")
        try:
            done = await self._under_way
        except asyncio.CancelledError:
            if self._interrupted:
                raise Refused(_("This round was ended; what it did not do, the next one does.")) from None
            raise
        except (StorageError, VaultError) as error:
            await self._database.write(space.note_round, now(), str(error))
            raise
        finally:
            self._under_way, self._interrupted = None, False
        await self._database.write(space.note_round, now())
        return done

    def _interrupt(self) -> None:
        """End the round that is under way: it would be about what its owner has just given up."""
        if self._under_way is not None:
            self._interrupted = self._under_way.cancel()

    async def _round(self, confirmed: int | None) -> Round:
        here = await self._here()
        device, keys = await asyncio.to_thread(self._keys)
        account = await self._account(here)
        await self._database.write(space.take_account, account)
        parts = Parts(
            self._database,
            FolderCarrier(here.folder, here.space_id, here.device_id),
            Trust(account, keys),
            Credentials(Signer(device.id, device.sign), keys, here.epoch),
            reindex,
            self._erase,
        )
        done = await _reached(here.folder, exchange(parts, confirmed=confirmed))
        await self._tell(done)
        return done

    async def _account(self, here: Here) -> Account:
        seen = (here.log_n, here.log_head)
        return await _reach(here.folder, membership.read_account, here.folder, here.space_id, seen)

    async def _erase(self, subjects: Sequence[Subject]) -> None:
        await self._erasing.erase(subjects)

    def _keys(self) -> tuple[DeviceKeys, SpaceKeys]:
        return _from_item(json.loads(self._vault.read_key(ITEM).reveal()))

    async def _tell(self, done: Round) -> None:
        types = {type_ for type_, _key in done.touched}
        if types & {"message", "note"}:
            self._recall.wake()
        if "note" in types:
            self._bus.publish(NotesChanged())
        if "agent" in types:
            self._bus.publish(RosterChanged())
        for conversation_id in await self._database.read(_conversations, sorted(done.touched)):
            self._bus.publish(ConversationChanged(conversation_id))


def reindex(session: Session, type_: str, local_id: str) -> None:
    """Make a message or note that arrived findable, or no longer so where it must not be."""
    if type_ == "message":
        indexing.remove(session, "message", local_id)
        row = session.get_one(MessageTable, local_id)
        if row.trashed_at is None and not row.hidden:
            index_said(session, local_id)
    elif type_ == "note":
        note = notes.note(session, local_id)
        if notes.is_recalled(session, local_id):
            indexing.index_note(session, note)
        else:
            indexing.remove(session, "note", local_id)


async def _reach(folder: Path, work: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
    return await _reached(folder, asyncio.to_thread(work, *arguments, **more))


async def _reached(folder: Path, work: Awaitable[T]) -> T:
    try:
        return await work
    except OSError as error:
        sentence = _(
            "The folder {path} cannot be used: see that it is there and can be written. Nothing was lost."
        )
        raise Refused(sentence.format(path=folder)) from error


def _begin(session: Session, member: Member, folder: str, types: Collection[str], founds: bool) -> None:
    if not founds and "agent" in types and is_untouched(session):
        # Nobody has worked with the presets here; those of the other devices take their places.
        session.execute(delete(AgentTable))
    space.begin(
        session, member.space_id, member.device.id, folder, member.account, types=types, founds=founds
    )
    audit.append(session, "sync on", member.space_id, {"folder": folder})


def _switch(session: Session, enabled: bool) -> None:
    space.switch(session, enabled=enabled)
    audit.append(session, "sync on" if enabled else "sync off", "")


def _leave(session: Session) -> None:
    space.leave(session)
    audit.append(session, "sync left", "")


def _read_here(session: Session) -> Here | None:
    row = space.of(session)
    if row is None:
        return None
    return Here(
        row.id,
        row.device_id,
        Path(row.place),
        row.enabled,
        row.log_n,
        row.log_head,
        row.epoch,
        row.round_at,
        row.fault,
        row.fault_at,
    )


def _conversations(session: Session, touched: Sequence[tuple[str, str]]) -> set[str]:
    found = {key for type_, key in touched if type_ == "conversation"}
    for type_, key in touched:
        if type_ == "message" and (row := session.get(MessageTable, key)) is not None:
            found.add(row.conversation_id)
    return found


def _to_item(member: Member) -> dict[str, Any]:
    device = member.device
    return {
        "space": member.space_id,
        "device": device.id,
        "sign": base64url.encode(device.sign.private_bytes_raw()),
        "receive": base64url.encode(device.receive.private),
        "keys": {str(key.epoch): base64url.encode(key.key) for key in member.keys},
    }


def _from_item(item: dict[str, Any]) -> tuple[DeviceKeys, SpaceKeys]:
    sign = Ed25519PrivateKey.from_private_bytes(base64url.decode(item["sign"], 32))
    device = DeviceKeys(item["device"], sign, Receiver(base64url.decode(item["receive"])))
    keys = (
        SpaceKey(item["space"], int(epoch), base64url.decode(key, 32)) for epoch, key in item["keys"].items()
    )
    return device, SpaceKeys(item["space"], *keys)
