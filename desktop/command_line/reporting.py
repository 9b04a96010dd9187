"""Where the faults of a command end: one sentence on stderr, and what a developer needs in the office's log."""

import contextlib
import logging
import sys
from collections.abc import Iterator

from desktop.command_line.options import GlobalOptions
from desktop.log_file import LogFile
from memory.locations import Locations
from resources.language import gettext as _
from vault.redaction import redact

_LOG = "terminal.log"
_LOG_BYTES = 1_000_000

log = logging.getLogger(__name__)


@contextlib.contextmanager
def logging_to(locations: Locations) -> Iterator[None]:
    """Log to a file of the office, without secrets, instead of between the lines of the terminal."""
    handler = LogFile(locations.logs / _LOG, _LOG_BYTES)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        with contextlib.suppress(OSError):  # as in handleError: the command itself tells of a full disk
            handler.close()


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
