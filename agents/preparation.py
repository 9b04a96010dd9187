"""Gathers what a run sends: the turns before, what memory holds, the files as the model takes them, the tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from agents.citations import citations_in
from agents.events import EventBus
from agents.files import Files
from agents.runtime.context import CONVERSATION_TOKENS, Context, Recalled, Request, build
from agents.runtime.material import SHOWN, Abilities, Material, goes_native
from agents.runtime.work import Prepared
from agents.tools.declaration import Tool, tools_of
from agents.tools.quoting import QuotingTools
from agents.tools.reading import ReadingTools
from agents.tools.recollection import MemoryTools, day_words, place_words, sources_of
from memory import attachments, branches, chats, messages, notes, purposes, roster, settings
from memory.accounts import Connection
from memory.attachments import Attachment
from memory.chats import Message, Turn
from memory.database import Database
from memory.lifecycle import holds
from memory.readers.errors import ReadingError
from memory.recall.hits import Hit
from memory.recall.search import Recall, within_budget
from memory.roster import Agent
from memory.runs import Run
from resources.language import gettext as _

if TYPE_CHECKING:
    from agents.connections.prices import Price

RECALLED_TOKENS = 1_500
RECALLED_HITS = 6
CONVERSATION_CHARACTERS = 4 * CONVERSATION_TOKENS
"""No text has fewer tokens than a quarter of its characters, so more need not be read."""
LONGEST_QUERY = 2_000
"""Characters of the message that are searched with: a pasted megabyte is no question."""


@dataclass(frozen=True, slots=True)
class _Gathered:
    turns: tuple[Turn, ...]
    unread: int
    files: dict[str, Attachment]
    core: tuple[notes.Note, ...]
    team: tuple[Agent, ...]
    recall: bool
    remembers: bool
    """Whether its owner lets the agent keep notes."""


class OfficePreparation:
    """Builds contexts from what the office has; a preview is built the same way as what is sent."""

    def __init__(self, database: Database, files: Files, recall: Recall, bus: EventBus) -> None:
        self._database = database
        self._files = files
        self._recall = recall
        self._bus = bus

    async def prepare(
        self,
        run: Run,
        agent: Agent,
        question: Message,
        connection: Connection | None,
        price: "Price | None",
    ) -> Prepared:
        """Return what a run sends, once its files are read. Raises StorageError; Refused for what is restricted."""
        if agent.librarian:
            await self._recall.start()  # beside the files that are still being read
        await self._files.settled(question.attachment_ids)
        await self._database.read(holds.refuse_given, run.id)
        gathered = await self._database.read(_gather, question.id, question.attachment_ids, agent)
        known = {file.name: file for file in gathered.files.values()}
        remembering = MemoryTools(
            self._database, self._recall, self._bus, agent, question, run.model, seen=known
        )
        quoting = QuotingTools(self._database, self._recall, self._files, agent, question)
        offered = (
            *tools_of(remembering),
            *tools_of(ReadingTools(self._files, known)),
            *tools_of(quoting),
        )
        tools = _granted(offered, agent, gathered)
        context = await self._context(
            agent,
            question.conversation_id,
            question.text,
            question.attachment_ids,
            gathered,
            tools,
            connection,
            price,
        )
        return Prepared(context, tools, lambda text: quoting.cited(text) or citations_in(text, known))

    async def preview(
        self,
        conversation_id: str,
        text: str,
        attachment_ids: Sequence[str],
        agent: Agent,
        connection: Connection | None,
        price: "Price | None",
    ) -> Context:
        """Return what would be sent now to one agent; nothing is sent, nothing is stored. Raises StorageError."""
        gathered = await self._database.read(_gather_ahead, conversation_id, attachment_ids, agent)
        offered = (*tools_of(MemoryTools), *tools_of(ReadingTools), *tools_of(QuotingTools))
        tools = _granted(offered, agent, gathered)
        return await self._context(
            agent, conversation_id, text, attachment_ids, gathered, tools, connection, price
        )

    async def _context(
        self,
        agent: Agent,
        conversation_id: str,
        text: str,
        attachment_ids: Sequence[str],
        gathered: _Gathered,
        tools: Sequence[Tool],
        connection: Connection | None,
        price: "Price | None",
    ) -> Context:
        abilities = abilities_of(connection, tools)
        recalled = [
            Recalled("note", note.id, note.text, _("note"), _("always included")) for note in gathered.core
        ]
        # The librarian searches by itself, and what it quotes must be what it found.
        if gathered.recall and not agent.librarian and text.strip():
            recalled += await self._recalled(agent, conversation_id, text, gathered)
        request = Request(
            agent=agent,
            text=text,
            turns=gathered.turns,
            older=gathered.unread,
            attachments=[gathered.files[one] for one in attachment_ids if one in gathered.files],
            earlier_attachments=gathered.files,
            recalled=recalled,
            tools=tools,
            price=price,
            team=gathered.team,
        )
        return build(request, Material(abilities, await self._beginnings(gathered, abilities)))

    async def _recalled(
        self, agent: Agent, conversation_id: str, text: str, gathered: _Gathered
    ) -> list[Recalled]:
        scopes = agent.memory_scopes
        if "office" not in scopes:
            return []
        found = await self._recall.search(
            text[:LONGEST_QUERY],
            scopes=[conversation_id, *([agent.id] if "agent" in scopes else [])],
            exclude_conversation_id=conversation_id,
            limit=RECALLED_HITS,
        )
        core = {note.id for note in gathered.core}
        hits = tuple(hit for hit in within_budget(found.hits, RECALLED_TOKENS) if hit.source_id not in core)
        sources = await self._database.read(sources_of, hits)
        return [
            Recalled(
                hit.source_kind,  # type: ignore[arg-type]  # the column holds these words only
                hit.source_id,
                hit.text,
                _origin(hit, sources[hit.source_id].words if hit.source_id in sources else ""),
                _why(hit),
            )
            for hit in hits
        ]

    async def _beginnings(self, gathered: _Gathered, abilities: Abilities) -> dict[str, str]:
        found: dict[str, str] = {}
        for file in gathered.files.values():
            if file.state != "ready" or goes_native(file, abilities):
                continue
            try:
                found[file.id] = (await self._files.readable(file)).text[:SHOWN]
            except ReadingError as error:
                found[file.id] = str(error)
        return found


def _granted(offered: Sequence[Tool], agent: Agent, gathered: _Gathered) -> tuple[Tool, ...]:
    withheld = "" if gathered.remembers else "remember"
    return tuple(tool for tool in offered if tool.name in agent.tools and tool.name != withheld)


def abilities_of(connection: Connection | None, tools: Sequence[Tool]) -> Abilities:
    """Return what a model of the connection takes as it is.

    Of a compatible server only the key check knows whether its model sees images; none of them is known to
    read PDF.
    """
    reads_on = any(tool.name == "read_attachment" for tool in tools)
    if connection is None:
        return Abilities(images=False, pdf=False, reads_on=reads_on)
    if connection.kind in ("anthropic", "openai"):
        return Abilities(images=True, pdf=True, reads_on=reads_on)
    steps = (connection.last_check or {}).get("steps", [])
    sees = any(step.get("name") == "images" and step.get("state") == "passed" for step in steps)
    return Abilities(images=sees, pdf=False, reads_on=reads_on)


def _origin(hit: Hit, words: str) -> str:
    if hit.source_kind == "attachment":
        return ", ".join(part for part in (words, place_words(hit)) if part)
    said = f"{hit.speaker}, " if hit.speaker else ""
    return f"{words}, {said}{day_words(hit)}"


def _why(hit: Hit) -> str:
    legs = [(_("in words"), hit.legs.get("lexical", 0.0)), (_("in meaning"), hit.legs.get("dense", 0.0))]
    near = _(" and ").join(f"{name} {value:.2f}" for name, value in legs if value > 0)
    return _("near your question: {near}").format(near=near or f"{hit.score:.2f}")


def _gather(session: Session, question_id: str, attachment_ids: Sequence[str], agent: Agent) -> _Gathered:
    question = messages.message(session, question_id)
    holds.refuse_restricted(session, question.conversation_id, question_id)
    return _together(session, question.parent_id, attachment_ids, agent)


def _gather_ahead(
    session: Session, conversation_id: str, attachment_ids: Sequence[str], agent: Agent
) -> _Gathered:
    holds.refuse_restricted(session, conversation_id)
    leaf = chats.conversation(session, conversation_id).active_leaf_id
    return _together(session, leaf, attachment_ids, agent)


def _together(
    session: Session, leaf_id: str | None, attachment_ids: Sequence[str], agent: Agent
) -> _Gathered:
    turns, unread = branches.recent_turns(session, leaf_id, characters=CONVERSATION_CHARACTERS)
    said = [message for turn in turns for message in turn.messages if not message.restricted]
    wanted = [*attachment_ids, *(one for message in said for one in message.attachment_ids)]
    files = {file.id: file for file in attachments.usable(session, tuple(dict.fromkeys(wanted)))}
    return _Gathered(
        turns,
        unread,
        files,
        notes.core_notes(session, agent_id=agent.id),
        tuple(roster.agents(session)),
        settings.value(session, "recall.enabled"),
        purposes.allowed(session, "memory", agent.id),
    )
