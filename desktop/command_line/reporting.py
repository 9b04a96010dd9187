"""Where the faults of a command end: one sentence on stderr, and what a developer needs in the office's log."""

import contextlib
import logging
import logging.handlers
import sys
from collections.abc import Iterator

from desktop.command_line.options import GlobalOptions
from memory.locations import Locations
from resources.language import gettext as _
from vault.redaction import RedactingFilter, redact

_LOG = "terminal.log"
_LOG_BYTES = 1_000_000
_LOG_FILES = 3

log = logging.getLogger(__name__)


@contextlib.contextmanager
def logging_to(locations: Locations) -> Iterator[None]:
    """Log to a file of the office, without secrets, instead of between the lines of the terminal."""
    handler = _LogFile(
        locations.logs / _LOG, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES - 1, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RedactingFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        with contextlib.suppress(OSError):  # as in handleError: the command itself tells of a full disk
            handler.close()


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log that a full or read-only disk may cut short without a stack trace between the command's lines."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop a line that the disk refused; any other fault is reported as the library does."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


def report(error: Exception, options: GlobalOptions) -> None:
    """Say in one sentence what nobody expected; the stack goes to the log of an office that exists."""
    kind = type(error).__name__
    locations = Locations.find(options.home)
    if locations.logs.is_dir():
        with logging_to(locations):
            log.error("a command broke", exc_info=error)
        sentence = _("Something in Bureau broke ({kind}): try again; {path} holds what happened.").format(
            kind=kind, path=locations.logs / _LOG
        )
    else:
        sentence = _("Something in Bureau broke ({kind}: {reason}): try again.").format(
            kind=kind, reason=" ".join(redact(str(error)).split())
        )
    print(sentence, file=sys.stderr)
