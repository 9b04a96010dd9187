"""Projects of Claude, which become agents with their files, and memories, which become notes."""

from collections.abc import Iterator
from typing import Any

from memory.transfer.claude.conversations import document_name, moment
from memory.transfer.incoming import (
    Incoming,
    IncomingAgent,
    IncomingConversation,
    IncomingFile,
    IncomingMessage,
    IncomingNote,
    Malformed,
    Problem,
    leftover,
    words,
)
from resources.language import gettext as _

_PROJECT = frozenset(
    ("uuid", "name", "description", "prompt_template", "created_at", "updated_at", "creator", "docs")
)


def project_of(record: object, brought_at: int) -> Iterator[Incoming]:
    """Yield the agent of a project and, where it has files, the conversation that holds them. Raises Malformed."""
    if not isinstance(record, dict):
        raise Malformed(_("it is no record"))
    identifier, name = words(record.get("uuid")), " ".join(words(record.get("name")).split())
    if not identifier:
        raise Malformed(_("it has no id"))
    if (
        record.get("is_starter_project") is True
        and not record.get("docs")
        and not record.get("prompt_template")
    ):
        return
    name = name or _("Project")
    made = moment(record.get("created_at"))
    yield IncomingAgent(
        identifier,
        name,
        words(record.get("description")),
        words(record.get("prompt_template")),
        made,
        leftover(record, _PROJECT),
    )
    docs = record.get("docs")
    files = tuple(_document(one) for one in docs if isinstance(one, dict)) if isinstance(docs, list) else ()
    if not files:
        return
    at = made or brought_at
    title = _("Project files: {name}").format(name=name)
    message = IncomingMessage("files", None, "owner", at, title, files=files)
    changed = moment(record.get("updated_at")) or at
    yield IncomingConversation(
        f"{identifier}/files", title, at, changed, (message,), "files", project=identifier
    )


def notes_of(record: object) -> Iterator[Incoming]:
    """Yield the notes that a file of memories holds; a part that is none is named in a Problem."""
    for number, memory in enumerate(record if isinstance(record, list) else [record], 1):
        if not isinstance(memory, dict):
            yield Problem(
                _("entry {number} of {file}").format(number=number, file="memories.json"),
                _("it is no record"),
            )
            continue
        account = words(memory.get("account_uuid"))
        if text := words(memory.get("conversations_memory")).strip():
            yield IncomingNote(f"{account}/conversations", text)
        projects = memory.get("project_memories")
        for project, told in (projects if isinstance(projects, dict) else {}).items():
            if text := words(told).strip():
                yield IncomingNote(f"{account}/{project}", text, project=str(project))
        yield from _memory_files(memory.get("memory_files"), account)


def _memory_files(listed: Any, account: str) -> Iterator[Incoming]:
    for number, one in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(one, dict) and (text := words(one.get("content")).strip()):
            name = words(one.get("path")) or words(one.get("name")) or str(number)
            yield IncomingNote(f"{account}/files/{name}", text, extra={"file": name})


def _document(doc: dict[str, Any]) -> IncomingFile:
    name = words(doc.get("filename")) or _("pasted text")
    content = words(doc.get("content")).encode("utf-8", "replace")
    return IncomingFile(words(doc.get("uuid")) or name, document_name(name), content=content)
