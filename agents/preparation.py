"""Gathers what a run sends: the turns before, the notes, the files as the model takes them, the agent's tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from agents.runtime.context import Context, RecalledNote, Request, build
from agents.runtime.material import Abilities, Material
from agents.runtime.work import Prepared
from agents.tools.declaration import Tool
from memory import attachments, branches, chats, notes, roster
from memory.accounts import Connection
from memory.attachments import Attachment
from memory.chats import Message, Turn
from memory.database import Database
from memory.roster import Agent
from memory.runs import Run
from resources.language import gettext as _

if TYPE_CHECKING:
    from agents.connections.prices import Price


@dataclass(frozen=True, slots=True)
class _Gathered:
    turns: tuple[Turn, ...]
    files: dict[str, Attachment]
    core: tuple[notes.Note, ...]
    team: tuple[Agent, ...]


class OfficePreparation:
    """Builds contexts from what the office has; a preview is built the same way as what is sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def prepare(
        self,
        run: Run,
        agent: Agent,
        question: Message,
        connection: Connection | None,
        price: "Price | None",
    ) -> Prepared:
        """Return what a run sends. Raises StorageError."""
        gathered = await self._database.read(_gather, question.id, question.attachment_ids, agent)
        tools: tuple[Tool, ...] = ()
        context = await self._context(
            agent, question.text, question.attachment_ids, gathered, tools, connection, price
        )
        return Prepared(context, tools, lambda text: ())

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
        return await self._context(agent, text, attachment_ids, gathered, (), connection, price)

    async def _context(
        self,
        agent: Agent,
        text: str,
        attachment_ids: Sequence[str],
        gathered: _Gathered,
        tools: Sequence[Tool],
        connection: Connection | None,
        price: "Price | None",
    ) -> Context:
        abilities = abilities_of(connection, tools)
        request = Request(
            agent=agent,
            text=text,
            turns=gathered.turns,
            attachments=[gathered.files[one] for one in attachment_ids if one in gathered.files],
            earlier_attachments=gathered.files,
            notes=[RecalledNote(note, _("always included")) for note in gathered.core],
            tools=tools,
            price=price,
            team=gathered.team,
        )
        return build(request, Material(abilities, {}))


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


def _gather(session: Session, question_id: str, attachment_ids: Sequence[str], agent: Agent) -> _Gathered:
    return _together(session, branches.turns_before(session, question_id), attachment_ids, agent)


def _gather_ahead(
    session: Session, conversation_id: str, attachment_ids: Sequence[str], agent: Agent
) -> _Gathered:
    leaf = chats.conversation(session, conversation_id).active_leaf_id
    turns: tuple[Turn, ...] = branches.path(session, conversation_id) if leaf else ()
    return _together(session, turns, attachment_ids, agent)


def _together(
    session: Session, turns: tuple[Turn, ...], attachment_ids: Sequence[str], agent: Agent
) -> _Gathered:
    wanted = [*attachment_ids]
    wanted += [one for turn in turns for message in turn.messages for one in message.attachment_ids]
    files = {file.id: file for file in attachments.attachments_of(session, tuple(dict.fromkeys(wanted)))}
    return _Gathered(
        turns, files, notes.core_notes(session, agent_id=agent.id), tuple(roster.agents(session))
    )
