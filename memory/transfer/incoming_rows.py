"""From an incoming conversation to the rows that are written, in the order in which they may be written."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from memory.blobs import Blob
from memory.identifiers import new_id
from memory.tables import AttachmentTable, BlobTable, ConversationTable, MessageTable, ProvenanceTable
from memory.tables.base import mended
from memory.titles import one_line, title_from
from memory.transfer.incoming import IncomingConversation, IncomingFile, IncomingMessage, derived_id
from resources.language import gettext as _

NAMES = {"chatgpt": "ChatGPT", "claude": "Claude"}
"""Under which answers from elsewhere stand; no agent of the team is called so."""

_TABLES = (ConversationTable, MessageTable, BlobTable, AttachmentTable, ProvenanceTable)
COLUMNS: dict[str, tuple[str, ...]] = {
    table.__tablename__: tuple(column.name for column in table.__table__.columns) for table in _TABLES
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "conversation": {"model": "", "effort": "", "draft": "{}", "scroll": "{}", "restricted": False},
    "message": {"position": 0, "citations": "[]", "state": "complete", "restricted": False},
    "blob": {},
    "attachment": {"kind": "", "note": "", "restricted": False},
    "provenance": {},
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its table, the values of all its columns in their order, and its size in characters."""

    table: str
    values: tuple[Any, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A file as it was kept; with a ``reason`` it could not be, and ``blob`` is an empty one."""

    blob: Blob
    reason: str = ""


Keep = Callable[[IncomingFile], Stored | None]
"""Keeps the bytes of a file; None leaves the file out, because its content was erased here."""


@dataclass(frozen=True, slots=True)
class Identities:
    """The ids that a conversation and what is in it get here."""

    source: str
    conversation: IncomingConversation

    @property
    def id(self) -> str:
        """Id of the conversation."""
        return derived_id(self.source, "conversation", self.conversation.original_id)

    def message(self, original_id: str) -> str:
        """Id of a message; a source may use one id in several conversations that were one once."""
        return derived_id(self.source, "message", self.conversation.original_id, original_id)

    def file(self, original_id: str) -> str:
        """Id of a file within the conversation."""
        return derived_id(self.source, "file", self.conversation.original_id, original_id)


def rows_of(
    identities: Identities, import_id: str, gone: frozenset[str], keep: Keep, blobs: set[str]
) -> Iterator[Row]:
    """Yield the rows of a conversation, parents first. ``gone`` are ids of messages and files erased here.

    ``blobs`` names the blobs whose rows are written; those of new files are added.
    """
    conversation = identities.conversation
    messages = _without(identities, gone)
    leaf = _leaf(conversation, {message.original_id for message in messages if not message.hidden})
    yield _conversation(identities, import_id, leaf)
    place = _Place(identities.id, _shown(messages, leaf))
    yield from _said(identities, import_id, messages, place, gone, keep, blobs)
    yield provenance("conversations", identities.id, import_id, conversation.original_id, conversation.extra)


@dataclass(frozen=True, slots=True)
class Growth:
    """What a conversation that is here already grew by at its source.

    The new messages wait in a conversation of their own, ``aside``, that nobody is shown. ``hangs`` says below which
    message of the known one each first of them belongs, ``leaf`` where the shown path ends, if at a new message.
    """

    conversation_id: str
    updated_at: int
    aside: str = field(default_factory=new_id)
    leaf: str | None = None
    hangs: dict[str, str] = field(default_factory=dict)


def growth_of(identities: Identities, gone: frozenset[str], here: frozenset[str]) -> Growth | None:
    """Return what is new of a conversation that is here, None where nothing is. ``here`` are ids of its messages."""
    messages = _without(identities, gone)
    new = {one.original_id for one in messages if identities.message(one.original_id) not in here}
    if not new:
        return None
    leaf = _leaf(identities.conversation, {one.original_id for one in messages if not one.hidden})
    return Growth(
        identities.id,
        identities.conversation.updated_at,
        leaf=identities.message(leaf) if leaf in new and leaf is not None else None,
        hangs={
            identities.message(one.original_id): identities.message(one.parent)
            for one in messages
            if one.original_id in new and one.parent is not None and one.parent not in new
        },
    )


def growth_rows(
    identities: Identities,
    growth: Growth,
    import_id: str,
    gone: frozenset[str],
    here: frozenset[str],
    keep: Keep,
    blobs: set[str],
) -> Iterator[Row]:
    """Yield the rows of what is new, parents first. ``here`` are ids of messages and files of the conversation."""
    messages = _without(identities, gone)
    leaf = _leaf(identities.conversation, {one.original_id for one in messages if not one.hidden})
    yield _row(
        "conversation",
        id=growth.aside,
        title="",
        title_source="rule",
        created_at=growth.updated_at,
        updated_at=growth.updated_at,
        arriving_import_id=import_id,
    )
    place = _Place(growth.aside, _shown(messages, leaf), here, growth.hangs.keys())
    new = [one for one in messages if identities.message(one.original_id) not in here]
    yield from _said(identities, import_id, new, place, gone, keep, blobs)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where messages are written: their conversation, the branch shown below each, and what is there already.

    ``first`` are the ids of messages whose parent is elsewhere until the import is shown.
    """

    conversation_id: str
    shown: dict[str, str]
    here: frozenset[str] = frozenset()
    first: Collection[str] = ()


def _said(
    identities: Identities,
    import_id: str,
    messages: Iterable[IncomingMessage],
    place: _Place,
    gone: frozenset[str],
    keep: Keep,
    blobs: set[str],
) -> Iterator[Row]:
    """Yield the rows of messages with their files and where they come from."""
    carried: set[str] = set()
    for ordinal, message in enumerate(messages, 1):
        files = _kept_files(identities, message, gone | carried | place.here, keep)
        attached = [identities.file(file.original_id) for file in message.files]
        known = carried | place.here | files.keys()
        carried |= files.keys()
        yield _message(
            identities, message, ordinal, [identity for identity in attached if identity in known], place
        )
        yield provenance(
            "messages",
            identities.message(message.original_id),
            import_id,
            message.original_id,
            message.extra,
        )
        for identity, (file, kept) in files.items():
            if kept.blob.id not in blobs:
                blobs.add(kept.blob.id)
                yield _row("blob", **{name: getattr(kept.blob, name) for name in COLUMNS["blob"]})
            yield _attachment(identities, place.conversation_id, identity, message, file, kept)
            yield provenance("files", identity, import_id, file.original_id, None)


def _kept_files(
    identities: Identities, message: IncomingMessage, left_out: frozenset[str], keep: Keep
) -> dict[str, tuple[IncomingFile, Stored]]:
    found = {}
    for file in message.files:
        identity = identities.file(file.original_id)
        if identity not in left_out and (kept := keep(file)) is not None:
            found[identity] = (file, kept)
    return found


def _shown(messages: list[IncomingMessage], leaf: str | None) -> dict[str, str]:
    """Return which branch below each message was shown: on the path to the leaf, else the latest."""
    above = {message.original_id: message.parent for message in messages}
    found = {
        message.parent: message.original_id for message in messages if message.parent and not message.hidden
    }
    while leaf is not None and (parent := above[leaf]) is not None:
        found[parent] = leaf
        leaf = parent
    return found


def _without(identities: Identities, gone: frozenset[str]) -> list[IncomingMessage]:
    """Return the messages but those erased here; what stood below one hangs on what stood above it."""
    messages = identities.conversation.messages
    erased = {one.original_id for one in messages if gone and identities.message(one.original_id) in gone}
    if not erased:
        return list(messages)
    above = {message.original_id: message.parent for message in messages}

    def kept(parent: str | None) -> str | None:
        while parent in erased:
            parent = above[parent]
        return parent

    return [replace(one, parent=kept(one.parent)) for one in messages if one.original_id not in erased]


def _leaf(conversation: IncomingConversation, left: set[str]) -> str | None:
    above = {message.original_id: message.parent for message in conversation.messages}
    leaf = conversation.leaf
    while leaf is not None and leaf not in left:
        leaf = above[leaf]
    return leaf


def _conversation(identities: Identities, import_id: str, leaf: str | None) -> Row:
    conversation = identities.conversation
    title = one_line(conversation.title)
    if not title:
        said = (
            message.text
            for message in conversation.messages
            if message.role == "owner" and not message.hidden
        )
        title = title_from(next(said, ""))
    return _row(
        "conversation",
        id=identities.id,
        title=title,
        title_source="model" if conversation.title else "rule",
        active_leaf_id=identities.message(leaf) if leaf is not None else None,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        pinned_at=conversation.updated_at if conversation.pinned else None,
        archived_at=conversation.updated_at if conversation.archived else None,
        arriving_import_id=import_id,
    )


def _message(
    identities: Identities,
    message: IncomingMessage,
    ordinal: int,
    attachment_ids: list[str],
    place: _Place,
) -> Row:
    identity = identities.message(message.original_id)
    by_agent = message.role == "agent"
    below = place.shown.get(message.original_id)
    parent = message.parent if identity not in place.first else None
    return _row(
        "message",
        id=identity,
        conversation_id=place.conversation_id,
        parent_id=identities.message(parent) if parent is not None else None,
        batch_id=identity,
        ordinal=ordinal,
        shown_batch_id=identities.message(below) if below is not None else None,
        role=message.role,
        agent_name=NAMES[identities.source] if by_agent else "",
        model=message.model,
        text=message.text,
        thinking=message.thinking,
        attachment_ids=json.dumps(attachment_ids),
        created_at=message.created_at,
        hidden=message.hidden,
    )


def _attachment(
    identities: Identities,
    conversation_id: str,
    identity: str,
    message: IncomingMessage,
    file: IncomingFile,
    kept: Stored,
) -> Row:
    return _row(
        "attachment",
        id=identity,
        conversation_id=conversation_id,
        message_id=identities.message(message.original_id),
        blob_id=kept.blob.id,
        name=one_line(file.name) or _("file"),
        media_type=file.media_type,
        size=kept.blob.size,
        state="failed" if kept.reason else "pending",
        reason=kept.reason,
        created_at=message.created_at,
    )


def provenance(
    kind: str, identity: str, import_id: str, original_id: str, extra: dict[str, Any] | None
) -> Row:
    """Return the row that says where a record comes from."""
    return _row(
        "provenance",
        record_type=kind,
        record_id=identity,
        import_id=import_id,
        original_id=original_id,
        extra=json.dumps(extra) if extra else None,
    )


def _row(table: str, **values: Any) -> Row:
    given = _DEFAULTS[table] | values
    columns = tuple(
        mended(value) if isinstance(value, str) else value
        for value in (given.get(name) for name in COLUMNS[table])
    )
    return Row(table, columns, sum(len(value) for value in columns if isinstance(value, str)))
