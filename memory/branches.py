"""The shown path through a conversation's tree of messages, and the switch to another branch of it.

``outline`` walks the tree on an index without touching a text, so a conversation of 10,000 messages opens by
its outline and the turns in sight; ``path`` reads everything.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from memory.chats import Conversation, Message, Step, Turn
from memory.errors import Refused
from memory.messages import show_leaf
from memory.tables import ConversationTable, MessageTable
from memory.tables.records import record, required
from resources.language import gettext as _

_VARIABLES = 500
"""Ids named in one query."""

_RECENT = 100
"""Turns read at a time, from the end."""

_NAMES = tuple(Message.__dataclass_fields__)
_LISTS = (_NAMES.index("citations"), _NAMES.index("attachment_ids"))
_RESTRICTED = _NAMES.index("restricted")

# Plain SQL without the mapper's conversions: for 10,000 messages that is three times as fast.
_MESSAGES = f"SELECT {', '.join(_NAMES)} FROM message WHERE trashed_at IS NULL AND "  # noqa: S608 (our own names)
_TEXTS = "SELECT id, text FROM message WHERE conversation_id = ? AND hidden = 0 AND trashed_at IS NULL"
_TREE = (
    "SELECT id, parent_id, batch_id FROM message WHERE conversation_id = ? AND hidden = 0 ORDER BY ordinal"
)
_TAIL = """
    WITH RECURSIVE shown(id, parent_id, batch_id, depth) AS (
        SELECT id, parent_id, batch_id, 1 FROM message WHERE id = ?
        UNION ALL
        SELECT m.id, m.parent_id, m.batch_id, depth + 1
        FROM message AS m JOIN shown ON m.id = shown.parent_id WHERE depth < ?
    )
    SELECT id, parent_id, batch_id FROM shown ORDER BY depth DESC
