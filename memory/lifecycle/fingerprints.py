"""Fingerprints of what is erased: short pieces of it, in every form in which a trace of it could lie on a disk.

They are held in memory while the search lasts and are never stored.
"""

import base64
import json
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

WINDOW = 24
"""Characters of a text in one window."""
SHORTEST = 8
"""Bytes of the shortest piece that is searched for; below it chance would find it everywhere."""
MOST_WINDOWS = 8
"""Windows of one text: a long one is known by its beginning, its end and places between."""
MOST = 40_000
"""Pieces of one search; beyond it every text is known by fewer windows."""
_FLOATS = 4
_PLAIN_HEAD = 64
"""Bytes at the beginning of a file that name its format and are the same in many files."""
_FILE_WINDOW = 32
_HEXADECIMAL = re.compile("([0-9a-f]{2}){8,}")


@dataclass(slots=True)
class Material:
    """What is about to be erased, gathered before it is: texts, ids, digests, vectors, pieces of files."""

    texts: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    vectors: list[bytes] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The pieces to look for. ``said`` tells for a piece which words it is of, where it is of words.

    ``too_short`` counts the texts of which no piece is long enough to be told from chance.
    """

    pieces: frozenset[bytes]
    said: dict[bytes, str]
    too_short: int

    def __len__(self) -> int:
        return len(self.pieces)


def fingerprints(material: Material) -> Fingerprints:
    """Return what to look for; ASCII letters are lower-case in every piece, as the search reads them."""
    most = max(2, min(MOST_WINDOWS, MOST // max(1, 8 * len(material.texts))))
    pieces: set[bytes] = set()
    said: dict[bytes, str] = {}
    too_short = 0
    for text in material.texts:
        found = 0
        for window in windows(text, most):
            for form in forms(window):
                if len(form) >= SHORTEST:
                    said[form.lower()] = window
                    found += 1
        too_short += not found and bool(text.strip())
    for identifier in (*material.ids, *material.digests):
        pieces.update(form.lower() for form in forms(identifier) if len(form) >= SHORTEST)
        if _HEXADECIMAL.fullmatch(identifier):  # an import may have brought ids that are no numbers
            pieces.add(bytes.fromhex(identifier).lower())
    for vector in material.vectors:
        pieces.update(piece.lower() for piece in _vector_windows(vector))
    for content in material.contents:
        for piece in content_windows(content):
            pieces.add(piece.lower())
            if (words := _words(piece)) is not None:
                said.setdefault(piece.lower(), words)
    return Fingerprints(frozenset(pieces | said.keys()), said, too_short)


def _words(piece: bytes) -> str | None:
    """Return the words that a piece of a file is, None where it is none; a character that is cut is left out."""
    for begin in range(4):
        for end in range(len(piece), len(piece) - 4, -1):
            try:
                return piece[begin:end].decode()
            except UnicodeDecodeError:
                continue
    return None


def windows(text: str, most: int = MOST_WINDOWS) -> Iterator[str]:
    """Yield pieces of WINDOW characters from all over a text; a short text is one piece."""
    text = text.strip()
    if len(text) <= WINDOW:
        if text:
            yield text
        return
    count = min(most, 2 + len(text) // (4 * WINDOW))
    last = len(text) - WINDOW
    for number in range(count):
        start = last * number // (count - 1)
        yield text[start : start + WINDOW]


def forms(text: str) -> set[bytes]:
    """Return a text as UTF-8, UTF-16 of both orders, case-folded, escaped as in JSON, base64 and hexadecimal."""
    plain = text.encode("utf-8", "surrogatepass")
    found = {
        plain,
        text.encode("utf-16-le", "surrogatepass"),
        text.encode("utf-16-be", "surrogatepass"),
        text.casefold().encode("utf-8", "surrogatepass"),
        json.dumps(text)[1:-1].encode(),
        json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass"),
        plain.hex().encode(),
    }
    return found | set(_base64(plain))


def content_windows(content: bytes, most: int = MOST_WINDOWS) -> Iterator[bytes]:
    """Yield pieces of a file's bytes that say something: none of its head, none that repeats few bytes."""
    body = content[_PLAIN_HEAD:] if len(content) > 4 * _PLAIN_HEAD else content
    if len(body) < _FILE_WINDOW:
        if len(body) >= SHORTEST:
            yield body
        return
    last = len(body) - _FILE_WINDOW
    for number in range(most):
        piece = body[(start := last * number // max(1, most - 1)) : start + _FILE_WINDOW]
        if len(set(piece)) >= _FILE_WINDOW // 4:
            yield piece


def _vector_windows(vector: bytes) -> Iterator[bytes]:
    count = len(vector) // 4
    for start in sorted({0, count // 2, max(0, count - _FLOATS)}):
        piece = vector[4 * start : 4 * (start + _FLOATS)]
        # An element that is zero, or a whole vector of them, is nobody's.
        if len(piece) == 4 * _FLOATS and all(struct.unpack(f"<{_FLOATS}f", piece)):
            yield piece


def _base64(plain: bytes) -> Iterable[bytes]:
    """Return what is certain of a text within a longer one in base64, at each of the three alignments."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + plain)
        first = (0, 2, 3)[before]
        certain = (before + len(plain)) * 8 // 6
        yield encoded[first:certain]
