"""The tool that quotes: sentences that answer a question, word for word, with the place of each."""

import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from agents.files import Files
from agents.tools.declaration import as_data, tool
from agents.tools.recollection import Source, day_words, sources_of
from memory import attachments
from memory.attachments import Attachment
from memory.chats import Message
from memory.database import Database
from memory.readers.document import Place
from memory.readers.passages import Passage
from memory.recall.hits import Hit
from memory.recall.quoting import Quote, find_quotes, headings_without_vectors
from memory.recall.search import Recall
from memory.roster import Agent

MOST_QUOTES = 10
LONGEST_QUESTION = 2_000
"""Characters of a question that are searched with: a pasted megabyte is no question."""

_MARK = re.compile(r"^>", re.MULTILINE)

Where = Literal["these files", "conversations", "everywhere"]


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quotation that was given out: its words and the citation that names its place."""

    text: str
    citation: dict[str, Any]


@dataclass(slots=True)
class QuotingTools:
    """What one run may quote. ``given`` are the quotations it got, for the citations of its answer."""

    database: Database
    recall_index: Recall
    files: Files
    agent: Agent
    question: Message
    given: list[Quoted] = field(default_factory=list)

    @tool("read")
    async def quote(self, question: str, where: Where = "everywhere", limit: int = 5) -> str:
        """Find the sentences that answer a question and return them word for word, the best first.

        Args:
            question: The question, as it was asked.
            where: "these files" (of the message, else of the conversation), "conversations", or "everywhere".
            limit: How many quotations to return at most, up to 10.
        """
        chosen: dict[str, Any] = {}
        names: list[str] = []
        if where == "these files":
            here = await self._files_here()
            ready = [file for file in here if file.state == "ready"]
            if not ready:
                return "\n".join(map(_unreadable, here)) or "There is no file here."
            chosen["attachment_ids"] = [file.id for file in ready]
            chosen["headings"] = await self.database.read(headings_without_vectors, chosen["attachment_ids"])
            names = [file.name for file in ready]
        elif where == "conversations":
            chosen["kinds"] = ("message", "note")
        scopes = self.agent.memory_scopes
        if "office" not in scopes and "attachment_ids" not in chosen:
            chosen["conversation_ids"] = (self.question.conversation_id,)
        found = await find_quotes(
            self.recall_index,
            question[:LONGEST_QUESTION],
            limit=max(1, min(limit, MOST_QUOTES)),
            scopes=[self.question.conversation_id, *([self.agent.id] if "agent" in scopes else [])],
            exclude_message_ids=(self.question.id,),
            **chosen,
        )
        searched = as_data("\n".join(names), kind="searched") if names else f"searched: {where}"
        looked = f"certainty {found.certainty:.2f}; {searched}"
        if not found.quotes:
            return f"Nothing was found. {looked}"
        sources = await self.database.read(sources_of, tuple(quote.hit for quote in found.quotes))
        return "\n".join([looked, *(self._told(quote, sources) for quote in found.quotes)])

    def cited(self, answer: str) -> list[dict[str, Any]]:
        """Return the citations of the quotations that stand in an answer, in their order there."""
        plain = " ".join(_MARK.sub("", answer).split())
        found: dict[str, tuple[int, dict[str, Any]]] = {}
        for quoted in self.given:
            at = plain.find(" ".join(quoted.text.split()))
            if at >= 0:
                found.setdefault(repr(quoted.citation), (at, quoted.citation))
        return [citation for _at, citation in sorted(found.values(), key=lambda pair: pair[0])]

    async def _files_here(self) -> list[Attachment]:
        """The files of the message, else of its conversation, once they are read."""
        await self.files.settled(self.question.attachment_ids)
        if self.question.attachment_ids:
            return list(await self.database.read(attachments.usable, list(self.question.attachment_ids)))
        here = await self.database.read(attachments.attachments, self.question.conversation_id)
        await self.files.settled([file.id for file in here])
        return list(await self.database.read(attachments.usable, [file.id for file in here]))

    def _told(self, quote: Quote, sources: dict[str, Source]) -> str:
        source = sources.get(quote.hit.source_id, Source(""))
        place = exact_place(quote.hit, quote.text)
        label = place.label() if source.attachment else ""
        citation: dict[str, Any] = {
            "file": source.attachment.name if source.attachment else "",
            "place": label,
            "quote": " ".join(quote.text.split()),
        }
        if source.attachment:
            citation["attachment_id"] = source.attachment.id
            citation |= {name: value for name, value in place.to_dict().items() if name != "heading"}
        else:
            said = ", ".join(part for part in (source.words, quote.hit.speaker, day_words(quote.hit)) if part)
            citation |= {"place": said, f"{quote.hit.source_kind}_id": quote.hit.source_id}
            if quote.hit.conversation_id:
                citation["conversation_id"] = quote.hit.conversation_id
        self.given.append(Quoted(quote.text, citation))
        return as_data(
            quote.text,
            kind=quote.hit.source_kind,
            source=source.words,
            place=label,
            said_by=quote.hit.speaker,
            date=day_words(quote.hit) if not source.attachment else "",
            id=quote.hit.source_id,
        )


def exact_place(hit: Hit, quotation: str) -> Place:
    """Return the page, sheet and row, slide or line on which a quotation of a hit stands."""
    known = {name: value for name, value in hit.place.items() if name in Place.__dataclass_fields__}
    place = Place.from_dict(known)
    rows = place.rows()
    # A table's passage repeats the header row, so it has a line more than it has rows.
    header = max(0, hit.text.count("\n") - (rows[1] - rows[0])) if rows else 0
    passage = Passage(hit.ordinal, place, hit.heading, hit.text, header_lines=header)
    return replace(passage.place_of(quotation), heading=None)


def _unreadable(file: Attachment) -> str:
    return as_data(file.reason, kind="unreadable", source=file.name)
