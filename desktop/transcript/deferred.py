"""Work that may wait for the next turns of the loop (highlighting), a few milliseconds at a time."""

from collections.abc import Callable
from time import perf_counter

from PySide6.QtCore import QObject, QTimer

BUDGET = 0.006


class Deferred(QObject):
    """Runs jobs in order between frames; a later job of the same owner replaces the earlier."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: dict[int, Callable[[], None]] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._turn)

    def ask(self, owner: object, job: Callable[[], None]) -> None:
        """Run a job soon."""
        self._jobs[id(owner)] = job
        if not self._timer.isActive():
            self._timer.start()

    def forget(self, owner: object) -> None:
        """Drop the job of an owner."""
        self._jobs.pop(id(owner), None)

    def run_all(self) -> None:
        """Run everything now (before a picture is taken)."""
        while self._jobs:
            self._jobs.pop(next(iter(self._jobs)))()

    def _turn(self) -> None:
        end = perf_counter() + BUDGET
        while self._jobs and perf_counter() < end:
            self._jobs.pop(next(iter(self._jobs)))()
        if not self._jobs:
            self._timer.stop()


_deferred: Deferred | None = None


def deferred() -> Deferred:
    """Return the one queue of this process."""
    global _deferred
    if _deferred is None:
        _deferred = Deferred()
    return _deferred
