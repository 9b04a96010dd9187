"""What its owner decides about sync: what takes part, which words stay where two devices differ, and what becomes of
what was removed without proof.
"""

from collections.abc import Collection, Sequence

from agents.events import EventBus, SyncChanged, SyncSwitched
from agents.lifecycle.erasing import Erasing
from agents.lifecycle.keeping import Keeping
from agents.notebook import Notebook
from agents.roster import Roster
from agents.syncing import Syncing
from memory.database import Database
from memory.errors import Refused
from memory.lifecycle.subjects import Subject
from memory.sync import aside, categories, conflicts, device_names, listing
from memory.sync.categories import Choice
from memory.sync.conflicts import Conflict
from memory.sync.device_names import DeviceName
from memory.sync.exchange import erase_each
from memory.sync.listing import Listed
from resources.language import gettext as _
from resources.language import ngettext


class SyncDecisions:
    """Each decision counts at once and is told to the faces."""

    def __init__(
        self,
        database: Database,
        roster: Roster,
        notes: Notebook,
        bus: EventBus,
        keeping: Keeping,
        erasing: Erasing,
        syncing: Syncing,
    ) -> None:
        self._database, self._roster, self._notes, self._bus = database, roster, notes, bus
        self._keeping, self._erasing, self._syncing = keeping, erasing, syncing

    async def choices(self) -> tuple[Choice, ...]:
        """Return which categories sync."""
        return await self._database.read(categories.choices)

    async def choose(self, names: Sequence[str]) -> None:
        """Let these categories sync and no other; see `categories.choose`. Raises Refused."""
        await self._database.write(categories.choose, names)
        self._bus.publish(SyncSwitched())

    async def conflicts(self) -> tuple[Conflict, ...]:
        """Return the words that lost and are not decided."""
        return await self._database.read(conflicts.conflicts)

    async def take_back(self, conflict_id: str) -> None:
        """Let the words that lost stand again, as an edit like any other, and take them off the list.

        What they replace stays as an earlier form: of an agent in its history, of a note as its former version.
        Raises NotFound, or Refused where such words are never changed.
        """
        one = await self._database.read(conflicts.conflict, conflict_id)
        if one.type == "agent" and one.reason == "text":
            await self._roster.change(one.local_id, **{one.field: one.lost})
        elif one.type == "note" and one.reason == "text":
            await self._notes.change(one.local_id, one.lost)
        else:
            raise Refused(_("What was said stays as it was said: copy these words where you want them."))
        await self.dismiss(conflict_id)

    async def dismiss(self, conflict_id: str) -> Conflict:
        """Take a conflict off the list and return it for `put_back`. Raises NotFound."""
        found = await self._database.write(conflicts.dismiss, conflict_id)
        self._bus.publish(SyncChanged())
        return found

    async def put_back(self, one: Conflict) -> None:
        """List again what was dismissed. Raises NotFound where its thing was erased meanwhile."""
        await self._database.write(conflicts.put_back, one)
        self._bus.publish(SyncChanged())

    async def set_aside(self) -> tuple[Listed, ...]:
        """Return what was removed without proof and lies in the trash for its days, the latest first."""
        return await self._database.read(listing.set_aside)

    async def apart(self) -> tuple[Listed, ...]:
        """Return what does not sync as everything else does: see `listing.APART`."""
        return await self._database.read(listing.apart)

    async def bring_back(self, rids: Collection[str] | None = None) -> None:
        """Show again what was set aside, None for all of it; in the next round it is offered to the other devices."""
        async with self._syncing.turn:
            await self._keeping.bring_back(await self._database.write(aside.take_back, rids))
        self._bus.publish(SyncChanged())

    async def let_go(self, rids: Collection[str] | None = None) -> int:
        """Erase here what was set aside, None for all of it, and return how many things; no device is told.

        Raises Refused where something stays, because a hold keeps it or something in it is live elsewhere; the rest is
        erased all the same.
        """
        async with self._syncing.turn:
            gone = await self._database.write(aside.let_go, rids)
            erased, left = await erase_each(self._erase, gone)
            left += sum(rids is None or each.rid in rids for each in await self.set_aside())
        self._bus.publish(SyncChanged())
        if left:
            raise Refused(
                ngettext(
                    "{count} thing stays: a hold keeps it, or something in it is still on your other devices.",
                    "{count} things stay: a hold keeps them, or something in them is still on your other devices.",
                    left,
                ).format(count=left)
            )
        return erased

    async def _erase(self, subjects: Sequence[Subject]) -> None:
        await self._erasing.erase(subjects)

    async def device_names(self) -> dict[str, DeviceName]:
        """Return how the owner calls the devices that have told of themselves, by their ids."""
        return await self._database.read(device_names.names)

    async def name_device(self, name: str, beginning: str = "") -> DeviceName:
        """Call a device so on every device: the one whose id begins so, this one where nothing is given.

        An empty name takes it away. Raises Refused for a beginning that fits no device or several, and as
        `device_names.name`.
        """
        here = await self._syncing.joined()
        known = {here.device_id, *await self.device_names()}
        found = [each for each in known if each.startswith(beginning or here.device_id)]
        if len(found) != 1:
            raise Refused(
                _(
                    "“{id}” names no device that has told of itself here, or several: run “bureau sync now”, then see "
                    "“bureau sync devices”."
                ).format(id=beginning)
            )
        named = await self._database.write(device_names.name, found[0], name)
        self._bus.publish(SyncChanged())
        return named
