"""The title a conversation gets by rule from its first message."""

import re
import unicodedata

LIMIT = 60
"""Characters of a title at most, the ellipsis included."""

_FENCE = re.compile(r"^\s*(```|~~~)")
_BLOCK_MARKS = re.compile(r"^\s*(?:#{1,6}\s+|>\s?|[-*+]\s+(?:\[[ xX]\]\s+)?|\d{1,9}[.)]\s+)+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|~~|`+)(?=\S)(.+?)(?<=\S)\1")
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])(?:\s|(?<=[。！？]))")
_UNSEEN = {"Cc", "Cs", "Zl", "Zp"}
_JOINER = "\u200d"


def title_from(text: str) -> str:
    """Return the first sentence of the first line that says something, unmarked, of at most 60 characters.

    A cut falls between words where it can and never inside what is read as one character. Text that says
    nothing gives the empty title.
    """
    for line in _lines(text):
        plain = _unmarked(line)
        if any(character.isalnum() for character in plain):
            sentence = _SENTENCE_END.split(plain, maxsplit=1)[0].strip()
            return _shortened(sentence if any(c.isalnum() for c in sentence) else plain)
    return _shortened(_unmarked(" ".join(text[:400].split())))


def one_line(text: str) -> str:
    """Return a title given by hand on one line: line breaks and control characters become spaces."""
    seen = (" " if unicodedata.category(character) in _UNSEEN else character for character in text[:1_000])
    return " ".join("".join(seen).split())


def _lines(text: str) -> list[str]:
    # A pasted megabyte must not be searched for a title.
    lines = text[:8_000].splitlines()
    return [line for line in lines if line.strip() and not _FENCE.match(line)]


def _unmarked(line: str) -> str:
    plain = _BLOCK_MARKS.sub("", line)
    plain = _LINK.sub(r"\1", plain)
    plain = _EMPHASIS.sub(r"\2", plain)
    return one_line(plain)


def _shortened(text: str) -> str:
    if len(text) <= LIMIT:
        return text
    cut = LIMIT - 1
    while cut > 0 and _joined(text, cut):
        cut -= 1
    # One "character" may be longer than the limit (a stack of accents): then it is cut all the same.
    head = text[: cut or LIMIT - 1]
    space = head.rfind(" ")
    if not text[len(head)].isspace() and space > LIMIT // 2:
        head = head[:space]
    return head.rstrip(" ,;:–—-") + "…"


def _joined(text: str, index: int) -> bool:
    """Say whether the characters on both sides of the index are read as one."""
    before, after = text[index - 1], text[index]
    if unicodedata.category(after).startswith("M") or after == _JOINER or before == _JOINER:
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":
        return True  # skin tones; the tags that make the flags of regions
    if _flag_letter(before) and _flag_letter(after):
        start = index
        while start > 0 and _flag_letter(text[start - 1]):
            start -= 1
        return (index - start) % 2 == 1
    return False


def _flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
