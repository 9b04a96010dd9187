"""What a message of ChatGPT says, by the type of its content, and whether ChatGPT showed it."""

import re
from dataclasses import dataclass, field
from typing import Any

from memory.transfer.chatgpt.citing import with_links
from memory.transfer.chatgpt.members import Members, file_id
from memory.transfer.incoming import IncomingFile, words
from memory.transfer.trees import Said
from resources.language import gettext as _

_FENCES = re.compile(r"`{3,}")
_KEPT = (
    "attachments",
    "citations",
    "content_references",
    "search_result_groups",
    "user_context_message_data",
)
"""Of the metadata, what says something that the office has no column for."""


@dataclass(slots=True)
class _Content:
    text: str = ""
    thinking: str = ""
    pointers: list[dict[str, Any]] = field(default_factory=list)
    kept: bool = False
    """Whether it goes into the provenance as it came."""


def said(message: dict[str, Any], members: Members, default_model: str) -> Said:
    """Return what a message says; what the office has no place for stands in ``extra``."""
    author = _record(message.get("author"))
    metadata = _record(message.get("metadata"))
    role = words(author.get("role"))
    raw = message.get("content")
    content = _content(raw if isinstance(raw, dict) else {})
    files = _files(content.pointers, metadata, members)
    text = with_links(content.text, metadata)
    by_owner = role == "user" or (role == "system" and metadata.get("is_user_system_message") is True)
    model = words(metadata.get("model_slug")) or default_model
    return Said(
        role="owner" if by_owner else "agent",
        text=text,
        thinking=content.thinking,
        model="" if by_owner else model,
        hidden=_hidden(message, role, metadata, bool(files))
        or not (text.strip() or files or content.thinking),
        ahead=bool(content.thinking) and role == "assistant",
        files=files,
        extra=_extra(message, author, metadata, raw if content.kept else None),
    )


def _hidden(message: dict[str, Any], role: str, metadata: dict[str, Any], has_files: bool) -> bool:
    if metadata.get("is_visually_hidden_from_conversation") is True:
        return True
    if role == "user":
        return False
    if role == "system":
        return metadata.get("is_user_system_message") is not True
    if role == "assistant":
        return message.get("recipient") not in (None, "", "all")
    # What tools say was never shown, but for the pictures they made.
    return not has_files


def _extra(
    message: dict[str, Any], author: dict[str, Any], metadata: dict[str, Any], raw: Any
) -> dict[str, Any] | None:
    found: dict[str, Any] = {name: metadata[name] for name in _KEPT if metadata.get(name)}
    if author.get("role") not in ("user", "assistant"):
        found["author"] = author
    for name in ("recipient", "channel"):
        if message.get(name) not in (None, "", "all", "final"):
            found[name] = message[name]
    if raw is not None:
        found["content"] = raw
    return found or None


def _content(raw: dict[str, Any]) -> _Content:
    kind = words(raw.get("content_type"))
    if kind in ("", "text", "multimodal_text"):
        return _parts(raw)
    if kind in ("code", "execution_output"):
        language = words(raw.get("language"))
        return _Content(_fenced(words(raw.get("text")), "" if language == "unknown" else language))
    if kind == "thoughts":
        thoughts = raw.get("thoughts")
        told = (
            [_thought(one) for one in thoughts if isinstance(one, dict)] if isinstance(thoughts, list) else []
        )
        return _Content(thinking="\n\n".join(told))
    return _rarer(kind, raw)


def _rarer(kind: str, raw: dict[str, Any]) -> _Content:
    title, address, text = (words(raw.get(name)) for name in ("title", "url", "text"))
    if kind == "reasoning_recap":
        return _Content(thinking=words(raw.get("content")), kept=True)
    if kind in ("tether_quote", "sonic_webpage"):
        quoted = "\n".join(f"> {line}" for line in (text or words(raw.get("snippet"))).splitlines())
        return _Content("\n\n".join(part for part in (title, address, quoted) if part), kept=True)
    if kind == "tether_browsing_display":
        return _Content(words(raw.get("result")), kept=True)
    if kind == "system_error":
        return _Content(": ".join(part for part in (words(raw.get("name")), text) if part), kept=True)
    if kind == "user_editable_context":
        told = (words(raw.get(name)) for name in ("user_profile", "user_instructions"))
        return _Content("\n\n".join(part for part in told if part), kept=True)
    if kind == "model_editable_context":
        return _Content(words(raw.get("model_set_context")), kept=True)
    readable = text or _parts(raw).text
    return _Content(readable or _("[“{kind}”, kept as it came]").format(kind=kind), kept=True)


def _parts(raw: dict[str, Any]) -> _Content:
    found, texts = _Content(), []
    parts = raw.get("parts")
    for part in parts if isinstance(parts, list) else [words(raw.get("text"))]:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            kind = words(part.get("content_type"))
            if kind == "audio_transcription":
                texts.append(words(part.get("text")))
            elif pointer := _pointer(part):
                found.pointers.append(pointer)
            else:
                found.kept = True
    found.text = "\n\n".join(text for text in texts if text)
    return found


def _pointer(part: dict[str, Any]) -> dict[str, Any] | None:
    """Return the record that names a file, which video with sound wraps in another."""
    if words(part.get("asset_pointer")):
        return part
    inner = part.get("audio_asset_pointer")
    return inner if isinstance(inner, dict) and words(inner.get("asset_pointer")) else None


def _files(
    pointers: list[dict[str, Any]], metadata: dict[str, Any], members: Members
) -> tuple[IncomingFile, ...]:
    listed = metadata.get("attachments")
    attached = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    files: dict[str, IncomingFile] = {}
    for one in attached:
        if identifier := words(one.get("id")):
            member = members.find(identifier)
            name = words(one.get("name")) or member.rpartition("/")[2] or identifier
            files[identifier] = IncomingFile(identifier, name, words(one.get("mime_type")), member)
    for one in pointers:
        identifier = file_id(words(one.get("asset_pointer")))
        if identifier not in files:
            member = members.find(identifier)
            files[identifier] = IncomingFile(identifier, member.rpartition("/")[2] or identifier, "", member)
    return tuple(files.values())


def _thought(thought: dict[str, Any]) -> str:
    summary, content = words(thought.get("summary")), words(thought.get("content"))
    return "\n\n".join(part for part in (f"**{summary}**" if summary else "", content) if part)


def _fenced(text: str, language: str) -> str:
    if not text:
        return ""
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCES.findall(text))])
    return f"{fence}{language}\n{text}\n{fence}"


def _record(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
