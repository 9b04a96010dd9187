"""The office between its owner's devices: turned on for a folder, a round at a time; its keys rest in the vault."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agents.events import ConversationChanged, EventBus, NotesChanged, RosterChanged
from agents.indexing import index_said
from agents.lifecycle.erasing import Erasing
from memory import audit, notes
from memory.database import Database
from memory.errors import Refused
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
from vault.office_keys import Vault
from vault.secret import Secret

P = ParamSpec("P")
T = TypeVar("T")

ITEM = "sync"
"""The name of the vault's item that holds the keys of this device."""
_VARIABLES = 500


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

    async def found(self, folder: Path, recovery_key: bytes) -> Round:
        """Begin a space in an empty folder, with this device as its first. Raises Refused, StorageError, VaultError."""
        async with self._turn:
            await self._refuse_if_on()
            if await _reach(folder, spaces, folder):
                raise Refused(_("Another device uses this folder already: join it with “bureau sync join”."))
            member = await _reach(folder, membership.found, folder, recovery_key, now())
            await self._begin(member, folder, founds=True)
            return await self._round(None)

    async def join(self, folder: Path, recovery_key: bytes) -> Round:
        """Become another device of the space in a folder. Raises Refused, StorageError, VaultError."""
        async with self._turn:
            await self._refuse_if_on()
            there = await _reach(folder, spaces, folder)
            if len(there) != 1:
                raise Refused(
                    _("This folder holds no office of yours, or several: choose the folder of one.")
                )
            member = await _reach(folder, membership.join, folder, there[0], recovery_key, now())
            await self._begin(member, folder, founds=False)
            return await self._round(None)

    async def switch(self, *, enabled: bool) -> None:
        """Pause sync, or go on with it. Raises Refused where it was never on."""
        await self._here()
        await self._database.write(_switch, enabled)

    async def leave(self) -> None:
        """Forget the space and this device's keys; the office stays as it is. Raises VaultError, StorageError."""
        async with self._turn:
            await self._database.write(_leave)
            await asyncio.to_thread(self._vault.delete_key, ITEM)

    async def now(self, *, confirmed: int | None = None) -> Round:
        """Do one round; ``confirmed`` as for `exchange`. Raises Refused, StorageError, VaultError."""
        async with self._turn:
            return await self._round(confirmed)

    async def status(self) -> Status:
        """Return how sync stands."""
        return Status(await self._database.read(_read_here), await self._database.read(outbox.waiting))

    async def devices(self) -> Account:
        """Return the account as the folder shows it. Raises Refused, StorageError."""
        return await self._account(await self._here())

    async def _refuse_if_on(self) -> None:
        if await self._database.read(_read_here) is not None:
            raise Refused(_("This office syncs already: see “bureau sync status”."))

    async def _here(self) -> Here:
        here = await self._database.read(_read_here)
        if here is None:
            raise Refused(_("This office does not sync: turn it on with “bureau sync on FOLDER”."))
        return here

    async def _begin(self, member: Member, folder: Path, *, founds: bool) -> None:
        secret = Secret(json.dumps(_to_item(member)))
        await asyncio.to_thread(self._vault.write_key, ITEM, secret, _("keys of this device for sync"))
        await self._database.write(_begin, member, str(folder), founds)

    async def _round(self, confirmed: int | None) -> Round:
        here = await self._here()
        if not here.enabled:
            raise Refused(_("Sync is off: turn it on again with “bureau sync on”."))
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
        for conversation_id in await self._database.read(_conversations, done.touched):
            self._bus.publish(ConversationChanged(conversation_id))


def reindex(session: Session, touched: Collection[tuple[str, str]]) -> None:
    """Make messages and notes that arrived findable, or no longer so where they must not be."""
    said = sorted(key for type_, key in touched if type_ == "message")
    if said:
        indexing.remove(session, "message", *said)
        shown = select(MessageTable.id).where(
            MessageTable.id.in_(said), MessageTable.trashed_at.is_(None), ~MessageTable.hidden
        )
        index_said(session, *session.scalars(shown))
    noted = sorted(key for type_, key in touched if type_ == "note")
    if noted:
        indexing.remove(session, "note", *noted)
        recalled = (key for key in noted if notes.is_recalled(session, key))
        indexing.index_note(session, *(notes.note(session, key) for key in recalled))


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


def _begin(session: Session, member: Member, folder: str, founds: bool) -> None:
    if not founds and is_untouched(session):
        # Nobody has worked with the presets here; those of the other devices take their places.
        session.execute(delete(AgentTable))
    space.begin(
        session, member.space_id, member.device.id, folder, member.account, types=shapes(), founds=founds
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
    return Here(row.id, row.device_id, Path(row.place), row.enabled, row.log_n, row.log_head, row.epoch)


def _conversations(session: Session, touched: Collection[tuple[str, str]]) -> set[str]:
    found = {key for type_, key in touched if type_ == "conversation"}
    said = [key for type_, key in touched if type_ == "message"]
    for start in range(0, len(said), _VARIABLES):
        some = MessageTable.id.in_(said[start : start + _VARIABLES])
        found |= set(session.scalars(select(MessageTable.conversation_id).where(some).distinct()))
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
