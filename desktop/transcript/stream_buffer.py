"""Turns the deltas of one answer into segments, parsing only the part that may still change."""

import re

from desktop.transcript.live_paragraph import LiveParagraph
from desktop.transcript.markdown_html import Environment
from desktop.transcript.segments import (
    Block,
    Segment,
    SegmentKind,
    blocks,
    joined,
    joins,
    one_line_end,
    split,
)

_FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})[ \t]*([^\n]*)\n")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:", re.MULTILINE)


class StreamBuffer:
    """The text of one live answer.

    All top-level blocks but the last are final, and only complete lines may end a block; so each call of
    ``segments`` parses the last block alone, whatever the length of the answer.
    """

    def __init__(self, text: str = "") -> None:
        self._parts: list[str] = []
        self._pending: list[str] = []
        self._settled: list[Segment] = []
        self._tail = ""
        self._env: Environment = {}
        self._code: list[str] | None = None
        self._fence = ""
        self._language = ""
        self._revision = 0
        self._paragraph = LiveParagraph()
        self._lines_seen = 0
        self.feed(text)

    def feed(self, delta: str) -> None:
        """Append what arrived; costs nothing until the segments are asked for."""
        if delta:
            self._pending.append(delta)
            self._parts.append(delta)
            self._revision += 1

    @property
    def revision(self) -> int:
        """Return a number that grows with every delta."""
        return self._revision

    @property
    def text(self) -> str:
        """Return everything fed so far."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def segments(self) -> tuple[Segment, ...]:
        """Return the segments of the text so far; the settled ones are the same objects as before."""
        if self._pending:
            fresh = "".join(self._pending)
            # The half of a line end waits for its other half.
            self._pending = ["\r"] if fresh.endswith("\r") else []
            self._tail += one_line_end(fresh.removesuffix("\r"))
            self._settle()
        return (*self._settled, *self._live())

    def finish(self) -> tuple[Segment, ...]:
        """Return the segments of the finished answer, with links resolved that were defined late."""
        if _DEFINITION.search(self.text):
            return split(self.text)
        self.feed("\n" if not self.text.endswith("\n") else "")
        return tuple(self.segments_without_tail())

    def segments_without_tail(self) -> list[Segment]:
        """Settle the tail too: nothing more will come."""
        self.segments()
        if self._code is not None:
            self._close_code()
        for block in blocks(self._tail, self._env):
            self._add(block.segment)
        self._tail = ""
        return list(self._settled)

    def _settle(self) -> None:
        while True:
            if self._code is not None and not self._read_code():
                return
            if self._tail.startswith("\n"):
                self._tail, self._lines_seen = self._tail.lstrip("\n"), 0
            end = self._tail.rfind("\n") + 1
            if end == self._lines_seen:
                return
            self._lines_seen = end
            complete = self._tail[:end]
            found = blocks(complete, self._env)
            if not found:
                return
            keep = len(complete) if _closed(found[-1], complete) else _begin_of(complete, found[-1].start)
            for block in found:
                if keep == len(complete) or block.start < found[-1].start:
                    self._add(block.segment)
            self._tail, self._lines_seen = self._tail[keep:], end - keep
            if keep:
                self._paragraph.begin([])
            if not self._open_code(found[-1]):
                return

    def _open_code(self, last: Block) -> bool:
        """Enter an open fence: from here on lines are only compared with its closing mark."""
        if last.segment.kind is not SegmentKind.CODE:
            return False
        match = _FENCE.match(self._tail)
        if not match or (match.group(2)[0] == "`" and "`" in match.group(3)) or match.group(1):
            return False
        self._fence, self._language = match.group(2), last.segment.language
        self._code, self._tail = [], self._tail[match.end() :]
        return True

    def _read_code(self) -> bool:
        """Move complete lines into the open code; True when its closing mark was among them."""
        assert self._code is not None
        start = 0
        while (end := self._tail.find("\n", start)) >= 0:
            line = self._tail[start:end]
            start = end + 1
            if self._closes(line):
                self._tail = self._tail[start:]
                self._close_code()
                return True
            self._code.append(line)
        self._tail = self._tail[start:]
        return False

    def _closes(self, line: str) -> bool:
        mark = line.strip(" \t")
        indent = len(line) - len(line.lstrip(" "))
        return indent < 4 and len(mark) >= len(self._fence) and set(mark) == {self._fence[0]}

    def _close_code(self) -> None:
        self._add(self._code_segment(self._code or []))
        self._code = None

    def _code_segment(self, lines: list[str]) -> Segment:
        return Segment(SegmentKind.CODE, "\n".join(lines).rstrip("\n"), language=self._language)

    def _add(self, part: Segment) -> None:
        if self._settled and joins(self._settled[-1], part):
            self._settled[-1] = joined(self._settled[-1], part)
        else:
            self._settled.append(part)

    def _live(self) -> list[Segment]:
        if self._code is not None:
            partial = [self._tail] if self._tail and not self._closes(self._tail) else []
            return [self._code_segment([*self._code, *partial])]
        # A scratch copy: definitions and marks of an unfinished line must not outlive this call.
        env = {**self._env, "references": dict(self._env.get("references", {})), "live": True}
        if (grown := self._paragraph.grown(self._tail, env)) is not None:
            return [grown]
        found = [block.segment for block in blocks(self._tail, env)]
        self._paragraph.begin(found)
        return found


def _closed(last: Block, complete: str) -> bool:
    """Tell whether the last block is a paragraph that an empty line ended: nothing can be added to it."""
    paragraph = last.segment.kind is SegmentKind.PROSE and last.segment.html.startswith("<p>")
    return paragraph and complete.endswith("\n\n")


def _begin_of(text: str, line: int) -> int:
    """Return where a line begins, counted from 0."""
    at = 0
    for _line in range(line):
        at = text.index("\n", at) + 1
    return at
