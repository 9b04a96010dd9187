"""Whether the clock of this device is ahead of the others': what ends by its age would end early, on every device.

A service tells its time with each answer. In a folder nobody does; there it counts how near a stamp of another device
has ever come to this clock. None may have, because the others are idle, so the owner can say that the clock is right.
"""

from collections.abc import Iterable

from sqlalchemy import update
from sqlalchemy.orm import Session

from memory.lifecycle.trash import DAY
from memory.sync import space
from memory.tables import SyncSpaceTable

MOST_AHEAD, MOST_IDLE = DAY, 4 * DAY
"""So far ahead of a service's clock, and of the last that other devices wrote, a clock may be."""


def compare_with_service(here: SyncSpaceTable, at: int, service_at: int) -> None:
    """Note the clock of this device as it is against that of the service now, both in milliseconds UTC."""
    _note(here, at - service_at, MOST_AHEAD)


def compare_with_stamps(here: SyncSpaceTable, at: int, stamps: Iterable[int]) -> None:
    """Note how near the clock of this device is to stamps of other devices, in milliseconds UTC.

    A stamp that is more than a day ahead vouches for nothing: then it is the other clock that is doubtful.
    """
    latest = max((each for each in stamps if each <= at + DAY), default=None)
    if latest is not None and (here.clock_ahead is None or at - latest < here.clock_ahead):
        _note(here, at - latest, MOST_IDLE)


def ahead(session: Session) -> int:
    """Return by how many milliseconds this clock is ahead, 0 where by no more than it may be or nothing is known."""
    here = space.of(session)
    return here.clock_ahead or 0 if here is not None else 0


def trust(session: Session) -> None:
    """Take the owner's word that the clock is right; a service is asked again in the next round."""
    session.execute(update(SyncSpaceTable).values(clock_ahead=0))


def _note(here: SyncSpaceTable, difference: int, most: int) -> None:
    found = difference if difference > most else 0
    if found != here.clock_ahead:
        here.clock_ahead = found
