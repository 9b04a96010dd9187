"""Files given to a conversation."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a conversation; its content is the encrypted blob ``blob_id``, ``size`` is in bytes."""

    id: str
    conversation_id: str
    message_id: str | None
    blob_id: str
    name: str
    kind: str
    media_type: str
    size: int
    pages: int | None
    characters: int | None
    state: Literal["pending", "reading", "ready", "failed"]
    reason: str
    note: str
    created_at: int
