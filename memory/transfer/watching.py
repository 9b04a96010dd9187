"""How far an export or import is, and whether its owner wants it to go on."""

from collections.abc import Callable
from threading import Lock
from typing import Protocol

from memory.transfer.errors import TransferCancelled
from resources.language import gettext as _


class Progress(Protocol):
    """Is told bytes done of a total that is close to true; called from a thread that works."""

    def __call__(self, done: int, total: int) -> None: ...


class Watch:
    """Passes on how far the work is, and ends it by TransferCancelled once ``cancelled`` says so."""

    def __init__(
        self, progress: Progress | None = None, cancelled: Callable[[], bool] | None = None, total: int = 0
    ) -> None:
        self.total = total
        self._done = 0
        self._lock = Lock()
        self._progress = progress
        self._cancelled = cancelled

    def advance(self, amount: int) -> None:
        """Note that so many more bytes are done; any thread may. Raises TransferCancelled."""
        if self._cancelled is not None and self._cancelled():
            raise TransferCancelled(_("Stopped. Nothing was changed."))
        with self._lock:
            self._done += amount
            if self._progress is not None:
                self._progress(min(self._done, self.total), self.total)
