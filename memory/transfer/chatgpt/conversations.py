"""A conversation of ChatGPT: a mapping of nodes, of which one is the end of what was shown."""

from typing import Any

from memory.transfer.chatgpt.contents import said
from memory.transfer.chatgpt.members import Members
from memory.transfer.incoming import IncomingConversation, Malformed, instant, leftover, words
from memory.transfer.trees import Node, arranged
from resources.language import gettext as _

_KNOWN = frozenset(
    (
        *("id", "conversation_id", "title", "create_time", "update_time", "mapping", "current_node"),
        *("is_archived", "is_starred", "pinned_time", "default_model_slug", "safe_urls", "blocked_urls"),
        *("moderation_results", "plugin_ids"),
    )
)


def conversation_of(record: dict[str, Any], members: Members, brought_at: int) -> IncomingConversation:
    """Return the conversation with every branch; one without any time is of ``brought_at``. Raises Malformed."""
    identifier = words(record.get("conversation_id")) or words(record.get("id"))
    mapping = record.get("mapping")
    if not identifier:
        raise Malformed(_("it has no id"))
    if not isinstance(mapping, dict):
        raise Malformed(_("it has no messages where they belong"))
    model = words(record.get("default_model_slug"))
    nodes = {str(key): _node(key, node, members, model) for key, node in mapping.items()}
    times = [node.at for node in nodes.values() if node.at is not None]
    own = instant(record.get("create_time")) or instant(record.get("update_time"))
    began = own or min(times, default=brought_at)
    messages, leaf = arranged(nodes, words(record.get("current_node")) or None, began)
    return IncomingConversation(
        original_id=identifier,
        title=words(record.get("title")),
        created_at=began,
        updated_at=instant(record.get("update_time")) or max(times, default=began),
        messages=messages,
        leaf=leaf,
        archived=record.get("is_archived") is True,
        pinned=record.get("is_starred") is True or instant(record.get("pinned_time")) is not None,
        extra=leftover(record, _KNOWN),
    )


def _node(key: str, node: object, members: Members, model: str) -> Node:
    if not isinstance(node, dict):
        raise Malformed(_("its message {id} is no record").format(id=key[:36]))
    message = node.get("message")
    parent = words(node.get("parent")) or None
    if not isinstance(message, dict):
        return Node(parent, None, None)
    at = instant(message.get("create_time")) or instant(message.get("update_time"))
    return Node(parent, at, said(message, members, model))
