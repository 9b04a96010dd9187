"""A paragraph that is still being written: what can no longer change is rendered once."""

import re
from html import escape

from markdown_it.token import Token

from desktop.transcript.markdown_html import Environment, parser
from desktop.transcript.segments import BLOCK_LIMIT, Segment, SegmentKind

_BEGIN = re.compile(r"""[*`"'(“„«]{0,2}[^\W_]\S* """)
_MARK = re.compile(r"""[^\w ,.:;!'"?()=+%\u2010-\u2027-]|_|www|http""")
_WAITING = re.compile(r"[*_~`$\\\[\]<&]")


class LiveParagraph:
    """The last block of a live answer, as long as it is a paragraph of one line.

    Everything before a space is final when no mark in it waits for another one (a lone ``*`` or ``[``):
    only a new line can still make another kind of block of it. So what comes is parsed from there.
    """

    def __init__(self) -> None:
        self._known = False
        self._source, self._html = "", ""

    def begin(self, found: list[Segment]) -> None:
        """Go on from what a whole parse found; anything but one such paragraph is left to the next parse."""
        source = found[0].source if len(found) == 1 else ""
        plain = source and found[0].html.startswith("<p>") and found[0].html.endswith("</p>")
        self._known = bool(plain and _BEGIN.match(source))
        self._source, self._html = "", "<p>"

    def grown(self, text: str, env: Environment) -> Segment | None:
        """Return the paragraph with all of a text, None if the text must be parsed whole."""
        text = text.rstrip()
        if not self._known or len(text) > BLOCK_LIMIT or "\n" in text or not text.startswith(self._source):
            return None
        end = text.rfind(" ")
        if end > len(self._source):
            words = text[len(self._source) : end]
            tokens = _parsed(words, env)
            if not _waits(tokens):
                self._source, self._html = text[:end], self._html + _rendered(words, tokens, env)
        rest = text[len(self._source) :]
        html = f"{self._html}{_rendered(rest, _parsed(rest, env), env)}</p>"
        return Segment(SegmentKind.PROSE, text, html=html)


def _parsed(words: str, env: Environment) -> list[Token]:
    """Return the one token of words within a paragraph; none where every letter stands for itself."""
    return parser().parseInline(words, env) if _MARK.search(words) else []


def _rendered(words: str, tokens: list[Token], env: Environment) -> str:
    if not tokens:
        return escape(words, quote=False).replace('"', "&quot;")
    return str(parser().renderer.render(tokens, parser().options, env))


def _waits(tokens: list[Token]) -> bool:
    """Tell whether a mark was left as text that a later one could pair with."""
    depth = 0
    for token in tokens[0].children or [] if tokens else []:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if not depth and token.type in ("text", "text_special") and _WAITING.search(token.content):
            return True
    return False
