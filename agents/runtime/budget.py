"""Caps that reserve before they spend, so that runs side by side cannot pass a cap together."""

from dataclasses import dataclass, field

from agents.errors import CapReached
from agents.money import dollars
from resources.language import gettext as _

WARN_AT = 0.8
_PURSES = ("run", "agent", "day")


@dataclass(frozen=True, slots=True)
class Caps:
    """Millionths of a dollar; None is no cap. ``agent_day`` and ``office_day`` hold for the owner's day."""

    run: int | None = None
    agent_day: int | None = None
    office_day: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a cap at all."""
        return not (self.run is None and self.agent_day is None and self.office_day is None)


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """Money set aside for one model request, in millionths of a dollar."""

    run_id: str
    agent_id: str
    day: str
    amount: int
    caps: Caps


@dataclass(slots=True)
class _Purse:
    """What one run, one agent's day or the office's day has spent, and what is set aside for it."""

    spent: int = 0
    reserved: int = 0
    warned: bool = False


@dataclass(slots=True)
class Budget:
    """The office's purses. It has no await between looking and reserving, so it needs no lock on the one loop."""

    _purses: dict[tuple[str, str, str], _Purse] = field(default_factory=dict)
    _open: set[Reservation] = field(default_factory=set)
    _begun: set[str] = field(default_factory=set)

    def has_begun(self, day: str) -> bool:
        """Whether it is known what was spent on a day before this process reserves for it."""
        return day in self._begun

    def begin_day(self, day: str, spent_by_agent: dict[str, int]) -> None:
        """Take over what the ledger says was spent on a day.

        A day already begun only grows: checks of keys stand in the ledger alone, and what a run has just settled
        may not stand there yet.
        """
        self._begun.add(day)
        office = self._purse("day", day, "")
        office.spent = max(office.spent, sum(spent_by_agent.values()))
        for agent_id, spent in spent_by_agent.items():
            purse = self._purse("agent", day, agent_id)
            purse.spent = max(purse.spent, spent)

    def begin_run(self, run_id: str, spent: int) -> None:
        """Take over what a run had spent before; needed for a resumed run."""
        self._purse("run", "", run_id).spent = spent

    def end_run(self, run_id: str) -> None:
        """Give back what the run still holds and forget its purse."""
        for reservation in [one for one in self._open if one.run_id == run_id]:
            self.settle(reservation, 0)
        self._purses.pop(("run", "", run_id), None)

    def spent(self, run_id: str) -> int:
        """Return what the run has spent."""
        return self._purse("run", "", run_id).spent

    def reserved(self, run_id: str) -> int:
        """Return what is set aside for the run."""
        return self._purse("run", "", run_id).reserved

    def room(self, run_id: str, agent_id: str, day: str, caps: Caps) -> int | None:
        """Return how much may still be reserved; None without a cap."""
        left = [
            cap - purse.spent - purse.reserved
            for purse, cap, _name in self._capped(run_id, agent_id, day, caps)
            if cap is not None
        ]
        return max(0, min(left)) if left else None

    def reserve(self, run_id: str, agent_id: str, day: str, amount: int, caps: Caps) -> Reservation:
        """Set the worst case of one request aside. Raises CapReached and sets nothing aside if it does not fit."""
        for kind, (purse, cap, name) in zip(_PURSES, self._capped(run_id, agent_id, day, caps), strict=True):
            if cap is not None and purse.spent + purse.reserved + amount > cap:
                raise CapReached(
                    _(
                        "The cap {name} of {cap} leaves {left}, the next request may cost {amount}: "
                        "raise the cap, then resume the run."
                    ).format(
                        name=name,
                        cap=dollars(cap),
                        left=dollars(max(0, cap - purse.spent - purse.reserved)),
                        amount=dollars(amount),
                    ),
                    kind,
                )
        reservation = Reservation(run_id, agent_id, day, amount, caps)
        for purse, _cap, _name in self._capped(run_id, agent_id, day, caps):
            purse.reserved += amount
        self._open.add(reservation)
        return reservation

    def settle(self, reservation: Reservation, cost: int) -> list[str]:
        """Replace a reservation by what the request cost; returns a sentence for each cap that passed 80 %.

        Settling twice changes nothing.
        """
        if reservation not in self._open:
            return []
        self._open.discard(reservation)
        warnings = []
        for purse, cap, name in self._capped(
            reservation.run_id, reservation.agent_id, reservation.day, reservation.caps
        ):
            purse.reserved -= reservation.amount
            purse.spent += cost
            if cap and not purse.warned and purse.spent >= WARN_AT * cap:
                purse.warned = True
                warnings.append(
                    _("{spent} of the cap {name} of {cap} are spent.").format(
                        spent=dollars(purse.spent), name=name, cap=dollars(cap)
                    )
                )
        return warnings

    def _capped(
        self, run_id: str, agent_id: str, day: str, caps: Caps
    ) -> list[tuple[_Purse, int | None, str]]:
        return [
            (self._purse(_PURSES[0], "", run_id), caps.run, _("per run")),
            (self._purse(_PURSES[1], day, agent_id), caps.agent_day, _("of this agent per day")),
            (self._purse(_PURSES[2], day, ""), caps.office_day, _("of the office per day")),
        ]

    def _purse(self, kind: str, day: str, identity: str) -> _Purse:
        return self._purses.setdefault((kind, day, identity), _Purse())
