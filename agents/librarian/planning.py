"""What the librarian does next, by rule: greet, search the files at hand, search the rest, answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agents.librarian.answering import Result, answer, answers
from resources.language import gettext as _

_ADDRESS = re.compile(r"^(?:\s*@(?:\w+|[\"“'][^\"”']+[\"”'])[\s,:]*)+")
_GREETING = re.compile(
    r"(?:hi|hello|hey|hallo|good (?:morning|afternoon|evening|day)|thanks?(?: you)?(?: very much| a lot)?|thx|bye"
    r"|goodbye|ok(?:ay)?|great|nice|cool|how are you(?: doing| today)?|test(?:ing)?"
    r"|who are you|what (?:can|do) you do|help(?: me)?)(?:[\s,]+(?:there|librarian|again|everybody|all))*[\s.!?]*",
    re.IGNORECASE,
)
_WRITING = re.compile(
    r"(?:(?:please|can you|could you|would you|will you|i want you to|i need you to|help me(?: to)?|now)\s+)*"
    r"(?:(?:write|draft|compose|translate|summari[sz]e|rewrite|rephrase|paraphrase|invent|design|proofread)\b"
    r"|(?:make|create|generate|prepare|give)\s+(?:me\s+)?(?:an?|the|some)\s+"
    r"(?:\w+\s+)?(?:letter|e-?mail|poem|story|summary|essay|article|report|translation|speech|plan|table|list|code|script)\b)",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"\b(?:about|regarding|concerning)\s+", re.IGNORECASE)
_SAID = re.compile(
    r"\b(?:(?:did|have|had|has)\s+(?:i|we|you|he|she|they|\w+)\s+(?:\w+\s+)?"
    r"(?:say|said|tell|told|mention|mentioned|talk|talked|discuss|discussed|decide|decided|agree|agreed|promise|promised)"
    r"|(?:i|we|you|he|she|they)\s+(?:said|told|mentioned|talked|discussed|decided|agreed|promised)"
    r"|(?:was|were)\s+(?:said|told|mentioned|discussed|decided|agreed)"
    r"|(?:earlier|other|previous|last|our)\s+(?:conversation|chat|discussion|talk)s?)\b",
    re.IGNORECASE,
)
THESE, TALKS, EVERYWHERE = "these files", "conversations", "everywhere"


@dataclass(frozen=True, slots=True)
class Search:
    """A call of the tool ``quote``."""

    question: str
    where: str


def plan(question: str, *, files: bool, results: Sequence[Result], may_search: bool) -> str | Search:
    """Return the next search or the finished answer.

    ``files`` tells that files were given with this or an earlier message, ``results`` are those of the
    searches made for this question, ``may_search`` tells that the tool is offered.
    """
    question = _ADDRESS.sub("", question).strip()
    if not any(character.isalnum() for character in question):
        return _nothing_asked(files=files, silent=not question)
    if _GREETING.fullmatch(question):
        return _(
            "I find and quote, with no key and no network: ask me about your files, notes or conversations."
        )
    if not may_search:
        return _(
            "My tool “quote” is switched off: allow it to me on the Team page or with “bureau agents edit”."
        )
    writing = _WRITING.match(question) is not None
    order = _order(question, files=files)
    if len(results) < len(order) and not any(answers(result) for result in results):
        return Search(_ABOUT.split(question, 1)[-1] if writing else question, order[len(results)])
    return answer(results, files=files, writing=writing)


def _order(question: str, *, files: bool) -> tuple[str, ...]:
    if _SAID.search(question):
        return (TALKS, EVERYWHERE)
    # A large office holds something near to any question, and the owner asked about these files.
    return (THESE,) if files else (EVERYWHERE,)


def _nothing_asked(*, files: bool, silent: bool) -> str:
    if silent and files:
        return _("I have the file. Ask a question about it and I quote what it says, with the page.")
    return _("I did not find a question in this: ask in words, and I quote what the office knows.")
