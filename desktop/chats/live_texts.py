"""What answers that are being written say by now, also of conversations that are not open."""

from dataclasses import dataclass, field, replace

from agents.events import MessageAdded, MessageChanged, TextDelta, ThinkingDelta
from memory.chats import Message

_ALIVE = ("queued", "streaming")


@dataclass(slots=True)
class _Live:
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)


class LiveTexts:
    """Every delta since an answer began; an answer that ended is forgotten, because it is saved whole."""

    def __init__(self) -> None:
        self._live: dict[str, _Live] = {}

    def apply(self, event: object) -> None:
        """Take what an event adds."""
        if isinstance(event, MessageAdded | MessageChanged):
            message = event.message
            if message.state not in _ALIVE:
                self._live.pop(message.id, None)
            elif message.role == "agent" and message.id not in self._live:
                self._live[message.id] = _Live([message.text], [message.thinking])
        elif isinstance(event, TextDelta) and event.message_id in self._live:
            self._live[event.message_id].text.append(event.text)
        elif isinstance(event, ThinkingDelta) and event.message_id in self._live:
            self._live[event.message_id].thinking.append(event.text)

    def complete(self, message: Message) -> Message:
        """Return the message with what is not yet saved; one that is not being written as it is."""
        live = self._live.get(message.id)
        if live is None or message.state not in _ALIVE:
            return message
        live.text[:] = ["".join(live.text)]
        live.thinking[:] = ["".join(live.thinking)]
        return replace(message, text=live.text[0], thinking=live.thinking[0])
