"""The office's logs: a file for each day, so that the daily round can let old days go."""

import logging
import logging.handlers
import sys
from datetime import date
from io import TextIOWrapper
from pathlib import Path

from vault.redaction import RedactingFilter

_FILES = 31
"""The present file and those of the days before that the daily round leaves."""


class LogFile(logging.handlers.RotatingFileHandler):
    """A log without secrets that begins a new file each day and at ``most`` bytes.

    A full or read-only disk may cut it short; it says nothing of that, because whoever works tells of it.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._day = date.today()
        super().__init__(path, maxBytes=most, backupCount=_FILES - 1, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.addFilter(RedactingFilter())

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Whether the file is full, or what stands in it is of another day than the record."""
        if self.stream is None:
            self.stream = self._open()
        return self._day != date.fromtimestamp(record.created) or bool(super().shouldRollover(record))

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop a line that the disk refused; any other fault is reported as the library does."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        status = path.stat() if path.exists() else None
        self._day = date.fromtimestamp(status.st_mtime) if status and status.st_size else date.today()
        return super()._open()
