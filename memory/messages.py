"""Writing the messages of a conversation: the owner's, the agents' while they stream, and their end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from memory.chats import Message, MessageState
from memory.errors import Refused
from memory.identifiers import new_id, now
from memory.tables import AttachmentTable, ConversationTable, MessageTable, ProvenanceTable
from memory.tables.records import record, required
from memory.titles import title_from
from resources.language import gettext as _

LEAF: Final = "leaf"
"""As a parent: the end of the path that is shown."""


class Speaker(NamedTuple):
    """Who is about to answer: one column of a batch."""

    agent_id: str | None
    agent_name: str
    run_id: str
    model: str = ""


class Delta(NamedTuple):
    """What a message grew by."""

    message_id: str
    text: str = ""
    thinking: str = ""


def add_owner_message(
    session: Session,
    conversation_id: str,
    text: str,
    *,
    attachment_ids: Sequence[str] = (),
    parent: str | None = LEAF,
) -> Message:
    """Write the owner's message below ``parent`` (None: as a first message) and show it.

    Attachments in the draft become its own; the conversation gets its title by rule. Raises NotFound or
    Refused.
    """
    conversation = required(session, ConversationTable, conversation_id)
    parent_id = conversation.active_leaf_id if parent == LEAF else parent
    _check_parent(session, conversation_id, parent_id)
    identifier = new_id()
    row = MessageTable(
        id=identifier,
        conversation_id=conversation_id,
        parent_id=parent_id,
        batch_id=identifier,
        ordinal=_next_ordinal(session, conversation_id),
        role="owner",
        text=text,
        attachment_ids=list(attachment_ids),
        created_at=now(),
    )
    session.add(row)
    session.flush()
    _carry_attachments(session, row)
    if conversation.title_source == "rule" and not conversation.title:
        conversation.title = title_from(text)
    show_leaf(session, conversation, row)
    conversation.updated_at = row.created_at
    return record(Message, row)


def edit_owner_message(session: Session, message_id: str, text: str) -> Message:
    """Write the owner's message anew beside the old one, with its files; the old branch is kept.

    Raises NotFound, or Refused for an agent's message.
    """
    row = required(session, MessageTable, message_id)
    if row.role != "owner":
        raise Refused(_("An agent's words cannot be edited: ask again, or regenerate the answer."))
    return add_owner_message(
        session, row.conversation_id, text, attachment_ids=row.attachment_ids, parent=row.parent_id
    )


def add_agent_messages(
    session: Session, owner_message_id: str, speakers: Iterable[Speaker | tuple[str | None, str, str, str]]
) -> tuple[Message, ...]:
    """Write one batch of queued, empty answers side by side below the owner's message and show it.

    Called again for the same message it adds an alternative. Raises NotFound.
    """
    question = required(session, MessageTable, owner_message_id)
    conversation = required(session, ConversationTable, question.conversation_id)
    ordinal, batch_id, at = _next_ordinal(session, conversation.id), new_id(), now()
    rows = [
        MessageTable(
            id=new_id(),
            conversation_id=conversation.id,
            parent_id=question.id,
            batch_id=batch_id,
            position=position,
            ordinal=ordinal + position,
            role="agent",
            agent_id=speaker.agent_id,
            agent_name=speaker.agent_name,
            run_id=speaker.run_id,
            model=speaker.model,
            state="queued",
            created_at=at,
        )
        for position, speaker in enumerate(Speaker(*values) for values in speakers)
    ]
    if not rows:
        raise Refused(_("Nobody was asked: name an agent with @, or choose one for this conversation."))
    session.add_all(rows)
    session.flush()
    show_leaf(session, conversation, rows[0])
    conversation.updated_at = at
    return tuple(record(Message, row) for row in rows)


def append_text(session: Session, message_id: str, text: str, thinking: str = "") -> None:
    """Add streamed text to one message; ``append_texts`` does it for several in one transaction."""
    append_texts(session, [Delta(message_id, text, thinking)])


def append_texts(session: Session, deltas: Iterable[Delta | tuple[str, str, str]]) -> None:
    """Add what several streaming messages grew by; a queued message becomes streaming."""
    for delta in (Delta(*values) for values in deltas):
        values: dict[str, Any] = {"state": "streaming"}
        if delta.text:
            values["text"] = MessageTable.text + delta.text
        if delta.thinking:
            values["thinking"] = MessageTable.thinking + delta.thinking
        session.execute(
            update(MessageTable)
            .where(MessageTable.id == delta.message_id, MessageTable.state.in_(("queued", "streaming")))
            .values(values)
            .execution_options(synchronize_session=False)
        )


def finish_message(
    session: Session,
    message_id: str,
    state: Literal["complete", "interrupted", "stopped", "failed"],
    *,
    text: str | None = None,
    citations: Sequence[dict[str, Any]] | None = None,
    model: str | None = None,
) -> Message:
    """End a message; ``text`` replaces what was streamed where the model settled on another wording."""
    row = required(session, MessageTable, message_id)
    row.state = state
    if text is not None:
        row.text = text
    if citations is not None:
        row.citations = list(citations)
    if model is not None:
        row.model = model
    conversation = required(session, ConversationTable, row.conversation_id)
    conversation.updated_at = now()
    session.flush()
    return record(Message, row)


def set_message_state(session: Session, message_id: str, state: MessageState) -> Message:
    """Change the state of a message: queued and streaming again when its run is resumed."""
    row = required(session, MessageTable, message_id)
    row.state = state
    return record(Message, row)


def message(session: Session, message_id: str) -> Message:
    """Return one message. Raises NotFound."""
    return record(Message, required(session, MessageTable, message_id))


def answers(session: Session, message_id: str) -> tuple[Message, ...]:
    """Return every answer below a message, all its batches, oldest first."""
    query = select(MessageTable).where(
        MessageTable.parent_id == message_id, MessageTable.role == "agent", ~MessageTable.hidden
    )
    return tuple(record(Message, row) for row in session.scalars(query.order_by(MessageTable.ordinal)))


def messages_of_run(session: Session, run_id: str) -> tuple[Message, ...]:
    """Return the messages whose text came from this run, oldest first."""
    query = select(MessageTable).where(MessageTable.run_id == run_id).order_by(MessageTable.ordinal)
    return tuple(record(Message, row) for row in session.scalars(query))


def pin_message(session: Session, message_id: str, *, pinned: bool) -> Message:
    """Pin a message, or take its pin away."""
    row = required(session, MessageTable, message_id)
    row.pinned_at = now() if pinned else None
    return record(Message, row)


def show_leaf(session: Session, conversation: ConversationTable, leaf: MessageTable) -> None:
    """Make the message the end of the shown path, and its batch the branch last shown below its parent."""
    conversation.active_leaf_id = leaf.id
    if leaf.parent_id is not None:
        required(session, MessageTable, leaf.parent_id).shown_batch_id = leaf.batch_id
    session.flush()


@dataclass(frozen=True, slots=True)
class Hidden:
    """A message that came from another app and was not shown there; ``raw`` is what the office has no place for."""

    message: Message
    raw: dict[str, Any] | None


def hidden_messages(session: Session, conversation_id: str) -> tuple[Hidden, ...]:
    """Return what came with a conversation and was not shown, in the order written, without what is in the trash."""
    chosen = (
        select(MessageTable, ProvenanceTable.extra)
        .outerjoin(
            ProvenanceTable,
            (ProvenanceTable.record_id == MessageTable.id) & (ProvenanceTable.record_type == "messages"),
        )
        .where(
            MessageTable.conversation_id == conversation_id,
            MessageTable.hidden,
            MessageTable.trashed_at.is_(None),
        )
    )
    rows = session.execute(chosen.order_by(MessageTable.ordinal))
    return tuple(Hidden(record(Message, row), raw) for row, raw in rows)


def _check_parent(session: Session, conversation_id: str, parent_id: str | None) -> None:
    if (
        parent_id is not None
        and required(session, MessageTable, parent_id).conversation_id != conversation_id
    ):
        raise Refused(_("That message belongs to another conversation: open it there."))


def _next_ordinal(session: Session, conversation_id: str) -> int:
    last = select(func.max(MessageTable.ordinal)).where(MessageTable.conversation_id == conversation_id)
    return (session.scalar(last) or 0) + 1


def _carry_attachments(session: Session, row: MessageTable) -> None:
    for identifier in row.attachment_ids:
        attachment = required(session, AttachmentTable, identifier)
        if attachment.conversation_id != row.conversation_id:
            raise Refused(
                _("“{name}” belongs to another conversation: attach it here again.").format(
                    name=attachment.name
                )
            )
        if attachment.message_id is None:
            attachment.message_id = row.id
