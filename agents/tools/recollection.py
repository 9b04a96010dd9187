"""The tools of memory: ``remember`` keeps a note with its birth certificate, ``recall`` finds with sources."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy.orm import Session

from agents.events import EventBus, NotesChanged
from agents.tools.declaration import as_data, tool
from memory import attachments, chats, notes, purposes
from memory.attachments import Attachment
from memory.chats import Message
from memory.database import Database
from memory.notes import Note
from memory.readers.document import Place
from memory.recall.hits import Hit
from memory.recall.indexing import index_note
from memory.recall.search import Recall
from memory.roster import Agent

MOST_HITS = 20


@dataclass(slots=True)
class MemoryTools:
    """What one run may do with the office's memory. ``seen`` are the files that its searches came across."""

    database: Database
    recall_index: Recall
    bus: EventBus
    agent: Agent
    question: Message
    model: str
    seen: dict[str, Attachment] = field(default_factory=dict)

    @tool("write-local")
    async def remember(self, text: str, kind: Literal["fact", "preference", "procedure"] = "fact") -> str:
        """Keep one short statement for later conversations, in words that make sense on their own.

        Args:
            text: The statement, with names and dates written out.
            kind: "fact", "preference" of the owner, or "procedure" (how something is to be done).
        """
        if not await self.database.read(purposes.allowed, "memory", self.agent.id):
            return "The owner wants nothing remembered here."
        note, is_new = await self.database.write(self._write, text, kind)
        if not is_new:
            return "This is already noted."
        self.bus.publish(NotesChanged())
        self.recall_index.wake()
        if note.state == "accepted":
            return "Noted."
        return "Proposed: the owner will see it in the memory inbox and may accept it."

    @tool("read")
    async def recall(self, query: str, limit: int = 8) -> str:
        """Search the office's earlier conversations, notes and files by meaning and by words.

        Args:
            query: What to look for, as a question or in keywords.
            limit: How many passages to return at most, up to 20.
        """
        scopes = self.agent.memory_scopes
        own = [self.question.conversation_id, *([self.agent.id] if "agent" in scopes else [])]
        found = await self.recall_index.search(
            query,
            conversation_ids=() if "office" in scopes else (self.question.conversation_id,),
            scopes=own,
            exclude_message_ids=(self.question.id,),
            limit=max(1, min(limit, MOST_HITS)),
        )
        if not found.hits:
            return "Nothing was found. Say so, or try other words."
        sources = await self.database.read(sources_of, found.hits)
        for hit in found.hits:
            if (file := sources.get(hit.source_id)) and file.attachment:
                self.seen[file.attachment.name] = file.attachment
        return "\n".join(_shown(hit, sources.get(hit.source_id)) for hit in found.hits)

    def _write(
        self, session: Session, text: str, kind: Literal["fact", "preference", "procedure"]
    ) -> tuple[Note, bool]:
        plain = " ".join(text.split()).casefold()
        for known in notes.visible_notes(
            session, agent_id=self.agent.id, conversation_id=self.question.conversation_id
        ):
            if " ".join(known.text.split()).casefold() == plain:
                return known, False
        note = notes.add_note(
            session,
            text,
            kind=kind,
            state="accepted" if self.agent.accepts_own_notes else "proposed",
            source_message_id=self.question.id,
            agent_id=self.agent.id,
            model=self.model,
        )
        if note.state == "accepted":
            index_note(session, note)
        return note, True


@dataclass(frozen=True, slots=True)
class Source:
    """Where a passage comes from, in words, and the file if it is one."""

    words: str
    attachment: Attachment | None = None


def sources_of(session: Session, hits: tuple[Hit, ...]) -> dict[str, Source]:
    """Return the source of each hit by its source id."""
    files = attachments.attachments_of(
        session, [hit.source_id for hit in hits if hit.source_kind == "attachment"]
    )
    found = {file.id: Source(file.name, file) for file in files}
    titles: dict[str, str] = {}
    for hit in hits:
        if hit.source_kind == "message" and hit.conversation_id:
            if hit.conversation_id not in titles:
                titles[hit.conversation_id] = chats.conversation(session, hit.conversation_id).title
            found[hit.source_id] = Source(f"conversation “{titles[hit.conversation_id]}”")
        elif hit.source_kind == "note":
            found[hit.source_id] = Source("note")
    return found


def place_words(hit: Hit) -> str:
    """Return where in its file a hit stands, as ``p. 12``; empty where that says nothing."""
    known = {name: value for name, value in hit.place.items() if name in Place.__dataclass_fields__}
    return Place.from_dict(known).label()


def day_words(hit: Hit) -> str:
    """Return the day of a hit, ``2026-11-21``."""
    return datetime.fromtimestamp(hit.at / 1000, UTC).date().isoformat()


def _shown(hit: Hit, source: Source | None) -> str:
    return as_data(
        hit.text,
        kind=hit.source_kind,
        source=source.words if source else "",
        place=place_words(hit) if hit.source_kind == "attachment" else "",
        said_by=hit.speaker,
        date=day_words(hit) if hit.source_kind != "attachment" else "",
        id=hit.source_id,
    )
