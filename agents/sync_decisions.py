"""What its owner decides about sync: which categories take part, and which words stay where two devices differ."""

from collections.abc import Sequence

from agents.events import EventBus, SyncChanged, SyncSwitched
from agents.notebook import Notebook
from agents.roster import Roster
from memory.database import Database
from memory.errors import Refused
from memory.sync import categories, conflicts
from memory.sync.categories import Choice
from memory.sync.conflicts import Conflict
from resources.language import gettext as _


class SyncDecisions:
    """Each decision counts at once and is told to the faces."""

    def __init__(self, database: Database, roster: Roster, notes: Notebook, bus: EventBus) -> None:
        self._database, self._roster, self._notes, self._bus = database, roster, notes, bus

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
