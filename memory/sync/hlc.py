"""Hybrid logical clocks: a total order of edits that follows the wall clock without depending on it."""

from dataclasses import dataclass, replace
from typing import NamedTuple

LAST_MS = 2**48 - 1
LAST_COUNTER = 2**16 - 1
FAR_AHEAD = 24 * 3_600_000
"""A stamp so many milliseconds ahead of this device's clock is taken, but does not move the clock."""


class Stamp(NamedTuple):
    """When and where a field was written. The larger of two stamps wins; ``device`` is an id."""

    ms: int
    counter: int
    device: str

    def next(self, device: str) -> "Stamp":
        """Return the smallest later stamp of a device. At the end of time it stays there."""
        return Stamp(*_next(self.ms, self.counter), device)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one device. It never goes back; each method returns what the clock becomes."""

    device: str
    ms: int = 0
    counter: int = 0

    @property
    def stamp(self) -> Stamp:
        """What the clock reads."""
        return Stamp(self.ms, self.counter, self.device)

    def tick(self, now: int) -> "Clock":
        """Return a later reading, at the wall clock's ``now`` if that is ahead."""
        wall = min(max(now, 0), LAST_MS)
        ms, counter = (wall, 0) if wall > self.ms else _next(self.ms, self.counter)
        return replace(self, ms=ms, counter=counter)

    def heard(self, stamp: Stamp, now: int) -> "Clock":
        """Return a reading no earlier than a stamp that arrived, unless that is far ahead of ``now``."""
        if is_far_ahead(stamp, now) or stamp[:2] <= (self.ms, self.counter):
            return self
        return replace(self, ms=stamp.ms, counter=stamp.counter)

    def edit(self, now: int, former: Stamp | None = None) -> tuple["Clock", Stamp]:
        """Return the clock and the stamp of an edit of a field that had the stamp ``former``.

        The stamp is the later of the clock and the one after ``former``, so an edit always beats what it replaces,
        however far ahead the device was that wrote that.
        """
        clock = self.tick(now)
        return clock, clock.over(former)

    def over(self, former: Stamp | None) -> Stamp:
        """Return the stamp that a field gets at this reading, where it had the stamp ``former``."""
        return self.stamp if former is None else max(self.stamp, former.next(self.device))


def is_far_ahead(stamp: Stamp, now: int) -> bool:
    """Whether a stamp is so far ahead that the owner should hear of a wrong clock."""
    return stamp.ms > now + FAR_AHEAD


def _next(ms: int, counter: int) -> tuple[int, int]:
    if counter < LAST_COUNTER:
        return ms, counter + 1
    return (ms + 1, 0) if ms < LAST_MS else (ms, counter)
