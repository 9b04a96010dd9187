"""The account at a service, as one of its devices sees it: its devices, its keys, its recovery key."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from agents.events import EventBus, Notice
from agents.sync_service.connecting import Connecting, reaching
from agents.sync_service.device_item import DeviceItem
from memory import audit
from memory.database import Database
from memory.errors import Refused
from memory.identifiers import now
from memory.sync import space
from memory.sync.account import Account
from memory.sync.account_log import Writer
from memory.sync.enrolment import six_words
from memory.sync.membership import Member
from memory.sync.service import membership, rotation
from memory.sync.service.calls import Calls, Session
from memory.sync.service.enrolling import Admitting, WaitingDevice, waiting_devices
from memory.sync.service.log import AccountLog
from memory.sync.service.rotation import Rotated
from memory.sync.service.seen import DeviceSeen, devices_seen
from memory.sync.service.spaces import space_of
from memory.tables import SyncRecordTable
from resources.language import gettext as _

if TYPE_CHECKING:
    from agents.syncing import Here
    from memory.sync.exchange import Round


class Rounds(Protocol):
    """The office's rounds, of which only one is done at a time."""

    turn: asyncio.Lock

    async def joined(self) -> "Here":
        """Return what the office knows of its space. Raises Refused where it does not sync."""

    async def refuse_if_joined(self) -> None:
        """Raise Refused where the office syncs already."""

    async def round(self) -> "Round":
        """Do one round, within the turn."""

    async def enter(
        self,
        place: str,
        join: Callable[[], Awaitable[tuple[Member, bool]]],
        types: Collection[str] | None = None,
    ) -> "Round":
        """Become a device of a space that was joined or founded, and do the first round."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two screens must show alike before a device is let in."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, compared: bytes) -> "Comparison":
        """Return what is shown for the 32 bytes."""
        return cls(six_words(compared))


@dataclass(slots=True)
class _Connected:
    """The calls and the log of this device; made anew when it becomes another."""

    device_id: str
    calls: Calls
    log: AccountLog


class ServiceAccount:
    """What this device does in its account. Every call raises NotReached, StorageError or VaultError."""

    def __init__(
        self, database: Database, item: DeviceItem, connecting: Connecting, rounds: Rounds, bus: EventBus
    ) -> None:
        self._database, self._item, self._connecting = database, item, connecting
        self._rounds, self._bus = rounds, bus
        self._connected: _Connected | None = None
        self._admitting: Admitting | None = None
        self._let_in = ""
        self._settled: tuple[str, int] | None = None
        self.rotated: Rotated | None = None
        """What the last rotation of this run came to."""

    async def calls(self) -> Calls:
        """Return the calls of this device. Raises Refused where the office meets its devices in a folder."""
        return (await self._connect(await self._hosted())).calls

    async def space_id(self) -> str:
        """Return the space of this office."""
        return (await self._hosted()).space_id

    async def renewed(self, here: "Here") -> tuple[Calls, Member]:
        """Return calls and membership as they are now; keys that arrived are in the vault, the log is remembered."""
        connected, kept = await self._connect(here), await self._item.read()
        account = await connected.log.read()
        before = Member(kept.space_id, kept.device, kept.keys, account)
        member = await membership.renew(connected.calls, connected.log, before, here.log_n)
        await self._take(member, keys_changed=member.keys != before.keys)
        await self._tell_of_newcomers(member, here.log_n)
        return connected.calls, member

    async def account(self) -> Account:
        """Return the account as its log says now; nothing is changed here."""
        here = await self._hosted()
        with reaching(here.place):
            return await (await self._connect(here)).log.read()

    async def go_on(self, here: "Here", member: Member) -> None:
        """Renew the key of the space where a device was taken off, or finish what another device began.

        Raises `rotation.Behind` where this device is to pull first.
        """
        calls, epoch = (await self._connect(here)).calls, member.account.current_epoch(member.space_id)
        if rotation.is_due(member.account, member.space_id):
            member = await self._open_next(here, member)
        elif epoch == 1 or self._settled == (member.space_id, epoch):
            return
        elif await rotation.is_done(calls, await space_of(calls, member.space_id)):
            self._settled = (member.space_id, epoch)
            return
        self.rotated = await rotation.wrap_anew(calls, member, self._held)
        if self.rotated.wrapped:
            await self._database.write(audit.append, "sync key renewed", member.space_id)
        else:
            # What is left this device cannot carry over, so it need not look at it in every round.
            self._settled = (member.space_id, member.account.current_epoch(member.space_id))

    async def devices(self) -> tuple[DeviceSeen, ...]:
        """Return the devices of the account, with the day on which the service saw each last."""
        account, calls = await self.account(), await self.calls()
        with reaching(calls.session.url):
            return await devices_seen(calls, account)

    async def revoke(self, beginnings: Sequence[str]) -> "Round":
        """Take devices off the account, named by their ids or how these begin, then renew the key of the space.

        What is cut off is finished by the next round of any device. Raises Refused for a name that fits no or several
        active devices, or this one.
        """
        async with self._rounds.turn:
            here = await self._hosted()
            with reaching(here.place):
                _calls, member = await self.renewed(here)
                chosen = [chosen_device(member, beginning) for beginning in beginnings]
                await self._revoke(here, member, chosen)
                return await self._rounds.round()

    async def revoke_others(self, confirmed: Iterable[str] = ()) -> "Round":
        """Take every device off but this one and those that the owner confirmed: after everything was lost."""
        async with self._rounds.turn:
            here = await self._hosted()
            with reaching(here.place):
                _calls, member = await self.renewed(here)
                kept = {member.device.id, *(chosen_device(member, each) for each in confirmed)}
                others = [each.public.id for each in member.account.active() if each.public.id not in kept]
                await self._revoke(here, member, others)
                return await self._rounds.round()

    async def replace_recovery(self, recovery_key: bytes) -> None:
        """Put another recovery key, 32 new random bytes, in the place of the former one."""
        async with self._rounds.turn:
            here = await self._hosted()
            with reaching(here.place):
                calls, member = await self.renewed(here)
                log = (await self._connect(here)).log
                renewed = await membership.replace_recovery(calls, log, member, recovery_key, now())
            await self._take(renewed, keys_changed=False)
            await self._database.write(audit.append, "sync recovery key replaced", member.space_id)

    async def waiting(self) -> tuple[WaitingDevice, ...]:
        """Return the devices that want to join by this one."""
        here = await self._hosted()
        with reaching(here.place):
            return await waiting_devices((await self._connect(here)).calls)

    async def answer(self, waiting: WaitingDevice) -> None:
        """Answer a device that wants to join; each can be answered once."""
        here, kept = await self._hosted(), await self._item.read()
        with reaching(here.place):
            connected = await self._connect(here)
            admitting = Admitting(connected.calls, connected.log, kept.device, waiting)
            await admitting.answer()
        self._admitting = admitting

    async def compare(self) -> Comparison | None:
        """Return what both screens must show alike, None until the new device has revealed itself."""
        here = await self._hosted()
        with reaching(here.place):
            compared = await self._answered().compare()
        return None if compared is None else Comparison.of(compared)

    async def admit(self) -> None:
        """Let the device in that was answered: its owner saw the same words on both screens."""
        async with self._rounds.turn:
            here = await self._hosted()
            with reaching(here.place):
                device_id = await self._answered().admit(now())
        self._admitting, self._let_in = None, device_id
        await self._database.write(audit.append, "sync device added", device_id)

    def refuse(self) -> None:
        """Forget the device that was answered: the words differed."""
        self._admitting = None

    def forget(self) -> None:
        """Forget the session, because this office is no device any more."""
        self._connected = self._admitting = self._settled = None

    def _answered(self) -> Admitting:
        if self._admitting is None:
            raise Refused(_("No device is being let in: begin with “bureau sync admit”."))
        return self._admitting

    async def _hosted(self) -> "Here":
        here = await self._rounds.joined()
        if not here.hosted:
            raise Refused(_("This office meets your devices in a folder; that is only for a service."))
        return here

    async def _connect(self, here: "Here") -> _Connected:
        if self._connected is None or self._connected.device_id != here.device_id:
            kept, tokens = await self._item.read(), await self._item.read_tokens()
            session = Session(here.place, kept.device.id, kept.device.sign, tokens, self._item.write_tokens)
            calls = await self._connecting.calls(session)
            self._connected = _Connected(
                here.device_id, calls, AccountLog(calls, (here.log_n, here.log_head))
            )
        return self._connected

    async def _revoke(self, here: "Here", member: Member, device_ids: Sequence[str]) -> None:
        log, writer = (await self._connect(here)).log, Writer(member.device.id, member.device.sign)
        for device_id in device_ids:
            await log.append(
                lambda account, device_id=device_id: (  # type: ignore[misc]  # a default binds the loop
                    writer.revoke_device(account, device_id, now())
                    if account.device(device_id).active_at(account.n)
                    else None
                )
            )
            await self._database.write(audit.append, "sync device revoked", device_id)

    async def _open_next(self, here: "Here", member: Member) -> Member:
        connected = await self._connect(here)
        pulled_to = await self._database.read(_pulled_to)
        opened = await rotation.open_next(
            connected.calls, connected.log, member, now(), pulled_to=pulled_to, keep=self._item.write
        )
        await self._take(opened, keys_changed=False)
        return opened

    async def _take(self, member: Member, *, keys_changed: bool) -> None:
        if keys_changed:
            await self._item.write(member)
        epoch = member.account.current_epoch(member.space_id)
        await self._database.write(space.take_account, member.account, epoch)

    async def _tell_of_newcomers(self, member: Member, seen_n: int) -> None:
        """Tell the owner of devices that joined since the last round, but for this one and those it let in itself."""
        for device in member.account.active():
            if device.added > max(seen_n, 0) and device.public.id not in (member.device.id, self._let_in):
                await self._database.write(audit.append, "sync device joined", device.public.id)
                sentence = _("Another device joined your account ({id}).").format(id=device.public.id[:8])
                self._bus.publish(
                    Notice(sentence, _("If it is not yours, take it off at once: see the list of devices."))
                )

    async def _held(self, rids: Iterable[str]) -> Mapping[str, str]:
        return await self._database.read(_revisions, list(rids))


def chosen_device(member: Member, beginning: str) -> str:
    """Return the active device whose id begins so. Raises Refused for none or several, and for this one."""
    found = [each.public.id for each in member.account.active() if each.public.id.startswith(beginning)]
    if not beginning or len(found) != 1:
        raise Refused(
            _("“{id}” names no device of yours, or several: see “bureau sync devices”.").format(id=beginning)
        )
    if found[0] == member.device.id:
        raise Refused(
            _("That is this device: take it off from another one, or leave with “bureau sync leave”.")
        )
    return found[0]


def _pulled_to(session: Transaction) -> tuple[str, int]:
    here = space.of(session)
    position = here.position if here is not None else {}
    return str(position.get("generation", "")), int(position.get("after", 0))


def _revisions(session: Transaction, rids: Sequence[str]) -> dict[str, str]:
    chosen = select(SyncRecordTable.rid, SyncRecordTable.rev).where(SyncRecordTable.rid.in_(rids))
    return {row.rid: row.rev for row in session.execute(chosen)}
