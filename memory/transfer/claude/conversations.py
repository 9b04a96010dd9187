"""A conversation of Claude: a list of messages that name the one before, or do not."""

import mimetypes
from datetime import UTC, datetime
from typing import Any

from memory.transfer.incoming import (
    LATEST,
    IncomingConversation,
    IncomingFile,
    Malformed,
    leftover,
    words,
)
from memory.transfer.trees import Node, Said, arranged
from resources.language import gettext as _

_CONVERSATION = frozenset(
    (
        *(
            "uuid",
            "conversation_id",
            "name",
            "created_at",
            "updated_at",
            "chat_messages",
            "account",
            "settings",
        ),
        *("is_starred", "current_leaf_message_uuid", "project_uuid", "project", "model"),
    )
)
_MESSAGE = frozenset(
    (
        *("uuid", "sender", "text", "content", "created_at", "updated_at", "index", "truncated"),
        *("parent_message_uuid", "attachments", "files", "files_v2"),
    )
)
_PLAIN = frozenset(("text", "thinking", "voice_note"))


def conversation_of(record: dict[str, Any], brought_at: int) -> IncomingConversation:
    """Return the conversation with every branch; one without any time is of ``brought_at``. Raises Malformed."""
    identifier = words(record.get("uuid")) or words(record.get("conversation_id"))
    listed = record.get("chat_messages")
    if not identifier:
        raise Malformed(_("it has no id"))
    if not isinstance(listed, list):
        raise Malformed(_("it has no messages where they belong"))
    nodes = _nodes(listed, words(record.get("model")))
    times = [node.at for node in nodes.values() if node.at is not None]
    began = moment(record.get("created_at")) or min(times, default=brought_at)
    messages, leaf = arranged(nodes, words(record.get("current_leaf_message_uuid")) or None, began)
    project = record.get("project")
    return IncomingConversation(
        original_id=identifier,
        title=words(record.get("name")),
        created_at=began,
        updated_at=moment(record.get("updated_at")) or max(times, default=began),
        messages=messages,
        leaf=leaf,
        pinned=record.get("is_starred") is True,
        project=words(record.get("project_uuid"))
        or (words(project.get("uuid")) if isinstance(project, dict) else ""),
        extra=leftover(record, _CONVERSATION),
    )


def moment(value: object) -> int | None:
    """Return an ISO time as milliseconds, None for what is no time."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        milliseconds = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return milliseconds if 0 < milliseconds <= LATEST else None


def document_name(name: str) -> str:
    """Return a name under which extracted text is read as text, whatever the file was that it came from."""
    kind = mimetypes.guess_type(name)[0] or ""
    return name if kind.startswith("text/") else f"{name}.txt"


def _nodes(listed: list[Any], model: str) -> dict[str, Node]:
    messages = []
    for message in listed:
        if not isinstance(message, dict) or not words(message.get("uuid")):
            raise Malformed(_("one of its messages is no record with an id"))
        messages.append(message)
    if len({message["uuid"] for message in messages}) != len(messages):
        raise Malformed(_("two of its messages have the same id"))
    linked = any(words(message.get("parent_message_uuid")) for message in messages)
    if not linked:
        messages.sort(key=_place)
    nodes: dict[str, Node] = {}
    before: str | None = None
    for message in messages:
        identifier = message["uuid"]
        parent = words(message.get("parent_message_uuid")) or None if linked else before
        nodes[identifier] = Node(parent, moment(message.get("created_at")), _said(message, model))
        before = identifier
    return nodes


def _place(message: dict[str, Any]) -> tuple[int, int]:
    index = message.get("index")
    at = moment(message.get("created_at"))
    return (index if isinstance(index, int) else 0, at or 0)


def _said(message: dict[str, Any], model: str) -> Said:
    by_owner = message.get("sender") == "human"
    listed = message.get("content")
    blocks = [block for block in listed if isinstance(block, dict)] if isinstance(listed, list) else []
    text = "\n\n".join(part for block in blocks if (part := _text(block)))
    thinking = "\n\n".join(
        words(block.get("thinking")) for block in blocks if block.get("type") == "thinking"
    )
    files = _files(message)
    text = text or words(message.get("text"))
    return Said(
        role="owner" if by_owner else "agent",
        text=text,
        thinking=thinking,
        model="" if by_owner else words(message.get("model")) or model,
        hidden=not (text.strip() or thinking.strip() or files),
        files=files,
        extra=_extra(message, blocks),
    )


def _text(block: dict[str, Any]) -> str:
    if block.get("type") == "voice_note":
        return "\n\n".join(part for part in (words(block.get("title")), words(block.get("text"))) if part)
    return words(block.get("text")) if block.get("type") == "text" else ""


def _extra(message: dict[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any] | None:
    found = leftover(message, _MESSAGE) or {}
    # Tools, citations and whatever is new: the blocks say where in the answer they stood, so all are kept.
    if any(block.get("type") not in _PLAIN or block.get("citations") for block in blocks):
        found["content"] = [
            block
            if block.get("type") not in _PLAIN or block.get("citations")
            else {"type": block.get("type")}
            for block in blocks
        ]
    return found or None


def _files(message: dict[str, Any]) -> tuple[IncomingFile, ...]:
    found: dict[str, IncomingFile] = {}
    for number, one in enumerate(_records(message.get("attachments"))):
        name = words(one.get("file_name")) or _("pasted text")
        identifier = words(one.get("id")) or f"{message['uuid']}/attachments/{number}"
        extracted = words(one.get("extracted_content"))
        content = extracted.encode("utf-8", "replace") if extracted else None
        found[identifier] = IncomingFile(
            identifier,
            document_name(name) if extracted else name,
            words(one.get("file_type")),
            content=content,
        )
    for number, one in enumerate((*_records(message.get("files")), *_records(message.get("files_v2")))):
        name = words(one.get("file_name"))
        identifier = words(one.get("file_uuid")) or f"{message['uuid']}/files/{number}"
        if name and all(file.name != name for file in found.values()):
            found.setdefault(identifier, IncomingFile(identifier, name))
    return tuple(found.values())


def _records(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
