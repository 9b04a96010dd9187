"""Cuts a very long paragraph into pieces, each a widget of its own; what is marked stays marked over a cut."""

import re
from collections.abc import Iterator
from itertools import pairwise, zip_longest
from urllib.parse import quote, unquote

from markdown_it.token import Token

from desktop.transcript.markdown_html import Environment, parser

_SPACES = re.compile(r"\s+")
_LETTERS = re.compile(r"(?<=[^\W_])(?=[^\W_])")
_SIGNS = "\u205f\u2008\u2006\u2004\u1680"
"""Rare spaces; one that the text has not shows where it is cut. As a space it changes no mark beside it."""
_UNQUOTED = re.compile("|".join(quote(each) for each in _SIGNS))
_SPLIT = ("text", "code_inline")
_BREAKS = ("softbreak", "hardbreak")
_NEVER = re.compile(r"(?!)()")
_LAST = 1 << 30


def cut(source: str, limit: int, env: Environment) -> Iterator[tuple[str, list[Token]]]:
    """Yield pieces of a paragraph of at most so many characters: Markdown and the inline tokens of it.

    A piece is longer only where a link or formula, or a word of 400 letters and more, stands at its end.
    """
    places = [0, *_places(source, limit), len(source)]
    sign = next((each for each in _SIGNS if each not in source), "")
    parts = [source[start:end] for start, end in pairwise(places)]
    marked = "".join(part + f"{sign}{number}{sign}" for number, part in enumerate(parts[:-1])) + parts[-1]
    start = 0
    for number, tokens in _divided(_inline(marked if sign else source, env), sign):
        yield "".join(parts[start : number + 1]), tokens
        start = number + 1


def _inline(source: str, env: Environment) -> list[Token]:
    return parser().parseInline(source, dict(env))[0].children or []


def _places(source: str, limit: int) -> Iterator[int]:
    """Yield where to cut: after white space, else between two letters."""
    start, wanted = 0, limit - 400
    while len(source) - start > limit:
        match = _SPACES.search(source, start + wanted, start + limit)
        match = match or _LETTERS.search(source, start + wanted, start + limit)
        start = match.end() if match else start + wanted
        yield start


def _divided(tokens: list[Token], sign: str) -> Iterator[tuple[int, list[Token]]]:
    """Yield the tokens of each piece and the number of the part that it ends with."""
    mark = re.compile(f"{sign}([0-9]+){sign}") if sign else _NEVER
    piece: list[Token] = []
    opened: list[Token] = []
    for token in tokens:
        if token.nesting > 0:
            opened.append(token)
        elif token.nesting < 0:
            opened.pop()
        if token.type not in _SPLIT or any(each.type == "link_open" for each in opened):
            _unmark(token, mark)
            piece.append(token)
            continue
        words = mark.split(token.content)
        for part, number in zip_longest(words[::2], words[1::2]):
            piece.append(token.copy(content=part))
            if number is not None:
                while len(piece) > 1 and piece[-2].type in _BREAKS and not piece[-1].content:
                    del piece[-2:]
                yield int(number), [*piece, *(_closing(each) for each in reversed(opened))]
                piece = [each.copy() for each in opened]
    yield _LAST, piece


def _unmark(token: Token, mark: re.Pattern[str]) -> None:
    """Take marks of places that cannot be cut out of a token, in addresses in their encoded form too."""
    token.content = mark.sub("", token.content)
    for name, value in token.attrs.items():
        if isinstance(value, str):
            token.attrs[name] = mark.sub("", value if "%E" not in value else _UNQUOTED.sub(_unquoted, value))
    for child in token.children or ():
        _unmark(child, mark)


def _unquoted(match: re.Match[str]) -> str:
    return unquote(match.group())


def _closing(opening: Token) -> Token:
    kind = opening.type.removesuffix("_open") + "_close"
    return Token(kind, opening.tag, -1, markup=opening.markup)
