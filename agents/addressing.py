"""Who a message is for: ``@name``, several names, ``@all``."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from agents.errors import UnknownAgent
from memory.roster import Agent
from resources.language import gettext as _

EVERYBODY = ("all", "everyone")
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "'": "'"}
# Marks that steer the direction of text and join letters; nobody types them as part of a name on purpose.
_INVISIBLE = dict.fromkeys(
    [0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)


@dataclass(frozen=True, slots=True)
class Addressed:
    """The agents a text names, in the order of their first mention; empty where it names none."""

    agents: tuple[Agent, ...]


def addressed(text: str, team: Sequence[Agent]) -> Addressed:
    """Return whom the text addresses.

    Only mentions at the start of the text address anybody; a later ``@name`` is part of the sentence
    unless it is the name of somebody who works here. Names may hold spaces and stand in quotes; upper and
    lower case are the same. Raises UnknownAgent for a leading ``@`` that names nobody.
    """
    found: dict[str, Agent] = {}
    plain = _plain(text)
    # The longest name wins: "@Data Analyst" is not "@Data".
    named = [(_plain(agent.name), agent) for agent in sorted(team, key=lambda one: -len(one.name))]
    position, leading = 0, True
    while (at := plain.find("@", position)) >= 0:
        leading = leading and not plain[position:at].strip(" ,;&\n\t")
        position = at + 1
        if at and not _separates(plain[at - 1]):
            leading = False
            continue  # an address such as mail@example.org
        end, agents = _mention(plain, at + 1, named, team)
        if agents:
            found.update((agent.id, agent) for agent in agents)
            position = end
        elif leading:
            raise UnknownAgent(_unknown(plain[at + 1 :], team))
    return Addressed(tuple(found.values()))


def _mention(
    plain: str, start: int, named: Sequence[tuple[str, Agent]], team: Sequence[Agent]
) -> tuple[int, list[Agent]]:
    """Return where the mention that begins at ``start`` ends and whom it means; nobody if it means nothing.

    ``named`` is everybody under the name as ``_plain`` has it, the longest first.
    """
    if plain[start : start + 1] in _QUOTES:
        close = plain.find(_QUOTES[plain[start]], start + 1)
        name = plain[start + 1 : close] if close > 0 else ""
        matching = [agent for known, agent in named if known.strip() == name.strip()]
        if matching:
            return close + 1, matching
    for known, agent in named:
        end = start + len(known)
        if plain.startswith(known, start) and _ends(plain, end):
            return end, [agent]
    for word in EVERYBODY:
        if plain.startswith(word, start) and _ends(plain, start + len(word)):
            return start + len(word), [agent for agent in team if not agent.librarian]
    return start, []


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(_INVISIBLE)).casefold()


def _separates(character: str) -> bool:
    return not (character.isalnum() or character in "_.-+/")


def _ends(plain: str, end: int) -> bool:
    return end >= len(plain) or not (plain[end].isalnum() or plain[end] == "_")


def _unknown(rest: str, team: Sequence[Agent]) -> str:
    import difflib

    words = rest.split()
    name = words[0].rstrip(",.:;!?") if words else ""
    close = difflib.get_close_matches(name, [_plain(agent.name) for agent in team], 1)
    if close:
        likely = next(agent.name for agent in team if _plain(agent.name) == close[0])
        return _("Nobody here is called “{name}”: did you mean @{likely}?").format(name=name, likely=likely)
    names = ", ".join("@" + agent.name for agent in team)
    return _("Nobody here is called “{name}”: choose one of {names}, or write @all.").format(
        name=name, names=names
    )
