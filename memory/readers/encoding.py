"""Bytes to text: UTF-8, UTF-16 and, with a visible note, the old encodings."""

from memory.readers.recognition import wide_encoding
from resources.language import gettext as _

_SAMPLE = 64 * 1024
# Left to itself the detector takes short texts for rare relatives of these.
_LIKELY = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r", "shift_jis",
           "euc_jp", "gb18030", "big5", "euc_kr"]  # fmt: skip


def decoded(content: bytes, declared: str = "") -> tuple[str, str]:
    """Return the text with ``\\n`` line ends, and a note where its encoding had to be guessed.

    ``declared`` is the encoding that the file itself names, tried after UTF-8.
    """
    text, note = _decoded(content, declared)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", ""), note


def _decoded(content: bytes, declared: str) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return content.decode("utf-32", errors="replace"), ""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), ""
    wide = wide_encoding(content[:_SAMPLE])
    if wide:
        return content.decode(wide, errors="replace"), ""
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        if declared:
            try:
                return content.decode(declared), ""
            except (UnicodeDecodeError, LookupError):
                return _guessed(content, error.start)
        return _guessed(content, error.start)


def _guessed(content: bytes, first_fault: int) -> tuple[str, str]:
    """Decode what is not UTF-8. A few damaged bytes in UTF-8 stay UTF-8 with a mark in their place."""
    marked = content.decode("utf-8", errors="replace")
    faults = marked.count("\ufffd")
    others = sum(character > "\x7f" for character in marked) - faults
    if others > faults * 4:
        return marked, _(
            "{count} damaged characters are shown as “\ufffd”: save the file as UTF-8 to mend them."
        ).format(count=faults)
    from charset_normalizer import from_bytes

    start = max(0, first_fault - _SAMPLE // 2)
    best = from_bytes(content[start : start + _SAMPLE], cp_isolation=_LIKELY).best()
    encoding = best.encoding if best is not None else "latin-1"
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        encoding, text = "latin-1", content.decode("latin-1")
    return text, _(
        "Read as {encoding}; if letters look wrong, save the file as UTF-8 and attach it again."
    ).format(encoding=encoding.replace("_", "-"))
