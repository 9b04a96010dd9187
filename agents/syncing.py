"""The office between its owner's devices: turned on for a folder, a round at a time; its keys rest in the vault."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agents.events import ConversationChanged, EventBus, NotesChanged, RosterChanged
from agents.indexing import index_said
from agents.lifecycle.erasing import Erasing
from agents.sync_service.account import ServiceAccount
from agents.sync_service.connecting import Connecting, reaching
from agents.sync_service.device_item import DeviceItem
from agents.sync_service.holdings import ServiceHoldings
from agents.sync_service.joining import ServiceJoining
from memory import audit, notes
from memory.database import Database
from memory.errors import Refused
from memory.identifiers import now
from memory.lifecycle.subjects import Subject, portions
from memory.recall import indexing
from memory.recall.search import Recall
from memory.sync import membership, outbox, space
from memory.sync.account import Account
from memory.sync.arrival import Trust
from memory.sync.carrier import Carrier
from memory.sync.envelope import Signer
from memory.sync.exchange import Parts, Round, exchange
from memory.sync.folder import FolderCarrier
from memory.sync.folder_account import spaces
from memory.sync.membership import Member
from memory.sync.outbox import Waiting
from memory.sync.service.carrier import HostedCarrier
from memory.sync.service.faults import AccountPurged, SpacePurged
from memory.sync.service.rotation import Behind
from memory.sync.service.sign_in import is_service
from memory.sync.shapes import shapes
from memory.sync.space import Credentials
from memory.sync.space_keys import SpaceKeys
from memory.tables import AgentTable, MessageTable
from memory.transfer.merging import is_untouched
from resources.language import gettext as _
from vault.office_keys import Vault

P = ParamSpec("P")
T = TypeVar("T")

_TRIES = 3
"""So often a round pulls anew before it renews the key of the space."""


@dataclass(frozen=True, slots=True)
class Here:
    """What this office knows of its space."""

    space_id: str
    device_id: str
    place: str
    """The path of a folder, or the address of a service."""
    enabled: bool
    log_n: int
    log_head: bytes
    epoch: int

    @property
    def hosted(self) -> bool:
        """Whether the devices meet at a service."""
        return is_service(self.place)

    @property
    def folder(self) -> Path:
        """The folder in which the devices meet, where it is one."""
        return Path(self.place)


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
        self.turn = asyncio.Lock()
        self._item, self._connecting = DeviceItem(vault), Connecting(database)
        self.account = ServiceAccount(database, self._item, self._connecting, self)
        self.joining = ServiceJoining(self._item, self._connecting, self)
        self.holdings = ServiceHoldings(database, self._connecting, self.account)

    async def found(self, folder: Path, recovery_key: bytes) -> Round:
        """Begin a space in an empty folder, with this device as its first. Raises Refused, StorageError, VaultError."""
        async with self.turn:
            await self._refuse_if_on()
            if await _reach(folder, spaces, folder):
                raise Refused(_("Another device uses this folder already: join it with “bureau sync join”."))
            member = await _reach(folder, membership.found, folder, recovery_key, now())
            await self._begin(member, str(folder), founds=True)
            return await self.round()

    async def join(self, folder: Path, recovery_key: bytes) -> Round:
        """Become another device of the space in a folder. Raises Refused, StorageError, VaultError."""
        async with self.turn:
            await self._refuse_if_on()
            there = await _reach(folder, spaces, folder)
            if len(there) != 1:
                raise Refused(
                    _("This folder holds no office of yours, or several: choose the folder of one.")
                )
            member = await _reach(folder, membership.join, folder, there[0], recovery_key, now())
            await self._begin(member, str(folder), founds=False)
            return await self.round()

    async def enter(self, place: str, join: Callable[[], Awaitable[tuple[Member, bool]]]) -> Round:
        """Become a device of a space that ``join`` joins, or founds as it says, and do the first round.

        Raises Refused, StorageError, VaultError.
        """
        async with self.turn:
            await self._refuse_if_on()
            member, founds = await join()
            await self._begin(member, place, founds=founds)
            return await self.round()

    async def switch(self, *, enabled: bool) -> None:
        """Pause sync, or go on with it. Raises Refused where it was never on."""
        await self.joined()
        await self._database.write(_switch, enabled)

    async def leave(self) -> None:
        """Forget the space and this device's keys; the office stays as it is. Raises VaultError, StorageError."""
        async with self.turn:
            await self._database.write(_leave)
            await self._item.delete()
            self.account.forget()

    async def now(self, *, confirmed: int | None = None) -> Round:
        """Do one round; ``confirmed`` as for `exchange`. Raises Refused, StorageError, VaultError."""
        async with self.turn:
            return await self.round(confirmed)

    async def close(self) -> None:
        """Close the connections to a service."""
        await self._connecting.close()

    async def status(self) -> Status:
        """Return how sync stands."""
        return Status(await self._database.read(_read_here), await self._database.read(outbox.waiting))

    async def devices(self) -> Account:
        """Return the account as the folder or the service shows it. Raises Refused, StorageError, VaultError."""
        here = await self.joined()
        if not here.hosted:
            return await self._folder_account(here)
        with reaching(here.place):
            _calls, member = await self.account.renewed(here)
        return member.account

    async def joined(self) -> Here:
        """Return what is known of the space. Raises Refused where the office does not sync."""
        here = await self._database.read(_read_here)
        if here is None:
            raise Refused(_("This office does not sync: turn it on with “bureau sync on FOLDER”."))
        return here

    async def _refuse_if_on(self) -> None:
        if await self._database.read(_read_here) is not None:
            raise Refused(_("This office syncs already: see “bureau sync status”."))

    async def _begin(self, member: Member, place: str, *, founds: bool) -> None:
        await self._item.write(member)
        await self._database.write(_begin, member, place, founds)

    async def round(self, confirmed: int | None = None) -> Round:
        """Do one round, within the turn. Raises Refused, StorageError, VaultError."""
        here = await self.joined()
        if not here.enabled:
            raise Refused(_("Sync is off: turn it on again with “bureau sync on”."))
        try:
            done = await (self._hosted_round if here.hosted else self._folder_round)(here, confirmed)
        except (AccountPurged, SpacePurged) as purged:
            await self.holdings.note_purge(purged)
            raise
        await self._tell(done)
        return done

    async def _folder_round(self, here: Here, confirmed: int | None) -> Round:
        kept, account = await self._item.read(), await self._folder_account(here)
        await self._database.write(space.take_account, account)
        member = Member(here.space_id, kept.device, kept.keys, account)
        parts = self._parts(member, FolderCarrier(here.folder, here.space_id, here.device_id), here.epoch)
        return await _reached(here.folder, exchange(parts, confirmed=confirmed))

    async def _hosted_round(self, here: Here, confirmed: int | None) -> Round:
        with reaching(here.place):
            calls, member = await self.account.renewed(here)
            carrier = HostedCarrier(calls, here.space_id)
            epoch = member.account.current_epoch(here.space_id)
            done = await exchange(self._parts(member, carrier, epoch), confirmed=confirmed)
            for _try in range(_TRIES):
                try:
                    await self.account.go_on(here, member)
                    break
                except Behind:
                    # What this device has just pushed is to be pulled as well.
                    await exchange(self._parts(member, carrier, epoch), confirmed=confirmed, done=done)
        return done

    def _parts(self, member: Member, carrier: Carrier, epoch: int) -> Parts:
        keys = SpaceKeys(member.space_id, *member.keys)
        signer = Signer(member.device.id, member.device.sign)
        return Parts(
            self._database,
            carrier,
            Trust(member.account, keys),
            Credentials(signer, keys, epoch),
            reindex,
            self._erase,
        )

    async def _folder_account(self, here: Here) -> Account:
        seen = (here.log_n, here.log_head)
        return await _reach(here.folder, membership.read_account, here.folder, here.space_id, seen)

    async def _erase(self, subjects: Sequence[Subject]) -> None:
        await self._erasing.erase(subjects)

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


def _begin(session: Session, member: Member, place: str, founds: bool) -> None:
    if not founds and is_untouched(session):
        # Nobody has worked with the presets here; those of the other devices take their places.
        session.execute(delete(AgentTable))
    space.begin(
        session, member.space_id, member.device.id, place, member.account, types=shapes(), founds=founds
    )
    audit.append(session, "sync on", member.space_id, {"place": place})


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
    return Here(row.id, row.device_id, row.place, row.enabled, row.log_n, row.log_head, row.epoch)


def _conversations(session: Session, touched: Collection[tuple[str, str]]) -> set[str]:
    found = {key for type_, key in touched if type_ == "conversation"}
    said = [key for type_, key in touched if type_ == "message"]
    for some in portions(said):
        chosen = select(MessageTable.conversation_id).where(MessageTable.id.in_(some)).distinct()
        found |= set(session.scalars(chosen))
    return found
