"""One timer for all live answers: 30 times a second for what is seen, twice for what is not, else stopped."""

from typing import Protocol

from PySide6.QtCore import QObject, Qt, QTimer

SEEN_MS = 33
UNSEEN_MS = 500


class Flushable(Protocol):
    """Something that gathers changes and shows them when told."""

    @property
    def seen(self) -> bool:
        """Tell whether anybody can see it now."""

    def flush(self) -> None:
        """Show what was gathered."""


class FlushClock(QObject):
    """Calls ``flush`` of everything that asked since the last tick."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[Flushable, None] = {}
        self._unseen_ms = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)

    @property
    def running(self) -> bool:
        """Tell whether the timer runs; it stands still when nothing streams."""
        return self._timer.isActive()

    @property
    def interval(self) -> int:
        """Return the present interval in milliseconds."""
        return self._timer.interval()

    def request(self, target: Flushable) -> None:
        """Ask for a flush at the next tick."""
        self._waiting[target] = None
        wanted = SEEN_MS if target.seen else UNSEEN_MS
        if not self._timer.isActive():
            self._unseen_ms = 0
            self._timer.start(wanted)
        elif wanted < self._timer.interval():
            self._timer.start(wanted)

    def forget(self, target: Flushable) -> None:
        """Drop a target that is going away."""
        self._waiting.pop(target, None)

    def tick(self) -> None:
        """Flush what is due."""
        self._unseen_ms += self._timer.interval()
        slow = self._unseen_ms >= UNSEEN_MS
        if slow:
            self._unseen_ms = 0
        due = [target for target in self._waiting if slow or target.seen]
        for target in due:
            self._waiting.pop(target, None)
            target.flush()
        if not self._waiting and not due:
            self._timer.stop()
        elif due and not any(target.seen for target in (*due, *self._waiting)):
            self._timer.setInterval(UNSEEN_MS)


_clock: FlushClock | None = None


def flush_clock() -> FlushClock:
    """Return the one clock of this process."""
    global _clock
    if _clock is None:
        _clock = FlushClock()
    return _clock
