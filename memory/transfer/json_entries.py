"""The entries of a huge JSON array, one after the other, each parsed by itself.

Memory is bounded by the largest entry that is taken. One that is damaged, too large or nested too deeply is
named and passed over; it spoils nothing but itself. Bytes that are no UTF-8 become U+FFFD.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from memory.transfer.archives import Archive
from memory.transfer.errors import ArchiveDamaged, ArchiveUnknown
from resources.language import gettext as _

LARGEST_ENTRY = 32 * 1024**2
"""Characters of one entry; Python needs up to some ten times as much for it."""
_PIECE = 256 * 1024
_NEAR_END = 16
"""Characters before the end of what was read in which a cut, not a fault, may be what stopped the parser."""
_SPACE = re.compile(r"[\s,\ufeff]*")
_PLAIN = re.compile(r'[^"\[\]{},]*+')
_IN_STRING = re.compile(r'(?:[^"\\]++|\\.)*+', re.DOTALL)


@dataclass(frozen=True, slots=True)
class BadEntry:
    """An entry that could not be taken: its number in the file, from 1, and why, as a sentence."""

    number: int
    reason: str


def entries(stream: BinaryIO, name: str, key: str = "") -> Iterator[dict[str, Any] | BadEntry]:
    """Yield the objects of the array that a file holds, or that it holds under ``key``.

    Raises ArchiveDamaged where the file ends in the middle or does not begin as JSON does, ArchiveUnknown where
    it holds no such array.
    """
    text = _Text(stream, name)
    _find_array(text, key)
    number = 0
    while (sign := text.next_sign()) != "]":
        number += 1
        if sign == "{":
            yield _entry(text, number)
        else:
            _skip(text)
            yield BadEntry(number, _("it is no record"))


def document(archive: Archive, name: str) -> Any:
    """Return the value of a small JSON file. Raises ArchiveDamaged, or ArchiveUnsafe where it is large."""
    content = archive.read(name, LARGEST_ENTRY).decode("utf-8-sig", "replace")
    try:
        return json.loads(content, strict=False)
    except (ValueError, RecursionError) as error:
        raise _no_json(name) from error


class _Text:
    """The characters of a stream: those read and not yet used are ``ahead``, from ``at`` on."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = name
        self.ahead = ""
        self.at = 0
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ended = False

    def more(self, size: int = 0) -> bool:
        """Read on, letting go of what was used; False at the end of the file."""
        if self._ended:
            return False
        read = self._stream.read(size or _PIECE)
        self._ended = not read
        self.ahead = self.ahead[self.at :] + self._decoder.decode(read, final=self._ended)
        self.at = 0
        return True

    def next_sign(self) -> str:
        """Pass over spaces and commas and return the sign that follows. Raises ArchiveDamaged at the end."""
        while True:
            self.at = _SPACE.match(self.ahead, self.at).end()  # type: ignore[union-attr]  # matches nothing too
            if self.at < len(self.ahead):
                return self.ahead[self.at]
            if not self.more():
                raise _cut_short(self.name)


_DECODER = json.JSONDecoder(strict=False)


def _find_array(text: _Text, key: str) -> None:
    opening = text.next_sign()
    text.at += 1
    if opening == "[":
        return
    if opening != "{":
        raise _no_json(text.name)
    while text.next_sign() == '"':
        found = _value(text)
        if text.next_sign() != ":":
            raise _no_json(text.name)
        text.at += 1
        if found == key and text.next_sign() == "[":
            text.at += 1
            return
        text.next_sign()
        _skip(text)
    raise ArchiveUnknown(
        _("“{name}” holds no conversations as Bureau knows them: ask for a new export.").format(
            name=text.name
        )
    )


def _entry(text: _Text, number: int) -> dict[str, Any] | BadEntry:
    try:
        found = _value(text)
    except RecursionError:
        reason = _("it is nested too deeply")
    except json.JSONDecodeError as error:
        reason = _("it is not JSON, at “{place}”").format(place=error.doc[error.pos : error.pos + 20])
    except ValueError:
        reason = _("it holds a number that nobody needs")
    except _TooLarge:
        reason = _("it has over {limit} MB").format(limit=LARGEST_ENTRY // 1024**2)
    else:
        return found  # type: ignore[no-any-return]  # what begins with a brace is an object
    _skip(text)
    return BadEntry(number, reason)


class _TooLarge(Exception):
    """The value goes on beyond the most that is taken."""


def _value(text: _Text) -> Any:
    """Parse the value ahead, reading on while it goes on. Raises ValueError, RecursionError or _TooLarge."""
    while True:
        try:
            value, text.at = _DECODER.raw_decode(text.ahead, text.at)
        except json.JSONDecodeError as error:
            cut = error.msg.startswith("Unterminated") or error.pos >= len(text.ahead) - _NEAR_END
            if not cut:
                raise
            held = len(text.ahead) - text.at
            if held > LARGEST_ENTRY:
                raise _TooLarge from error
            # Doubling keeps the work of parsing from the start again in proportion.
            if not text.more(max(_PIECE, min(held, LARGEST_ENTRY + _PIECE - held))):
                raise
        else:
            return value


def _skip(text: _Text) -> None:
    """Pass over one value, whatever it holds, up to the comma or bracket behind it. Raises ArchiveDamaged."""
    depth = 0
    while True:
        text.at = _PLAIN.match(text.ahead, text.at).end()  # type: ignore[union-attr]  # matches nothing too
        if text.at == len(text.ahead):
            if not text.more():
                raise _cut_short(text.name)
            continue
        sign = text.ahead[text.at]
        if sign == '"':
            text.at += 1
            _skip_string(text)
            continue
        if depth == 0 and sign in ",]}":
            return
        depth += (sign in "[{") - (sign in "]}")
        text.at += 1
        if depth == 0 and sign in "]}":
            return


def _skip_string(text: _Text) -> None:
    while True:
        text.at = _IN_STRING.match(text.ahead, text.at).end()  # type: ignore[union-attr]  # matches nothing too
        if text.at < len(text.ahead) and text.ahead[text.at] == '"':
            text.at += 1
            return
        # A lone backslash at the end belongs to the sign that comes next.
        if not text.more():
            raise _cut_short(text.name)


def _no_json(name: str) -> ArchiveDamaged:
    return ArchiveDamaged(_("“{name}” is not JSON: download the export again.").format(name=name))


def _cut_short(name: str) -> ArchiveDamaged:
    return ArchiveDamaged(_("“{name}” ends in the middle: download the export again.").format(name=name))
