"""Colours of code: Pygments tokens as spans per line, kept for code that comes by again."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from PySide6.QtGui import QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from desktop.theme.appearance import look
from desktop.theme.tokens import Syntax, colour

if TYPE_CHECKING:
    from pygments.token import _TokenType

LIMIT = 20_000
"""Characters above which code stays plain."""

Spans = tuple[tuple[tuple[int, int, str], ...], ...]
"""Per line: (start, length, field of Syntax)."""

_cache: OrderedDict[tuple[str, str], Spans] = OrderedDict()


def spans(language: str, text: str) -> Spans:
    """Return the coloured spans of each line; nothing for an unknown language."""
    key = (language, text)
    if key in _cache:
        _cache.move_to_end(key)
        return _cache[key]
    _cache[key] = found = _lex(language, text)
    if len(_cache) > 128:
        _cache.popitem(last=False)
    return found


def known_spans(language: str, text: str) -> Spans | None:
    """Return the spans only if they are kept already."""
    return _cache.get((language, text))


def _lex(language: str, text: str) -> Spans:
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    if not language or len(text) > LIMIT:
        return ()
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return ()
    kinds = _kinds()
    lines: list[list[tuple[int, int, str]]] = [[]]
    column = 0
    for token, value in lexer.get_tokens(text):
        ancestor: _TokenType | None = token
        while ancestor is not None and ancestor not in kinds:
            ancestor = ancestor.parent
        kind = kinds[ancestor] if ancestor is not None else ""
        for number, piece in enumerate(value.split("\n")):
            if number:
                lines.append([])
                column = 0
            if piece and kind:
                lines[-1].append((column, len(piece), kind))
            column += len(piece)
    return tuple(tuple(line) for line in lines)


def _kinds() -> dict[object, str]:
    from pygments.token import Comment, Generic, Keyword, Name, Number, Operator, String

    return {
        Keyword: "keyword",
        Operator.Word: "keyword",
        Name.Tag: "keyword",
        String: "string",
        Comment: "comment",
        Number: "number",
        Name.Function: "function",
        Name.Decorator: "function",
        Name.Attribute: "type_name",
        Name.Class: "type_name",
        Name.Builtin: "type_name",
        Name.Namespace: "type_name",
        Keyword.Type: "type_name",
        Generic.Inserted: "inserted",
        Generic.Deleted: "deleted",
    }


class CodeHighlighter(QSyntaxHighlighter):
    """Puts ready spans on the lines of a document."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._spans: Spans = ()
        self._formats: dict[str, QTextCharFormat] = {}
        self._syntax: Syntax | None = None

    def show_spans(self, found: Spans) -> None:
        """Colour the document."""
        syntax = look().theme.syntax
        if found == self._spans and syntax is self._syntax:
            return
        if syntax is not self._syntax:
            self._syntax = syntax
            self._formats = {name: _format(getattr(syntax, name), name) for name in syntax.__slots__}
        self._spans = found
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        """Colour one line."""
        number = self.currentBlock().blockNumber()
        if number < len(self._spans):
            for start, length, kind in self._spans[number]:
                self.setFormat(start, length, self._formats[kind])


def _format(ink: str, name: str) -> QTextCharFormat:
    style = QTextCharFormat()
    style.setForeground(colour(ink))
    if name == "keyword":
        style.setFontWeight(QFont.Weight.Medium)
    return style
