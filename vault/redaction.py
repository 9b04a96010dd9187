"""No secret leaves this process in a log, an exception, a warning or a crash report.

`redact` cleans one text. `install` puts it on every path on which Python prints by itself. The handler for
Qt's messages is `qt_message`, which the window installs because only it knows Qt.
"""

import faulthandler
import logging
import os
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TextIO

from vault.live_secrets import live_forms
from vault.secret_patterns import MARK, replace_patterns

__all__ = ["MARK", "Installation", "RedactingFilter", "install", "qt_message", "redact"]

_PLAIN = (int, float, bool, type(None))
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "exc_text", "taskName"}
_QT_LEVELS = {
    "QtDebugMsg": logging.DEBUG,
    "QtInfoMsg": logging.INFO,
    "QtWarningMsg": logging.WARNING,
    "QtCriticalMsg": logging.ERROR,
    "QtFatalMsg": logging.CRITICAL,
}


def redact(text: str) -> str:
    """Return the text without any secret.

    Cut are the live secrets of this process in every form of `secret_forms` (as they are, base64 at each
    alignment, hexadecimal, URL-encoded, escaped), and what looks like a key, token or private key.
    """
    for forms in live_forms():
        text = forms.replace(text, MARK)
    return replace_patterns(text)


def redact_record(record: logging.LogRecord) -> None:
    """Clean a log record in place: message, arguments, exception, stack and extra fields."""
    _redact_message(record)
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    if record.exc_text:
        record.exc_text = redact(record.exc_text)
    # The text is complete; a handler that renders the exception itself would print its values again.
    record.exc_info = None
    if record.stack_info:
        record.stack_info = redact(record.stack_info)
    for name, value in list(vars(record).items()):
        if name not in _STANDARD:
            setattr(record, name, _clean(value))


def _redact_message(record: logging.LogRecord) -> None:
    """Keep the arguments apart as long as they are plain, because some formatters read them."""
    args = record.args
    try:
        message = record.getMessage()
    except Exception as error:  # noqa: BLE001 - a wrong format string must still be logged, and cleaned
        record.msg = redact(f"{record.msg} {args!r} ({type(error).__name__} in the log call)")
        record.args = ()
        return
    clean = redact(message)
    if isinstance(args, tuple) and all(isinstance(each, (str, *_PLAIN)) for each in args):
        record.msg = redact(str(record.msg))
        record.args = tuple(redact(each) if isinstance(each, str) else each for each in args)
        if clean == message and record.getMessage() == message:
            return
        if redact(record.getMessage()) == record.getMessage():
            return
    record.msg, record.args = clean, ()


def _clean(value: object) -> object:
    """Return a value of an extra field without secrets; what is no plain value becomes its clean text."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return (
            type(value)(_clean(each) for each in value)
            if type(value) in (list, tuple)
            else redact(repr(value))
        )
    return redact(repr(value))


class RedactingFilter(logging.Filter):
    """Cleans each record that passes a handler; it never drops one."""

    def filter(self, record: logging.LogRecord) -> bool:
        redact_record(record)
        return True


class Installation:
    """What `install` put in place; `remove` restores what was there before."""

    def __init__(self, crash_file: Path | None) -> None:
        self._filter = RedactingFilter()
        self._factory = logging.getLogRecordFactory()
        self._hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning)
        self._handlers: list[logging.Handler] = []
        self._crash: IO[str] | None = None
        if crash_file is not None:
            self.tell_crashes_to(crash_file)

    def tell_crashes_to(self, path: Path) -> None:
        """Append the stacks of a crash to a file of its own from now on. Raises OSError."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_APPEND | os.O_CREAT | os.O_WRONLY
        former, self._crash = self._crash, os.fdopen(os.open(path, flags, 0o600), "a", encoding="utf-8")
        # It prints names of functions and line numbers only; in a file it cannot mix with other output.
        faulthandler.enable(self._crash, all_threads=True)
        os.utime(path)  # the daily round leaves what is in use
        if former is not None:
            former.close()

    def start(self) -> None:
        logging.setLogRecordFactory(self._record)
        for handler in _handlers():
            handler.addFilter(self._filter)
            self._handlers.append(handler)
        sys.excepthook = _excepthook
        threading.excepthook = _thread_excepthook
        sys.unraisablehook = _unraisablehook
        warnings.showwarning = _showwarning

    def remove(self) -> None:
        """Restore the former hooks, factory and handlers, and close the crash file."""
        global _installed
        logging.setLogRecordFactory(self._factory)
        for handler in self._handlers:
            handler.removeFilter(self._filter)
        sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning = self._hooks
        if self._crash is not None:
            faulthandler.disable()
            self._crash.close()
        if _installed is self:
            _installed = None

    def _record(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._factory(*args, **kwargs)
        redact_record(record)
        return record


_installed: Installation | None = None


def install(crash_file: Path | None = None) -> Installation:
    """Clean every log record, uncaught exception and warning of this process from now on.

    Extra fields are added to a record after it is made, so they are cleaned by the filter on the handlers
    that exist now; a handler added later needs `addFilter(RedactingFilter())` for them. With a crash file,
    faulthandler appends the stacks of a crash there. A second call returns the first installation.
    """
    global _installed
    if _installed is None:
        _installed = Installation(crash_file)
        _installed.start()
    return _installed


def qt_message(mode: object, context: object, message: str | None) -> None:
    """Log one message of Qt, cleaned; made for ``qInstallMessageHandler``."""
    level = _QT_LEVELS.get(getattr(mode, "name", ""), logging.WARNING)
    category = getattr(context, "category", None) or "default"
    logging.getLogger("qt").log(level, "%s: %s", category, redact(message or ""))


def _handlers() -> list[logging.Handler]:
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    found = [handler for each in loggers if isinstance(each, logging.Logger) for handler in each.handlers]
    return list(dict.fromkeys([*found, *([logging.lastResort] if logging.lastResort else [])]))


def _print(text: str, file: TextIO | None = None) -> None:
    stream = file or sys.stderr
    if stream is None:  # a window without a console
        logging.getLogger(__name__).error("%s", text.rstrip())
        return
    stream.write(redact(text))
    stream.flush()


def _excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _print("".join(traceback.format_exception(kind, error, trace)))


def _thread_excepthook(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_type is SystemExit:
        return
    name = arguments.thread.name if arguments.thread else "?"
    lines = traceback.format_exception(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
    _print(f"Exception in thread {name}:\n{''.join(lines)}")


def _unraisablehook(unraisable: "sys.UnraisableHookArgs") -> None:
    what = unraisable.err_msg or "Exception ignored in"
    lines = traceback.format_exception(unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)
    _print(f"{what}: {unraisable.object!r}\n{''.join(lines)}")


def _showwarning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    _print(warnings.formatwarning(str(message), category, filename, lineno, line), file)
