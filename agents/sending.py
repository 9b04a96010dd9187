"""From the owner's words to queued runs: who is asked, what is committed before anything is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from agents.addressing import addressed
from agents.errors import NothingToSend, UnknownAgent
from agents.indexing import index_said
from agents.spending import run_cap
from memory import accounts, attachments, chats, messages, roster, runs, settings
from memory.accounts import Connection
from memory.chats import Conversation, Message
from memory.lifecycle import holds
from memory.roster import Agent
from memory.runs import Run
from resources.language import gettext as _

EFFORTS = ("quick", "normal", "deep")


@dataclass(frozen=True, slots=True)
class Sent:
    """What a send committed: the owner's message, and one queued answer per agent with its run, side by side.

    ``queued`` is True where an earlier turn of the conversation is still at work.
    """

    message: Message
    replies: tuple[Message, ...]
    runs: tuple[Run, ...]
    agents: tuple[Agent, ...]
    queued: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What the owner sends; empty choices mean the conversation's, the agent's, the office's."""

    text: str
    attachment_ids: Sequence[str] = ()
    agent_ids: Sequence[str] = ()
    model: str = ""
    effort: str = ""
    connection_id: str = ""


def send(session: Session, conversation_id: str, draft: Draft, *, busy: bool) -> Sent:
    """Commit a message with its queued answers and runs.

    Raises NothingToSend, UnknownAgent, NotFound or Refused.
    """
    if not draft.text.strip() and not draft.attachment_ids:
        raise NothingToSend(_("There is nothing to send yet: write something or attach a file."))
    conversation = chats.conversation(session, conversation_id)
    holds.refuse_restricted(session, conversation_id)
    asked = who(session, conversation, draft)
    question = messages.add_owner_message(
        session, conversation_id, draft.text, attachment_ids=draft.attachment_ids
    )
    if not question.text.strip():
        named = attachments.attachments_of(session, draft.attachment_ids)
        question_title = ", ".join(file.name for file in named)
        if not conversation.title:
            chats.rename(session, conversation_id, question_title)
    if busy:
        question = messages.set_message_state(session, question.id, "queued")
    chats.set_draft(session, conversation_id, {})
    index_said(session, question.id)
    return ask(session, question, asked, draft, queued=busy)


def edit(session: Session, message_id: str, text: str, *, busy: bool) -> Sent:
    """Write the owner's message anew beside the old one and ask whom it names, else the same agents again."""
    if not text.strip():
        raise NothingToSend(_("The edited message is empty: write something, or leave the old one."))
    conversation_id = messages.message(session, message_id).conversation_id
    conversation = chats.conversation(session, conversation_id)
    holds.refuse_restricted(session, conversation_id)
    before = [answer.agent_id for answer in messages.answers(session, message_id) if answer.agent_id]
    named = [agent.id for agent in addressed(text, roster.agents(session)).agents]
    draft = Draft(text, agent_ids=tuple(named or dict.fromkeys(before)))
    asked = who(session, conversation, draft)
    question = messages.edit_owner_message(session, message_id, text)
    index_said(session, question.id)
    if busy:
        question = messages.set_message_state(session, question.id, "queued")
    return ask(session, question, asked, draft, queued=busy)


def regenerate(session: Session, message_id: str, *, busy: bool) -> Sent:
    """Ask the agent of an answer again; the old answer stays as another branch.

    Raises UnknownAgent, or Refused where it is restricted.
    """
    old = messages.message(session, message_id)
    if old.role == "owner" or old.parent_id is None or old.agent_id is None:
        raise UnknownAgent(_("Only an answer of somebody who still works here can be regenerated."))
    question = messages.message(session, old.parent_id)
    holds.refuse_restricted(session, question.conversation_id, question.id)
    return ask(session, question, (roster.agent(session, old.agent_id),), Draft(question.text), queued=busy)


def ahead(session: Session, conversation_id: str, draft: Draft) -> list[tuple[Agent, Connection | None, str]]:
    """Return whom a draft would ask, with the account and model each would use. Raises UnknownAgent."""
    conversation = chats.conversation(session, conversation_id)
    every = accounts.connections(session)
    found = []
    for agent in who(session, conversation, draft):
        connection = None if agent.librarian else _account(conversation, agent, draft, every)
        found.append((agent, connection, _model(conversation, agent, draft, connection)))
    return found


def who(session: Session, conversation: Conversation, draft: Draft) -> tuple[Agent, ...]:
    """Return whom a draft asks: the named ids, else the names in it, else the conversation's agent, else the lead.

    With no connection at all the librarian answers for those who would need one. Raises UnknownAgent.
    """
    team = roster.agents(session)
    by_id = {agent.id: agent for agent in team}
    if missing := [identifier for identifier in draft.agent_ids if identifier not in by_id]:
        raise UnknownAgent(
            _("{count} of the chosen agents no longer work here: choose again.").format(count=len(missing))
        )
    asked = tuple(by_id[identifier] for identifier in dict.fromkeys(draft.agent_ids))
    named = bool(asked)
    if not asked:
        asked = addressed(draft.text, team).agents
        named = bool(asked)
    if not asked and conversation.agent_id in by_id:
        asked = (by_id[conversation.agent_id],)
    if not asked:
        asked = tuple(agent for agent in team if not agent.librarian)[:1] or team[:1]
    if not asked:
        raise UnknownAgent(_("Nobody works here: add an agent on the Team page or with “bureau agents add”."))
    if not named and not accounts.connections(session):
        # Whoever was named says what is missing; where nobody was, a fresh office must still do its work.
        librarian = next((agent for agent in team if agent.librarian), None)
        return (librarian,) if librarian else asked
    return asked


def ask(session: Session, question: Message, asked: Sequence[Agent], draft: Draft, *, queued: bool) -> Sent:
    """Queue one run and one empty answer for each agent, side by side."""
    conversation = chats.conversation(session, question.conversation_id)
    every, settled = accounts.connections(session), settings.values(session)
    made = tuple(_run(session, conversation, agent, draft, every, settled) for agent in asked)
    speakers = [
        messages.Speaker(agent.id, agent.name, run.id, run.model)
        for agent, run in zip(asked, made, strict=True)
    ]
    replies = messages.add_agent_messages(session, question.id, speakers)
    return Sent(question, replies, made, tuple(asked), queued)


def _run(
    session: Session,
    conversation: Conversation,
    agent: Agent,
    draft: Draft,
    every: Sequence[Connection],
    settled: dict[str, Any],
) -> Run:
    connection = None if agent.librarian else _account(conversation, agent, draft, every)
    efforts = (draft.effort, conversation.effort, agent.effort, settled["runs.effort"])
    return runs.create_run(
        session,
        conversation_id=conversation.id,
        agent_id=agent.id,
        connection_id=connection.id if connection else None,
        model=_model(conversation, agent, draft, connection),
        effort=next((effort for effort in efforts if effort in EFFORTS), "normal"),
        cap=run_cap(agent, settled),
    )


def _account(
    conversation: Conversation, agent: Agent, draft: Draft, every: Sequence[Connection]
) -> Connection | None:
    by_id = {row.id: row for row in every}
    for wanted in (draft.connection_id, conversation.connection_id, agent.connection_id):
        if wanted in by_id:
            return by_id[wanted]
    return every[0] if every else None


def _model(conversation: Conversation, agent: Agent, draft: Draft, connection: Connection | None) -> str:
    if connection is None:
        return ""
    return draft.model or conversation.model or agent.model or connection.default_model