"""
_FIRST = (
    "SELECT id, batch_id FROM message "
    "WHERE conversation_id = ? AND parent_id IS NULL AND hidden = 0 ORDER BY ordinal"
)
_BELOW = "SELECT id, batch_id FROM message WHERE parent_id = ? AND hidden = 0 ORDER BY ordinal"


def path(session: Session, conversation_id: str) -> tuple[Turn, ...]:
    """Return every turn of the shown path, first to last, with its texts. Raises NotFound."""
    steps = outline(session, conversation_id)
    if len(steps) <= _VARIABLES:
        return turns(session, steps)
    return _filled(steps, _messages(session, "conversation_id = ?", [conversation_id]))


def tail(session: Session, conversation_id: str, limit: int = 40) -> tuple[Turn, ...]:
    """Return the last turns of the shown path with their texts; takes as long however long the path is.

    For the first paint; ``outline`` then tells the rest. Raises NotFound.
    """
    leaf_id = required(session, ConversationTable, conversation_id).active_leaf_id
    connection = session.connection()
    steps = []
    for _id, parent_id, batch_id in connection.exec_driver_sql(_TAIL, (leaf_id, limit)):
        siblings: dict[str, list[str]] = {}
        sql, key = (_FIRST, conversation_id) if parent_id is None else (_BELOW, parent_id)
        for identifier, batch in connection.exec_driver_sql(sql, (key,)):
            siblings.setdefault(batch, []).append(identifier)
        steps.append(Step(tuple(siblings[batch_id]), list(siblings).index(batch_id) + 1, len(siblings)))
    return turns(session, steps) if steps else turns(session, outline(session, conversation_id)[-limit:])


def outline(session: Session, conversation_id: str) -> tuple[Step, ...]:
    """Return every turn of the shown path without its texts. Raises NotFound."""
    leaf_id = required(session, ConversationTable, conversation_id).active_leaf_id
    tree = _Tree.read(session, conversation_id)
    if leaf_id not in tree.parents:
        # The leaf was erased: the latest message is the best guess of what was shown.
        leaf_id = next(reversed(tree.parents), None)
    steps = []
    while leaf_id is not None:
        parent_id, batch_id = tree.parents[leaf_id], tree.batch_of[leaf_id]
        siblings = tree.branches[parent_id]
        here = list(siblings).index(batch_id) + 1 if len(siblings) > 1 else 1
        steps.append(Step(tuple(siblings[batch_id]), here, len(siblings)))
        leaf_id = parent_id
    return tuple(reversed(steps))


def turns(session: Session, steps: Sequence[Step]) -> tuple[Turn, ...]:
    """Return the turns of a stretch of the outline with their texts, without messages erased meanwhile."""
    wanted = [identifier for step in steps for identifier in step.message_ids]
    found: dict[str, Message] = {}
    for start in range(0, len(wanted), _VARIABLES):
        some = wanted[start : start + _VARIABLES]
        found |= _messages(session, f"id IN ({', '.join('?' * len(some))})", some)
    return _filled(steps, found)


def containing(session: Session, conversation_id: str, text: str) -> tuple[str, ...]:
    """Return the ids of the messages of the shown path that contain a text, whatever its case, first to last.

    An empty text is contained in none. Raises NotFound.
    """
    wanted = text.strip().casefold()
    steps = outline(session, conversation_id)
    if not wanted:
        return ()
    found = {
        identifier
        for identifier, words in session.connection().exec_driver_sql(_TEXTS, (conversation_id,))
        if wanted in words.casefold()
    }
    return tuple(each for step in steps for each in step.message_ids if each in found)


def recent_turns(session: Session, leaf_id: str | None, *, characters: int) -> tuple[tuple[Turn, ...], int]:
    """Return the last turns down to a message, with every column, and how many older ones were not read.

    Reading ends with the turn that brings their texts to so many characters. Raises NotFound.
    """
    if leaf_id is None:
        return (), 0
    leaf = required(session, MessageTable, leaf_id)
    tree = _Tree.read(session, leaf.conversation_id)
    steps: list[Step] = []
    here: str | None = leaf_id
    while here is not None:
        parent_id = tree.parents[here]
        steps.append(Step(tuple(tree.branches[parent_id][tree.batch_of[here]]), 1, 1))
        here = parent_id
    found: list[Turn] = []
    for start in range(0, len(steps), _RECENT):
        for turn in turns(session, steps[start : start + _RECENT]):
            found.append(turn)
            characters -= sum(len(message.text) for message in turn.messages)
            if characters <= 0:
                return tuple(reversed(found)), len(steps) - len(found)
    return tuple(reversed(found)), 0


def branch(session: Session, message_id: str, step: int) -> Conversation:
    """Show the alternative ``step`` places after (or before) the branch that holds the message.

    Below it the path goes on as it was last shown. Past the last alternative comes the first.
    Raises NotFound, or Refused where the message has no alternative.
    """
    row = required(session, MessageTable, message_id)
    conversation = required(session, ConversationTable, row.conversation_id)
    tree = _Tree.read(session, conversation.id)
    siblings = tree.branches[row.parent_id]
    if len(siblings) < 2:
        raise Refused(_("This message has no other version: edit or regenerate it to make one."))
    batches = list(siblings)
    chosen = siblings[batches[(batches.index(row.batch_id) + step) % len(batches)]][0]
    show_leaf(session, conversation, required(session, MessageTable, chosen))
    conversation.active_leaf_id = _leaf_below(session, tree, chosen)
    session.flush()
    return record(Conversation, conversation)


def reveal(session: Session, message_id: str) -> Conversation:
    """Show the branch that holds the message, as a search result or a citation does. Raises NotFound."""
    row = required(session, MessageTable, message_id)
    conversation = required(session, ConversationTable, row.conversation_id)
    tree = _Tree.read(session, conversation.id)
    here: str | None = row.id
    while here is not None:
        parent_id = tree.parents[here]
        if parent_id is not None:
            required(session, MessageTable, parent_id).shown_batch_id = tree.batch_of[here]
        here = parent_id
    first_column = tree.branches[row.parent_id][row.batch_id][0]
    conversation.active_leaf_id = _leaf_below(session, tree, first_column)
    session.flush()
    return record(Conversation, conversation)


@dataclass(slots=True)
class _Tree:
    parents: dict[str, str | None] = field(default_factory=dict)
    """Every message, in the order written."""
    batch_of: dict[str, str] = field(default_factory=dict)
    branches: dict[str | None, dict[str, list[str]]] = field(default_factory=dict)
    """Parent to its batches, in the order written, to their columns."""

    @classmethod
    def read(cls, session: Session, conversation_id: str) -> "_Tree":
        tree = cls()
        parents, batch_of, branches = tree.parents, tree.batch_of, tree.branches
        for identifier, parent_id, batch_id in session.connection().exec_driver_sql(
            _TREE, (conversation_id,)
        ):
            parents[identifier] = parent_id
            batch_of[identifier] = batch_id
            branches.setdefault(parent_id, {}).setdefault(batch_id, []).append(identifier)
        return tree


def _leaf_below(session: Session, tree: _Tree, identifier: str) -> str:
    while batches := tree.branches.get(identifier):
        shown = required(session, MessageTable, identifier).shown_batch_id
        latest = next(reversed(batches))
        identifier = batches[shown if shown in batches else latest][0]
    return identifier


def _messages(session: Session, condition: str, values: list[str]) -> dict[str, Message]:
    found = {}
    for row in session.connection().exec_driver_sql(_MESSAGES + condition, tuple(values)).fetchall():
        columns = list(row)
        for index in _LISTS:
            columns[index] = () if columns[index] == "[]" else tuple(json.loads(columns[index]))
        columns[_RESTRICTED] = bool(columns[_RESTRICTED])
        found[row[0]] = Message(*columns)
    return found


def _filled(steps: Iterable[Step], found: dict[str, Message]) -> tuple[Turn, ...]:
    filled = (
        (tuple(found[identifier] for identifier in step.message_ids if identifier in found), step)
        for step in steps
    )
    return tuple(Turn(messages, step.alternative, step.alternatives) for messages, step in filled if messages)
