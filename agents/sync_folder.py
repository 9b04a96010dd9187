"""The account of an office whose devices meet in a folder: its devices, its keys, its recovery key."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from agents.events import EventBus, Notice
from agents.sync_recovery import Put, Recovery
from agents.sync_service.account import Rounds, chosen_device
from agents.sync_service.device_item import DeviceItem
from memory import audit
from memory.database import Database
from memory.disk import told_by_system
from memory.errors import DiskFull, Refused
from memory.identifiers import now
from memory.sync import folder_membership, folder_rotation, space
from memory.sync.account import Account
from memory.sync.carrying_over import carry_over
from memory.sync.envelope import Signer
from memory.sync.folder import FolderCarrier, is_behind
from memory.sync.folder_account import require_writable, spaces
from memory.sync.folder_membership import Seen
from memory.sync.folder_watch import look
from memory.sync.known import carried, revisions
from memory.sync.membership import Member
from memory.sync.recovery import RecoveryPublic
from memory.sync.service.rotation import Rotated, is_due
from memory.sync.space import Credentials
from memory.sync.space_keys import SpaceKeys
from resources.language import gettext as _

if TYPE_CHECKING:
    from agents.syncing import Here
    from memory.sync.exchange import Round

P = ParamSpec("P")
T = TypeVar("T")

_TRIES = 3
"""So often a round begins to renew the key anew because the list of devices changed meanwhile."""


class FolderSide:
    """What this device does in an account that lies in a folder. Calls raise Refused, StorageError or VaultError."""

    def __init__(
        self, database: Database, item: DeviceItem, rounds: Rounds, bus: EventBus, recovery: Recovery
    ) -> None:
        self._database, self._item, self._rounds, self._bus = database, item, rounds, bus
        self._recovery = recovery
        self._settled: tuple[str, bytes] | None = None
        self._looked: object = None
        self._shut: frozenset[str] = frozenset()
        self.damaged: tuple[str, ...] = ()
        """The files of the account log that were found damaged last."""
        self.rotated: Rotated | None = None
        """What the last rotation of this run came to."""

    async def account(self, here: "Here") -> Account:
        """Return the account as the folder shows it; nothing is changed."""
        log = await reach(here.folder, folder_membership.read, here.folder, here.space_id, _seen(here))
        self.damaged = log.told()
        return log.resolved.account

    async def renewed(self, here: "Here") -> Member:
        """Return this device's membership as it is now, with another key of the space where one is due."""
        member = await self._changed(here, folder_membership.renew, now())
        await self._tell_of_newcomers(member, here.log_n)
        member = await self._recovery.go_on(member, self._put(here))
        for _try in range(_TRIES):
            if not is_due(member.account, member.space_id):
                break
            member = await self._open_next(here, member)
        return member

    async def carry_over(self, here: "Here", member: Member, credentials: Credentials) -> None:
        """Bring what lies in the folder under the current key, before this device sends what that comes to.

        Once for each state of the account: whatever was cut off is found by the next start.
        """
        state = (member.device.id, member.account.head)
        if state == self._settled or (
            member.account.current_epoch(member.space_id) == 1 and not _left(member)
        ):
            return
        wrapped, shut = await reach(here.folder, folder_rotation.wrap_own_anew, here.folder, member)
        orphaned = await reach(here.folder, folder_rotation.orphaned, here.folder, member)
        carried = await self._database.write(
            carry_over, credentials, now(), shut=shut, orphans=orphaned.puts, erased=orphaned.erased
        )
        self.rotated = Rotated(member, wrapped + carried, ())
        self._shut = shut
        self._settled = state

    async def clear_up(self, here: "Here", member: Member) -> None:
        """Remove what nothing needs any more, as far as the folder shows: this device's wraps of former keys, and its
        revisions that do not open where those of another device took their place in this round."""
        if self._shut:
            held = await self._database.read(revisions, self._shut)
            await reach(here.folder, folder_rotation.remove_shut, here.folder, member, held)
            self._shut = frozenset()
        looked = await asyncio.to_thread(look, here.folder, here.space_id, "")
        if looked == self._looked:
            return
        await reach(here.folder, folder_rotation.remove_former_wraps, here.folder, member)
        self._looked = looked

    async def move(self, there: "Here") -> None:
        """Let the devices meet in the folder that ``there`` names; what of this device is not there is sealed anew.

        Raises Refused unless the same space lies there, with all that this device has read.
        """
        folder, space_id = there.folder, there.space_id
        await reach(folder, require_writable, folder)
        if space_id not in await reach(folder, spaces, folder):
            raise Refused(
                _("{path} does not hold this office: choose the folder that was moved.").format(path=folder)
            )
        account = await self.account(there)
        active = [device.public.id for device in account.active()]
        position = await self._database.read(space.position)
        if await reach(folder, is_behind, folder / space_id, position, active):
            sentence = _(
                "What lies in {path} is older than what this device has read: wait until it is there whole, or choose "
                "the folder that was moved."
            )
            raise Refused(sentence.format(path=folder))
        member = await self.renewed(there)
        own, erased = await self._database.read(carried)
        carrier = FolderCarrier(folder, space_id, there.device_id)
        lacking = await reach(folder, carrier.lacking_own, own)
        ordered = await reach(folder, folder_rotation.ordered_erased, folder, member)
        await reach(folder, carrier.leave_numbers_out)
        keys = SpaceKeys(space_id, *member.keys)
        signer = Signer(member.device.id, member.device.sign)
        credentials = Credentials(signer, keys, member.account.current_epoch(space_id))
        await self._database.write(_move, there.place, credentials, lacking, erased - ordered)

    async def revoke(self, beginnings: Sequence[str]) -> "Round":
        """Take devices off the account, named by their ids or how these begin, then renew the key of the space.

        What is cut off is finished by the next round of any device. Raises Refused for a name that fits no or several
        active devices, or this one.
        """
        return await self._take_off(
            lambda member: [chosen_device(member, beginning) for beginning in beginnings]
        )

    async def revoke_others(self, confirmed: Iterable[str] = ()) -> "Round":
        """Take every device off but this one and those that the owner confirmed: after everything was lost."""

        def others(member: Member) -> list[str]:
            kept = {member.device.id, *(chosen_device(member, each) for each in confirmed)}
            return [each.public.id for each in member.account.active() if each.public.id not in kept]

        return await self._take_off(others)

    async def require_in(self) -> None:
        """Raise what would keep this device from changing the account now."""
        async with self._rounds.turn:
            await self._changed(await self._rounds.joined(), folder_membership.renew, now())

    async def replace_recovery(self, recovery_key: bytes) -> None:
        """Put another recovery key, 32 new random bytes, in the place of the former one: see `Recovery.replace`."""
        async with self._rounds.turn:
            here = await self._rounds.joined()

            async def renew() -> Member:
                return await self._changed(here, folder_membership.renew, now())

            await self._recovery.replace(recovery_key, renew, self._put(here))

    def _put(self, here: "Here") -> Put:
        async def put(_member: Member, public: RecoveryPublic) -> Account:
            return (await self._changed(here, folder_membership.replace_recovery, now(), public)).account

        return put

    async def _take_off(self, choose: Callable[[Member], Sequence[str]]) -> "Round":
        async with self._rounds.turn:
            here = await self._rounds.joined()
            chosen = choose(await self._changed(here, folder_membership.renew, now()))
            # What the device wrote until now is to be held here before it is off: later nobody takes it.
            await self._rounds.round()
            here = await self._rounds.joined()
            await self._changed(here, folder_membership.revoke, now(), chosen)
            for device_id in chosen:
                await self._database.write(audit.append, "sync device revoked", device_id)
            return await self._rounds.round()

    async def _open_next(self, here: "Here", member: Member) -> Member:
        loop = asyncio.get_running_loop()

        def keep(with_key: Member) -> None:
            asyncio.run_coroutine_threadsafe(self._item.write(with_key), loop).result()

        seen = (member.account.n, member.account.head)
        opened = await reach(here.folder, folder_membership.open_next, here.folder, member, seen, now(), keep)
        await self._take(opened, keys_changed=True)
        await self._database.write(audit.append, "sync key renewed", member.space_id)
        return opened

    async def _changed(
        self,
        here: "Here",
        work: Callable[Concatenate[Path, Member, Seen, int, P], Member],
        at: int,
        *more: P.args,
        **named: P.kwargs,
    ) -> Member:
        """Do something to the membership, then keep what came of it."""
        kept = await self._item.read()
        before = Member(kept.space_id, kept.device, kept.keys, await self.account(here))
        member = await reach(here.folder, work, here.folder, before, _seen(here), at, *more, **named)
        await self._take(member, keys_changed=member.keys != before.keys)
        return member

    async def _take(self, member: Member, *, keys_changed: bool) -> None:
        if keys_changed:
            await self._item.write(member)
        epoch = member.account.current_epoch(member.space_id)
        await self._database.write(space.take_account, member.account, epoch)

    async def _tell_of_newcomers(self, member: Member, seen_n: int) -> None:
        """Tell the owner of devices that joined since the last round, but for this one."""
        for device in member.account.active():
            if device.added > max(seen_n, 0) and device.public.id != member.device.id:
                await self._database.write(audit.append, "sync device joined", device.public.id)
                sentence = _("Another device joined your account ({id}).").format(id=device.public.id[:8])
                self._bus.publish(
                    Notice(sentence, _("If it is not yours, take it off at once: see the list of devices."))
                )


async def reach(folder: Path, work: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
    """Do something that blocks in a folder. Raises Refused where that cannot be used."""
    return await reached(folder, asyncio.to_thread(work, *arguments, **more))


async def reached(folder: Path, work: Awaitable[T]) -> T:
    """Wait for something that is done in a folder. Raises Refused where that cannot be used, DiskFull."""
    try:
        return await work
    except OSError as error:
        if isinstance(full := told_by_system(error, folder), DiskFull):
            raise full from error
        sentence = _(
            "The folder {path} cannot be used: see that it is there and can be written. Nothing was lost."
        )
        raise Refused(sentence.format(path=folder)) from error


def _seen(here: "Here") -> Seen:
    return here.log_n, here.log_head


def _move(
    session: Session,
    place: str,
    credentials: Credentials,
    lacking: AbstractSet[str],
    unordered: AbstractSet[str],
) -> None:
    space.move(session, place)
    carry_over(session, credentials, now(), shut=lacking, orphans={}, erased=unordered)
    audit.append(session, "sync folder moved", "", {"place": place})


def _left(member: Member) -> bool:
    return any(device.revoked is not None for device in member.account.devices.values())
