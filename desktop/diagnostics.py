"""Where faults of the window process end: one log without secrets, and one card for the owner."""

import logging
import logging.handlers
import sys
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import qInstallMessageHandler

from memory.locations import Locations
from vault import redaction

_LOG_BYTES = 2_000_000
_LOG_FILES = 5

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
        """Log to a file of the office from now on. Raises OSError."""
        locations.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            locations.logs / "window.log",
            maxBytes=_LOG_BYTES,
            backupCount=_LOG_FILES - 1,
            encoding="utf-8",
            delay=True,
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handler.setLevel(logging.INFO)
        handler.addFilter(redaction.RedactingFilter())
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
