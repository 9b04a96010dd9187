"""Archives as ChatGPT and Claude send them, made for tests: every variant of their zips, small or large."""

import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes.fromhex(
    "0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def zipped(path: Path, members: Mapping[str, Any]) -> Path:
    """Write a zip; what is neither text nor bytes becomes JSON."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content if isinstance(content, bytes | str) else json.dumps(content))
    return path


def node(
    identifier: str,
    parent: str | None,
    role: str = "",
    content: Any = "",
    at: float | None = 0,
    **fields: Any,
) -> dict[str, Any]:
    """Return one node of a ChatGPT mapping; without a role it has no message."""
    message = None
    if role:
        metadata = fields.pop("metadata", {})
        if isinstance(content, str):
            content = {"content_type": "text", "parts": [content]}
        message = {
            "id": identifier,
            "author": {"role": role, "name": fields.pop("name", None), "metadata": {}},
            "create_time": at,
            "update_time": None,
            "content": content,
            "status": "finished_successfully",
            "end_turn": True,
            "weight": 1.0,
            "recipient": fields.pop("recipient", "all"),
            "channel": None,
            "metadata": metadata,
            **fields,
        }
    return {"id": identifier, "parent": parent, "children": [], "message": message}


def chatgpt(nodes: Iterable[dict[str, Any]], current: str | None, **fields: Any) -> dict[str, Any]:
    """Return a conversation of ChatGPT around its nodes."""
    mapping = {one["id"]: one for one in nodes}
    for one in mapping.values():
        if one["parent"] in mapping:
            mapping[one["parent"]]["children"].append(one["id"])
    return {
        "title": "Tides",
        "create_time": 1_700_000_000.25,
        "update_time": 1_700_000_500.0,
        "mapping": mapping,
        "moderation_results": [],
        "current_node": current,
        "plugin_ids": None,
        "conversation_id": "c-1",
        "conversation_template_id": None,
        "gizmo_id": None,
        "is_archived": False,
        "safe_urls": [],
        "blocked_urls": [],
        "default_model_slug": "gpt-4o",
        "id": "c-1",
        **fields,
    }


def branched(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a conversation with a hidden beginning, a regenerated answer, an edited question and a tool."""
    begun = 1_700_000_000.0
    return chatgpt(
        [
            node("root", None),
            node("system", "root", "system", "", None, metadata={"is_visually_hidden_from_conversation": True}),
            node("q1", "system", "user", "When is high water?", begun),
            node("a1", "q1", "assistant", "At noon.", begun + 5, metadata={"model_slug": "gpt-4"}),
            node("a2", "q1", "assistant", "At one o’clock.", None, metadata={"model_slug": "gpt-4o"}),
            node("q2", "a2", "user", "And low water?", begun + 60),
            node("q2b", "a2", "user", "And how high?", begun + 90),
            node(
                "plan", "q2b", "assistant",
                {"content_type": "thoughts", "thoughts": [{"summary": "Looking", "content": "The table says it."}]},
                begun + 91,
            ),
            node(
                "call", "plan", "assistant",
                {"content_type": "code", "text": "tide()", "language": "python"},
                begun + 92, recipient="python",
            ),
            node(
                "result", "call", "tool", {"content_type": "execution_output", "text": "6.4"},
                begun + 93, name="python",
            ),
            node("a3", "result", "assistant", "6.4 metres.", begun + 95, metadata={"model_slug": "o3"}),
            node("a4", "q2", "assistant", "At seven.", begun + 65),
        ],
        "a3",
        id=f"c-{number}",
        conversation_id=f"c-{number}",
        **fields,
    )  # fmt: skip


def claude(identifier: str, messages: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    """Return a conversation of Claude around its messages."""
    return {
        "uuid": identifier,
        "name": "Moorings",
        "created_at": "2025-03-01T10:00:00.000000Z",
        "updated_at": "2025-03-01T11:00:00.000000Z",
        "account": {"uuid": "acc"},
        "chat_messages": messages,
        **fields,
    }


def claude_message(identifier: str, sender: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return a message of Claude; ``content`` is made of the text unless it is given."""
    block = {"type": "text", "text": text, "citations": [], "start_timestamp": None, "stop_timestamp": None}
    return {
        "uuid": identifier,
        "sender": sender,
        "text": text,
        "content": [block],
        "created_at": "2025-03-01T10:00:00Z",
        "updated_at": "2025-03-01T10:00:00Z",
        "attachments": [],
        "files": [],
        **fields,
    }
