"""How high a row will be, guessed from its text alone until it is seen."""

from desktop.theme.appearance import Look
from desktop.transcript.rows import Message, RowKind, TranscriptRow

Measure = tuple[int, int, int, int]
"""Characters, lines, pixels of fixed parts at zoom 1, messages: of the longest message of a row."""

_LINE = 21
_CHARACTER = 7.0


def measure(row: TranscriptRow) -> Measure:
    """Return what the guess needs; independent of the width, so it is kept over resizes."""
    messages = row.messages
    longest = messages[0] if len(messages) == 1 else max(messages, key=_length)
    text = longest.text
    return len(text), text.count("\n"), _fixed(longest, row.kind), len(messages)


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


def guesses(measures: list[Measure], width: int, columns: int, look: Look, gap: int) -> list[int]:
    """Return the probable heights of rows in pixels at a width of the column, their gaps included.

    One loop without calls: it runs over the whole chat whenever the column's width changes.
    """
    zoom = look.zoom
    line = _LINE * zoom
    per_line = [
        max(8.0, (width / max(1, side_by_side) - 28 * zoom) / (_CHARACTER * zoom))
        for side_by_side in range(columns + 1)
    ]
    single = per_line[1]
    return [
        int(fixed * zoom + (characters / single + lines * 0.6 + 0.5) * line) + gap
        if messages == 1
        else int(
            -(-messages // min(messages, columns))
            * (fixed * zoom + (characters / per_line[min(messages, columns)] + lines * 0.6 + 0.5) * line)
        )
        + gap
        for characters, lines, fixed, messages in measures
    ]
