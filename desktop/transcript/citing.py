"""Citations within an answer: ``[survey.pdf, p. 12]`` as a chip of the line, and back to words when it is copied."""

import re
from collections.abc import Sequence

from desktop.transcript.markdown_html import CITE
from desktop.transcript.rows import Citation

CODE = re.compile(r"(^```.*?(?:^```|\Z)|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
"""What stands in code; splitting at it leaves code in the odd places."""
_NAMED = re.compile(r"\[(?P<place>[^\[\]\n]{3,400})\](?!\()|(?<=^> — )(?P<below>[^\n]{3,400})$", re.MULTILINE)
_CHIP = re.compile(rf"\[(?:\\.|[^\]\\])*\]\({CITE}(\d+)\)")
_BELOW = re.compile(rf"(?<=^> — )(?:\\.|[^\[\\\n])* \[(?:\\.|[^\]\\])*\]\({CITE}(\d+)\)$", re.MULTILINE)
_MARKS = re.compile(r"([\\\[\]*_`~$<])")


def with_chips(text: str, citations: Sequence[Citation]) -> str:
    """Return Markdown in which the places that citations name are links to them; code stays as it is.

    Places are named in brackets, or by a line of their own below a quotation. A place that is named several
    times leads to the citations of that place one after another.
    """
    waiting: dict[str, list[int]] = {}
    for index, citation in enumerate(citations):
        if citation.file and citation.label:
            waiting.setdefault(_key(_words(citation)), []).append(index)
    if not waiting:
        return text

    def chip(match: re.Match[str]) -> str:
        indices = waiting.get(_key(match["place"] or match["below"]))
        if indices is None:
            return match[0]
        index = indices.pop(0) if len(indices) > 1 else indices[0]
        cited = citations[index]
        link = f"[{_escaped(cited.label)}]({CITE}{index})"
        return link if match["place"] else f"{_escaped(cited.file)} {link}"

    pieces = CODE.split(text)
    return "".join(piece if number % 2 else _NAMED.sub(chip, piece) for number, piece in enumerate(pieces))


def without_chips(text: str, citations: Sequence[Citation]) -> str:
    """Return Markdown in which the links to citations are words again, as the agent wrote them."""

    def words(match: re.Match[str]) -> str:
        return _words(citations[int(match[1])]) if int(match[1]) < len(citations) else match[0]

    return _CHIP.sub(lambda match: f"[{words(match)}]", _BELOW.sub(words, text))


def _words(citation: Citation) -> str:
    return f"{citation.file}, {citation.label}"


def _key(words: str) -> str:
    return " ".join(words.split()).casefold()


def _escaped(words: str) -> str:
    return _MARKS.sub(r"\\\1", words)
