"""Taking messages out of a tree so that it stays whole: what stood below them hangs on what is left."""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from memory.tables import ConversationTable, MessageTable
from memory.tables.records import required


@dataclass(slots=True)
class _Node:
    parent: str | None
    batch: str
    shown: str | None


def lift(session: Session, conversation_id: str, gone: set[str]) -> set[str]:
    """Take messages out of one conversation's tree, before they are deleted; return those that hang elsewhere now.

    What stood below a message hangs on another column of its batch, where one is left, else on its parent. The
    shown path ends where it did, or at the end of what is left of it. No step depends on the depth.
    """
    nodes = _read(session, conversation_id)
    gone = gone & nodes.keys()
    heirs = _heirs(nodes, gone)
    left = {identifier: node for identifier, node in nodes.items() if identifier not in gone}
    moved = {identifier for identifier, node in left.items() if node.parent in gone}
    for identifier in moved:
        parent = left[identifier].parent
        left[identifier].parent = heirs[parent] if parent else None
    changed = moved | _show_what_is_left(nodes, left, gone)
    for identifier in changed:
        session.execute(
            update(MessageTable)
            .where(MessageTable.id == identifier)
            .values(parent_id=left[identifier].parent, shown_batch_id=left[identifier].shown)
            .execution_options(synchronize_session="fetch")
        )
    conversation = required(session, ConversationTable, conversation_id)
    if conversation.active_leaf_id in gone:
        conversation.active_leaf_id = _end(left, heirs.get(conversation.active_leaf_id))
    if conversation.scroll.get("message") in gone:
        conversation.scroll = {
            name: value for name, value in conversation.scroll.items() if name not in ("message", "offset")
        }
    return moved


def _read(session: Session, conversation_id: str) -> dict[str, _Node]:
    """Return every message of the tree, in the order written, so that a parent comes before its children."""
    chosen = (
        select(*(MessageTable.id, MessageTable.parent_id, MessageTable.batch_id, MessageTable.shown_batch_id))
        .where(MessageTable.conversation_id == conversation_id)
        .order_by(MessageTable.ordinal)
    )
    return {row[0]: _Node(row[1], row[2], row[3]) for row in session.execute(chosen)}


def _heirs(nodes: dict[str, _Node], gone: set[str]) -> dict[str, str | None]:
    """Return for each message that goes the one that takes what is below it, None for the tree's root."""
    columns: dict[str, str] = {}
    for identifier, node in nodes.items():
        if identifier not in gone:
            columns.setdefault(node.batch, identifier)
    heirs: dict[str, str | None] = {}
    for identifier, node in nodes.items():
        if identifier in gone:
            beside = columns.get(node.batch)
            heirs[identifier] = beside or (heirs[node.parent] if node.parent in gone else node.parent)
    return heirs


def _show_what_is_left(nodes: dict[str, _Node], left: dict[str, _Node], gone: set[str]) -> set[str]:
    """Let each message show a branch that is still below it; return those for which that changed."""
    below: dict[str | None, set[str]] = {}
    for node in left.values():
        below.setdefault(node.parent, set()).add(node.batch)
    next_shown = {nodes[identifier].batch: nodes[identifier].shown for identifier in gone}
    changed = set()
    for identifier, node in left.items():
        shown = node.shown
        while shown in next_shown and shown not in below.get(identifier, ()):
            shown = next_shown[shown]
        if shown not in below.get(identifier, ()):
            shown = None
        if shown != node.shown:
            node.shown = shown
            changed.add(identifier)
    return changed


def _end(left: dict[str, _Node], start: str | None) -> str | None:
    """Return the end of the path that goes on below a message as it was last shown; None starts at the roots."""
    below: dict[str | None, dict[str, str]] = {}
    for identifier, node in left.items():
        below.setdefault(node.parent, {}).setdefault(node.batch, identifier)
    here = start
    while batches := below.get(here):
        shown = left[here].shown if here is not None else None
        latest = next(reversed(batches.values()))
        here = batches.get(shown, latest) if shown else latest
    return here
