"""Where faults of the window process end: one log without secrets, and one card for the owner."""

import logging
import sys
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import qInstallMessageHandler

from desktop.log_file import LogFile
from memory.locations import Locations
from vault import redaction

_LOG_BYTES = 2_000_000

log = logging.getLogger(__name__)


class Diagnostics:
    """Puts redaction on every path on which this process prints; ``remove`` restores what was there.

    ``report`` is called, on the thread of the fault, with each exception that nobody caught.
    """

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        self._report = report
        self._installation = redaction.install()
        self._hook_before = sys.excepthook
        sys.excepthook = self._uncaught
        self._qt_before = qInstallMessageHandler(redaction.qt_message)
        self._handler: logging.Handler | None = None

    def write_to(self, locations: Locations) -> None:
        """Log to files of the office from now on, crashes to one of their own. Raises OSError."""
        locations.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._installation.tell_crashes_to(locations.crash_log)
        handler = LogFile(locations.logs / "window.log", _LOG_BYTES)
        handler.setLevel(logging.INFO)
        logging.getLogger().addHandler(handler)
        self._handler = handler

    def remove(self) -> None:
        """Close the log file and give the hooks back."""
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
        qInstallMessageHandler(self._qt_before)
        sys.excepthook = self._hook_before
        self._installation.remove()

    def _uncaught(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("uncaught", exc_info=(kind, error, trace))
        self._report(error)
