"""The office between its owner's devices: turned on for a folder, a round at a time; its keys rest in the vault."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import delete
from sqlalchemy.orm import Session

from agents.events import EventBus, SyncChanged, SyncSwitched
from agents.files import Files
from agents.lifecycle.erasing import Erasing
from agents.sync_arrivals import reindex, tell
from agents.sync_folder import FolderSide, reach, reached
from agents.sync_recovery import Recovery
from agents.sync_service.account import ServiceAccount
from agents.sync_service.connecting import Connecting, reaching
from agents.sync_service.device_item import DeviceItem
from agents.sync_service.holdings import ServiceHoldings
from agents.sync_service.joining import ServiceJoining
from agents.sync_service.policy import ServicePolicy
from agents.sync_service.profile import ServiceProfile
from agents.sync_standing import Here, Status, read_here, read_status
from memory import audit
from memory.blobs import BlobStore
from memory.database import Database
from memory.errors import Refused, StorageError
from memory.identifiers import now
from memory.lifecycle.subjects import Subject
from memory.recall.search import Recall
from memory.sync import aside, membership, space
from memory.sync.account import Account
from memory.sync.arrival import Trust
from memory.sync.carrier import Carrier
from memory.sync.comparing import check_pieces
from memory.sync.envelope import Signer
from memory.sync.exchange import Parts, Round, exchange
from memory.sync.folder import FolderCarrier
from memory.sync.folder_account import require_writable, spaces
from memory.sync.membership import Begun, Member
from memory.sync.service.carrier import HostedCarrier
from memory.sync.service.faults import AccountPurged, DeletionPending, SpacePurged
from memory.sync.service.hints import heads
from memory.sync.service.rotation import Behind
from memory.sync.shapes import shapes
from memory.sync.space import Credentials
from memory.sync.space_keys import SpaceKeys
from memory.tables import AgentTable
from memory.transfer.merging import is_untouched
from resources.language import gettext as _
from vault.errors import VaultError
from vault.office_keys import Vault

__all__ = ["NO_WORD", "Here", "Status", "Syncing", "Word"]

_TRIES = 3
"""So often a round pulls anew before it renews the key of the space."""


@dataclass(frozen=True, slots=True)
class Word:
    """What its owner agreed to, as `exchange` takes it; nothing where nobody was asked."""

    confirmed: int | None = None
    missing: int | None = None
    generation: str = ""


NO_WORD = Word()


class Syncing:
    """Turns sync on and off and does its rounds, one after the other."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        recall: Recall,
        bus: EventBus,
        erasing: Erasing,
        blobs: BlobStore,
        files: Files,
    ) -> None:
        self._database, self._vault, self._recall = database, vault, recall
        self._bus, self._erasing, self._blobs, self._files = bus, erasing, blobs, files
        self.turn = asyncio.Lock()
        self._item, self._connecting = DeviceItem(vault), Connecting(database)
        self.recovery = Recovery(database, self._item, bus)
        self.account = ServiceAccount(database, self._item, self._connecting, self, bus, self.recovery)
        self._policy = ServicePolicy(database, self.account, bus)
        self.folder = FolderSide(database, self._item, self, bus, self.recovery)
        self.joining = ServiceJoining(database, self._item, self._connecting, self)
        self.profile = ServiceProfile(database, self.account)
        self.holdings = ServiceHoldings(database, self.account)
        self.clock: Callable[[], int] = now
        """Returns milliseconds UTC."""
        self._keeps_begun = True
        """Whether the vault may still hold a device that was becoming one of an account's."""
        self._under_way: asyncio.Task[bool] | None = None
        self._interrupted = False

    async def found(self, folder: Path, recovery_key: bytes, types: Collection[str] | None = None) -> Round:
        """Begin a space in an empty folder, with this device as its first. Raises Refused, StorageError, VaultError.

        ``types`` are the types of records that sync, None for all.
        """
        async with self.turn:
            begun = await self._item.read_begun()
            if begun is not None and begun.space_id in await reach(folder, spaces, folder):
                # It was cut off once the space was there: it goes on.
                return await self._join(folder, recovery_key, types)
            await self.require_free(folder)
            keep = self._item.keep_begun
            member = await reach(folder, membership.found, folder, recovery_key, now(), keep)
            await self._begin(member, str(folder), types, founds=True)
            return await self.round()

    async def require_free(self, folder: Path) -> None:
        """Raise what would keep a space from being founded in a folder, before its recovery key is shown."""
        await self.refuse_if_joined()
        await reach(folder, require_writable, folder)
        if await reach(folder, spaces, folder):
            raise Refused(_("Another device uses this folder already: join it with “bureau sync join”."))

    async def join(self, folder: Path, recovery_key: bytes, types: Collection[str] | None = None) -> Round:
        """Become another device of the space in a folder; ``types`` as for `found`.

        Raises Refused, StorageError, VaultError.
        """
        async with self.turn:
            return await self._join(folder, recovery_key, types)

    async def _join(self, folder: Path, recovery_key: bytes, types: Collection[str] | None) -> Round:
        await self.refuse_if_joined()
        there = await reach(folder, spaces, folder)
        if len(there) != 1:
            raise Refused(_("This folder holds no office of yours, or several: choose the folder of one."))
        begun, keep = await self._item.read_begun(), self._item.keep_begun
        member = await reach(folder, membership.join, folder, there[0], recovery_key, now(), begun, keep)
        await self._begin(member, str(folder), types, founds=Begun(member.device, member.space_id) == begun)
        return await self.round()

    async def enter(
        self,
        place: str,
        join: Callable[[], Awaitable[tuple[Member, bool]]],
        types: Collection[str] | None = None,
    ) -> Round:
        """Become a device of a space that ``join`` joins, or founds as it says, and do the first round.

        Raises Refused, StorageError, VaultError.
        """
        async with self.turn:
            await self.refuse_if_joined()
            member, founds = await join()
            await self._begin(member, place, types, founds=founds)
            return await self.round()

    async def move(self, folder: Path) -> Round:
        """Meet the other devices in another folder from now on: the former one was moved there.

        Raises Refused where that is not the same space, StorageError, VaultError.
        """
        async with self.turn:
            here = await self.joined()
            if here.hosted:
                raise Refused(_("This office meets your devices at a service: only a folder is moved."))
            if not here.enabled:
                raise _paused()
            await self.folder.move(replace(here, place=str(folder)))
            self._bus.publish(SyncSwitched())
            return await self.round()

    async def switch(self, *, enabled: bool) -> None:
        """Pause sync, or go on with it. Raises Refused where it was never on."""
        await self.joined()
        await self._database.write(_switch, enabled)
        if not enabled:
            self._interrupt()
        self._bus.publish(SyncSwitched())

    async def leave(self) -> None:
        """Forget the space and this device's keys; the office stays as it is. Raises VaultError, StorageError."""
        self._interrupt()
        async with self.turn:
            await self._item.forget_begun()  # before all: nobody joins again as a device that was in use
            await self._database.write(_leave)
            await self._item.delete()
            self.account.forget()
            self.recovery.forget()
        self._bus.publish(SyncSwitched())

    async def now(self, word: Word = NO_WORD) -> Round:
        """Do one round. Raises Refused, StorageError, VaultError."""
        async with self.turn:
            return await self.round(word)

    async def spaces_in(self, folder: Path) -> int:
        """Return how many offices meet in a folder. Raises Refused where it cannot be used."""
        return len(await reach(folder, spaces, folder))

    async def keep_missing(self) -> int:
        """Keep here what went missing without proof and waits for its owner's word; return how much."""
        return await self._database.write(aside.keep)

    async def here(self) -> Here | None:
        """Return what this office knows of its space, None where sync was never on."""
        return await self._database.read(read_here)

    async def hints(self) -> AsyncIterator[None]:
        """Say once that the service listens, then each time that something is there which is not known here.

        Ends where the service ends it, at the latest with the session. Raises NotReached, StorageError, VaultError.
        """
        here = await self.joined()
        with reaching(here.place):
            calls = await self.account.calls()
            async with aclosing(heads(calls, here.space_id)) as told:
                async for head in told:
                    if head == 0 or head > await self._database.read(space.known_head):
                        yield

    async def close(self) -> None:
        """Close the connections to a service."""
        await self._connecting.close()

    async def status(self) -> Status:
        """Return how sync stands, with what waits counted."""
        return await self._database.read(read_status)

    async def devices(self) -> Account:
        """Return the account as the folder or the service shows it. Raises Refused, StorageError, VaultError."""
        here = await self.joined()
        return await (self.account.account() if here.hosted else self.folder.account(here))

    async def members(self) -> FolderSide | ServiceAccount:
        """Return what takes devices off and replaces the recovery key. Raises Refused where sync was never on."""
        return self.account if (await self.joined()).hosted else self.folder

    async def joined(self) -> Here:
        """Return what is known of the space. Raises Refused where the office does not sync."""
        here = await self.here()
        if here is None:
            raise Refused(_("This office does not sync: turn it on with “bureau sync on FOLDER”."))
        return here

    async def refuse_if_joined(self) -> None:
        """Raise Refused where the office syncs already."""
        if await self.here() is not None:
            raise Refused(_("This office syncs already: see “bureau sync status”."))

    async def _begin(
        self, member: Member, place: str, types: Collection[str] | None, *, founds: bool
    ) -> None:
        await self._item.write(member)
        await self._database.write(_begin, member, place, shapes() if types is None else types, founds)
        self._keeps_begun = True
        self._bus.publish(SyncSwitched())

    async def round(self, word: Word = NO_WORD) -> Round:
        """Do one round, within the turn, and remember how it ended. Raises Refused, StorageError, VaultError."""
        await self.joined()
        done = Round()
        self._under_way = asyncio.create_task(self._work(word, done), name="round of sync")
        try:
            went = await self._under_way
        except asyncio.CancelledError:
            if self._interrupted:
                raise Refused(_("This round was ended; what it did not do, the next one does.")) from None
            raise
        except (StorageError, VaultError) as error:
            await self._note(now(), str(error))
            await self._files.read_waiting()  # what had arrived whole before that
            raise
        finally:
            self._under_way, self._interrupted = None, False
            if done.touched:  # before it failed it may have brought much
                await tell(self._database, self._recall, self._bus, done)
        if not went:
            raise _paused()
        await self._note(now())
        await self._files.read_waiting()  # what has arrived
        return done

    async def _work(self, word: Word, done: Round) -> bool:
        """Do a round and fill ``done``; return whether sync is on at all.

        That is asked here, so that who switches it off meets either this task, to end it, or its question.
        """
        here = await self.here()
        if here is None or not here.enabled:
            return False
        if self._keeps_begun:
            # Before this device says anything: a backup from before must not join as one that was in use.
            await self._item.forget_begun()
            self._keeps_begun = False
        await (self._hosted_round if here.hosted else self._folder_round)(here, word, done)
        return True

    async def _note(self, at: int, fault: str = "") -> None:
        await self._database.write(space.note_round, at, fault)
        self._bus.publish(SyncChanged())

    def _interrupt(self) -> None:
        """End the round that is under way: it would be about what its owner has just given up."""
        if self._under_way is not None:
            self._interrupted = self._under_way.cancel()

    async def _folder_round(self, here: Here, word: Word, done: Round) -> None:
        member = await self.folder.renewed(here)
        done.damaged = self.folder.damaged
        carrier = FolderCarrier(here.folder, here.space_id, here.device_id)
        parts = self._parts(member, carrier, member.account.current_epoch(here.space_id))
        await self.folder.carry_over(here, member, parts.credentials)
        await reached(here.folder, check_pieces(parts))
        await reached(here.folder, _exchange(parts, word, done))
        await self.folder.clear_up(here, member)

    async def _hosted_round(self, here: Here, word: Word, done: Round) -> None:
        try:
            with reaching(here.place):
                await self._exchanged(here, word, done)
            await self._policy.look()
        except (AccountPurged, SpacePurged) as purged:
            await self.holdings.note_purge(purged)
            raise

    async def _exchanged(self, here: Here, word: Word, done: Round) -> None:
        for _try in range(_TRIES):
            calls, member = await self.account.renewed(await self.joined())
            carrier = HostedCarrier(calls, here.space_id)
            epoch = member.account.current_epoch(here.space_id)
            await _exchange(self._parts(member, carrier, epoch), word, done)
            try:
                await self.account.go_on(here, member)
                break
            except Behind:
                # What this device has just pushed is to be pulled as well.
                continue
            except DeletionPending as refusal:
                done.refusal = refusal
                break

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
            self.clock,
            self._blobs,
        )

    async def _erase(self, subjects: Sequence[Subject]) -> None:
        await self._erasing.erase(subjects)


async def _exchange(parts: Parts, word: Word, done: Round) -> None:
    await exchange(
        parts, confirmed=word.confirmed, missing=word.missing, generation=word.generation, done=done
    )


def _begin(session: Session, member: Member, place: str, types: Collection[str], founds: bool) -> None:
    if not founds and "agent" in types and is_untouched(session):
        # Nobody has worked with the presets here; those of the other devices take their places.
        session.execute(delete(AgentTable))
    space.begin(session, member.space_id, member.device.id, place, member.account, types=types, founds=founds)
    audit.append(session, "sync on", member.space_id, {"place": place})


def _paused() -> Refused:
    return Refused(_("Sync is paused: turn it on again with “bureau sync on”."))


def _switch(session: Session, enabled: bool) -> None:
    space.switch(session, enabled=enabled)
    audit.append(session, "sync on" if enabled else "sync off", "")


def _leave(session: Session) -> None:
    space.leave(session)
    audit.append(session, "sync left", "")
