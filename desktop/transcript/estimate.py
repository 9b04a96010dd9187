"""How high a row will be, guessed from its text alone until it is seen."""

from desktop.theme.appearance import Look
from desktop.transcript.rows import Message, RowKind, TranscriptRow

Measure = tuple[int, int, int, int]
"""Characters, lines, pixels of fixed parts at zoom 1, messages: of the longest message of a row."""

_LINE = 21
_CHARACTER = 7.0


def measure(row: TranscriptRow) -> Measure:
    """Return what the guess needs; independent of the width, so it is kept over resizes."""
    longest = max(row.messages, key=_length, default=None)
    if longest is None:
        return 0, 0, 0, 1
    fixed = _fixed(longest, row.kind)
    return len(longest.text), longest.text.count("\n"), fixed, len(row.messages)


def _length(message: Message) -> int:
    return len(message.text)


def _fixed(message: Message, kind: RowKind) -> int:
    fixed = 64 if kind is RowKind.AGENTS else 52
    if message.footer:
        fixed += 28
    if message.attachments or message.citations:
        fixed += 34
    if message.thinking:
        fixed += 30
    if message.notice is not None:
        fixed += 80
    return fixed + 38 * len(message.tools)


def guess(measured: Measure, width: int, columns: int, look: Look) -> int:
    """Return the probable height of a row in pixels at a width of the column, its gap not included."""
    characters, lines, fixed, messages = measured
    side_by_side = min(messages, columns)
    wide = width / side_by_side - look.px(28)
    per_line = max(8.0, wide / (_CHARACTER * look.zoom))
    filled = characters / per_line + lines * 0.6
    stacked = -(-messages // side_by_side)
    return round(stacked * (look.px(fixed) + (filled + 0.5) * look.px(_LINE)))
