"""What a question asks for: its terms, the people it names, the days it speaks of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from memory.recall.full_text import runs_without_spaces

_WORD = re.compile(r"\w+")
_POSSESSIVE = r"(?:['’]s)?"

STOP_WORDS = frozenset(
    _WORD.findall(
        """a about after again all also am an and any are as at be because been before being both but by can
        could did do does doing during each ever few for from further had has have having he her
        hers him his how i if in into is it its itself just likely many may me might more most much
        must my no nor not now of off on once only or other our out over own s same shall she should
        so some such t than that the their them then there these they this those through to too
        under until up us very was we were what when where whether which while who whom whose why
        will with would you your yours"""
    )
)


@dataclass(frozen=True, slots=True)
class Query:
    """A question taken apart.

    ``terms`` are its words without stop words and speakers' names, ``question`` is it without those names
    (for the embedder), ``speakers`` are the speakers it names, ``runs`` are runs written without spaces.
    """

    text: str
    question: str
    terms: tuple[str, ...]
    speakers: tuple[str, ...]
    runs: tuple[str, ...]


def understand(text: str, speakers: Iterable[str]) -> Query:
    """Take a question apart. A speaker counts as named only where the name is written as a name."""
    named = [name for name in speakers if name and _mention(name).search(text)]
    question = text
    for name in named:
        question = _mention(name).sub(" ", question)
    question = " ".join(question.split())
    terms = _terms(question)
    if not terms:
        question, terms = text, _terms(text)
    return Query(text, question or text, terms, tuple(named), tuple(runs_without_spaces(text)))


def _terms(text: str) -> tuple[str, ...]:
    words = [word for word in _WORD.findall(text.lower()) if not runs_without_spaces(word)]
    chosen = [word for word in dict.fromkeys(words) if word not in STOP_WORDS]
    return tuple(chosen or dict.fromkeys(words))


def _mention(name: str) -> re.Pattern[str]:
    return re.compile(rf"@?\b{re.escape(name)}\b{_POSSESSIVE}")
