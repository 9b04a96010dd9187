"""Another recovery key of the account takes the place of the former one, however often that is cut off.

Its owner notes the words first. What others may know of the key is kept until the account has it, so that the next
round goes on: the words on paper never stay without use, and never hold unseen.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from agents.events import EventBus, Notice
from agents.sync_service.device_item import DeviceItem, RecoveryChange
from memory import audit
from memory.database import Database
from memory.errors import Refused, StorageError
from memory.sync.account import Account
from memory.sync.membership import Member
from memory.sync.recovery import RecoveryKeys, RecoveryPublic
from memory.sync.service.faults import AccountPurged, DeviceRevoked, SpacePurged
from resources.language import gettext as _
from vault.errors import VaultError

Put = Callable[[Member, RecoveryPublic], Awaitable[Account]]
"""Puts another recovery key into the account of a member, and returns that as it is then."""


class RecoveryWaits(Refused):
    """The new recovery key was noted by its owner, and comes into force with a later round."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(
            _(
                "Keep both recovery keys for now: the new one takes the place of the former one in the next round "
                "that goes well. {reason}"
            ).format(reason=reason)
        )


class Recovery:
    """The change of the recovery key that is under way, if one is. Calls raise VaultError, StorageError."""

    def __init__(self, database: Database, item: DeviceItem, bus: EventBus) -> None:
        self._database, self._item, self._bus = database, item, bus
        self._change: RecoveryChange | None = None
        self._looked = False

    async def waits(self) -> bool:
        """Whether a new recovery key that its owner has noted is not in force yet, as far as is known here."""
        return await self._under_way() is not None

    async def replace(self, recovery_key: bytes, renew: Callable[[], Awaitable[Member]], put: Put) -> None:
        """Put another recovery key, 32 new random bytes, in the place of the former one.

        Raises Refused where the former one holds on, RecoveryWaits where the next round goes on.
        """
        public = RecoveryKeys.of(recovery_key).public
        try:
            member = await renew()
            change = RecoveryChange(public, member.account.recovery)
            await self._item.write_change(change)
        except (StorageError, VaultError) as error:
            raise _not_taken(error) from error
        self._change, self._looked = change, True
        try:
            account = await put(member, public)
        except (DeviceRevoked, AccountPurged, SpacePurged) as gone:
            await self._forget()
            raise _not_taken(gone) from gone
        except (StorageError, VaultError) as error:
            raise RecoveryWaits(error) from error
        await self._settle(account)

    async def go_on(self, member: Member, put: Put) -> Member:
        """Do in a round what was cut off, and tell what came of it; return the membership as it is then."""
        change = await self._under_way()
        if change is None:
            return member
        if member.account.recovery == change.former:
            member = replace(member, account=await put(member, change.new))
        if await self._settle(member.account):
            sentence, fix = _("The new recovery key holds; the former one is worth nothing."), ""
        else:
            # Who made it did not know of the words that were noted here, so those give way.
            sentence = _("Another recovery key was made on another device: the one shown there holds.")
            fix = _("The words that were shown on this device last are worth nothing.")
        self._bus.publish(Notice(sentence, fix))
        return member

    def forget(self) -> None:
        """Think of no change any more: this office has left, and its items are gone."""
        self._change = None

    async def _settle(self, account: Account) -> bool:
        """Forget what was under way; return whether the account has the new key."""
        change = self._change
        await self._forget()
        if change is None or account.recovery != change.new:
            return False
        await self._database.write(audit.append, "sync recovery key replaced", "")
        return True

    async def _under_way(self) -> RecoveryChange | None:
        if not self._looked:
            self._change, self._looked = await self._item.read_change(), True
        return self._change

    async def _forget(self) -> None:
        await self._item.forget_change()
        self._change = None


def _not_taken(reason: Exception) -> Refused:
    sentence = _("The former recovery key still holds, for the new one was not taken: {reason}")
    return Refused(sentence.format(reason=reason))
