"""What a text tells: its sentences, and which of them say something instead of asking for it."""

import re

from memory.recall.full_text import runs_without_spaces

_SHORT = 60
"""Characters below which a sentence is read together with its neighbour."""
_LONG = 320
"""Characters of sentences that are read together, at most."""
_REQUEST = re.compile(
    r"(?:please|write|draft|compose|translate|summari[sz]e|explain|find|list|(?:tell|show|give|help) me)\b",
    re.IGNORECASE,
)
_END = re.compile(r"(?<=[.!?:;])\s+(?=[\"“‘(\[•]?[^\W\d_])|\n+|(?<=[。！？])")


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the sentences of a text as slices; short ones are joined with their neighbours."""
    found: list[tuple[int, int]] = []
    begin = 0
    for mark in [*_END.finditer(text), None]:
        stop = mark.start() if mark else len(text)
        if text[begin:stop].strip():
            short = found and min(found[-1][1] - found[-1][0], stop - begin) < _SHORT
            if short and stop - found[-1][0] <= _LONG:
                found[-1] = (found[-1][0], stop)
            else:
                found.append((begin, stop))
        begin = mark.end() if mark else stop
    return found


def tellings(text: str) -> list[tuple[int, int]]:
    """Return the sentences of what somebody said that say something, as slices."""
    return [(start, end) for start, end in sentences(text) if any(map(_tells, _parts(text[start:end])))]


def only_asks(text: str) -> bool:
    """Say whether a text asks and says nothing beside it, so that it is no answer to anybody."""
    parts = _parts(text)
    return any(map(_asks, parts)) and not any(map(_tells, parts))


def _parts(text: str) -> list[str]:
    """Return the sentences alone, the short ones too: a fact may stand in five words before a question."""
    return [part.strip() for part in _END.split(text) if part.strip()]


def _tells(sentence: str) -> bool:
    """Whether something is said: no question, no request, no greeting, no picture."""
    return not _asks(sentence) and (len(sentence.split()) > 2 or bool(runs_without_spaces(sentence)))


def _asks(sentence: str) -> bool:
    return sentence.endswith(("?", "？", "؟")) or _REQUEST.match(sentence) is not None
