"""Why a file could not be read, one sentence each that names the fix.

ReadingError
├── FileEmpty           nothing in it
├── FileTooLarge        over the size limit
├── FileEncrypted       needs a password
├── FileDamaged         cut short or not what its header says
├── FileNotSupported    a kind that is not read
├── FileBomb            made to exhaust the reader
├── ReadingTimedOut     over the time limit
├── ReadingOutOfMemory  over the memory limit
└── ReadingCrashed      the reader died
"""

import traceback
import unicodedata
from collections.abc import Mapping
from pathlib import PurePath

from resources.language import gettext as _

_KEPT_FORMAT_CHARACTERS = {"\u200c", "\u200d"}  # emoji and Persian words are joined with these
_LONGEST_NAME = 80


def shown_name(name: str) -> str:
    """Return a file's name as it may stand in a sentence: one short line without direction tricks."""
    kept = (
        character
        if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        or character in _KEPT_FORMAT_CHARACTERS
        else " "
        for character in name
    )
    plain = " ".join("".join(kept).split())
    if len(plain) > _LONGEST_NAME:
        plain = f"{plain[:50]}…{plain[-25:]}"
    return plain or _("The file")


class ReadingError(Exception):
    """A file that could not be read. ``name`` is the file's, ``detail`` what its sentence needs beside it."""

    def __init__(self, name: str, detail: str = "") -> None:
        self.name = name
        self.detail = detail
        super().__init__(self._sentence(shown_name(name), detail))

    def _sentence(self, name: str, detail: str) -> str:
        return _("{name} could not be read: open it in its own program, save a copy and attach that.").format(
            name=name
        )


class FileEmpty(ReadingError):
    """Nothing in the file."""

    def _sentence(self, name: str, detail: str) -> str:
        return _("{name} is empty: check that it was saved, then attach it again.").format(name=name)


class FileTooLarge(ReadingError):
    """More bytes than the limit; ``detail`` is the limit in megabytes."""

    def _sentence(self, name: str, detail: str) -> str:
        return _("{name} is larger than {limit} MB: split it and attach the part you need.").format(
            name=name, limit=detail
        )


class FileEncrypted(ReadingError):
    """The file needs a password."""

    def _sentence(self, name: str, detail: str) -> str:
        return _("{name} needs a password: save a copy without one and attach that.").format(name=name)


class FileDamaged(ReadingError):
    """Cut short, or not what its first bytes say."""

    def _sentence(self, name: str, detail: str) -> str:
        return _(
            "{name} is damaged or incomplete: open it in its own program, save a copy and attach that."
        ).format(name=name)


class FileNotSupported(ReadingError):
    """A kind that is not read; ``detail`` is ``archive``, ``old office``, ``other office`` or other."""

    def _sentence(self, name: str, detail: str) -> str:
        match detail:
            case "archive":
                return _("{name} is an archive: unpack it and attach the files you need.").format(name=name)
            case "old office":
                return _(
                    "{name} is in an Office format from before 2007: "
                    "save it as .docx, .xlsx or .pptx and attach that."
                ).format(name=name)
            case "other office":
                return _(
                    "{name} is in a format that is not read: "
                    "save it as PDF, .docx, .xlsx or .pptx and attach that."
                ).format(name=name)
        return _(
            "{name} holds no text or picture that can be read: save it as PDF or text and attach that."
        ).format(name=name)


class FileBomb(ReadingError):
    """Unpacks to far more than it seems, or expands without end."""

    def _sentence(self, name: str, detail: str) -> str:
        return _(
            "{name} unpacks to far more than a document needs and was not opened: ask its sender for a PDF."
        ).format(name=name)


class ReadingTimedOut(ReadingError):
    """Not read within the time limit; ``detail`` is the limit in seconds."""

    def _sentence(self, name: str, detail: str) -> str:
        return _(
            "{name} took longer than {seconds} seconds to read: split it, or save it as PDF, and attach that."
        ).format(name=name, seconds=detail)


class ReadingOutOfMemory(ReadingError):
    """Reading it needs more memory than a reader may have; ``detail`` is the limit in megabytes."""

    def _sentence(self, name: str, detail: str) -> str:
        return _(
            "{name} needs more than {limit} MB of memory to read: split it and attach the part you need."
        ).format(name=name, limit=detail)


class ReadingCrashed(ReadingError):
    """The reader died while it read this file."""

    def _sentence(self, name: str, detail: str) -> str:
        return _(
            "{name} crashed its reader and was left out: save it as PDF or text and attach that."
        ).format(name=name)


_CLASSES = {
    kind.__name__: kind
    for kind in (
        ReadingError,
        FileEmpty,
        FileTooLarge,
        FileEncrypted,
        FileDamaged,
        FileNotSupported,
        FileBomb,
        ReadingTimedOut,
        ReadingOutOfMemory,
        ReadingCrashed,
    )
}


def error_to_dict(error: ReadingError) -> dict[str, str]:
    """Return what another process needs to make the same error, but for the name, which it knows."""
    cause = error.__cause__
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    frames = traceback.extract_tb(cause.__traceback__) if cause is not None else []
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return {
        "class": type(error).__name__,
        "detail": error.detail,
        "cause": f"{type(cause).__name__} at {place}" if cause is not None else "",
    }


def error_from_dict(fields: Mapping[str, object], name: str) -> ReadingError:
    """Make the error that another process reported about a file; an unknown one is a crash.

    Where in a library it happened, without a word of the file, is a note of the error.
    """
    kind = _CLASSES.get(str(fields.get("class")), ReadingCrashed)
    error = kind(name, str(fields.get("detail", ""))[:100])
    if fields.get("cause"):
        error.add_note(str(fields["cause"])[:200])
    return error
