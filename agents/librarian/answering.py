"""What the librarian says: quotations with their places, or plainly that there are none."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from resources.language import gettext as _

SHOWN = 3
"""Quotations of an answer."""
ENOUGH = 0.5
"""Certainty from which the librarian says that it found something."""

_DATA = re.compile(r"<data(?P<attributes>[^>]*)>\n(?P<text>.*?)\n</data>", re.DOTALL)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_CERTAINTY = re.compile(r"certainty (\d\.\d+)")
_ENTITIES = (("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


@dataclass(frozen=True, slots=True)
class Found:
    """One quotation as a tool returned it; ``about`` are its attributes: kind, source, place, said_by, date."""

    text: str
    about: dict[str, str]

    @property
    def place(self) -> str:
        """Where the words stand or who said them, for people."""
        names: tuple[str, ...]
        if self.about.get("kind") == "attachment":
            names = ("source", "place")
        elif self.about.get("kind") == "message":
            names = ("said_by", "date", "source")
        else:
            names = ("source", "date")
        return ", ".join(value for name in names if (value := self.about.get(name)))


@dataclass(frozen=True, slots=True)
class Result:
    """What one call of ``quote`` returned, and where it had looked."""

    where: str
    text: str

    @property
    def certainty(self) -> float:
        """How sure it is that the quotations answer; 0 where there are none."""
        told = _CERTAINTY.match(self.text)
        return float(told[1]) if told and self.found else 0.0

    @property
    def found(self) -> list[Found]:
        """The quotations, best first."""
        return [one for one in _pieces(self.text) if one.about.get("kind") not in ("unreadable", "searched")]

    @property
    def unreadable(self) -> list[Found]:
        """The files that could not be read, with the reason as text."""
        return [one for one in _pieces(self.text) if one.about.get("kind") == "unreadable"]


def answers(result: Result) -> bool:
    """Say whether a search found enough to be shown."""
    return result.certainty >= ENOUGH


def answer(results: Sequence[Result], *, files: bool, writing: bool) -> str:
    """Return the answer that the results of all searches give."""
    best = next((result for result in results if answers(result)), None)
    parts = [_("I only find and quote, I do not write: add a key, then ask @Writer.")] if writing else []
    parts += [
        _("“{file}” could not be read: {reason}").format(file=one.about.get("source", ""), reason=one.text)
        for result in results
        for one in result.unreadable
    ]
    if best is not None:
        if writing:
            parts.append(_("This is what I found on it:"))
        else:
            parts.append(_("I found this:"))
        parts += [quotation(one) for one in best.found[:SHOWN]]
        return "\n\n".join(parts)
    if writing:
        parts.append(_("I found nothing on it that I could quote."))
    elif files:
        parts.append(
            _(
                "Not found: the attached files do not seem to answer this. Try other words, or ask in a new chat "
                "to search the whole office."
            )
        )
    else:
        parts.append(
            _(
                "Not found: nothing in the office's conversations, notes and files seems to answer this. "
                "Try other words, or attach the file that should be searched."
            )
        )
    return "\n\n".join(parts)


def quotation(found: Found) -> str:
    """Return a quotation as Markdown: its words as they stand, then its place."""
    lines = "\n".join(f"> {line}".rstrip() for line in found.text.splitlines())
    return f"{lines}\n>\n> — {found.place}"


def _pieces(text: str) -> list[Found]:
    return [
        Found(match["text"].replace("<\u200b", "<"), dict(_attributes(match["attributes"])))
        for match in _DATA.finditer(text)
    ]


def _attributes(text: str) -> list[tuple[str, str]]:
    found = []
    for name, value in _ATTRIBUTE.findall(text):
        for entity, character in _ENTITIES:
            value = value.replace(entity, character)
        found.append((name, value))
    return found
