"""What the office tells its faces, and the bus that carries it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from memory.attachments import Attachment
from memory.chats import Message
from memory.runs import Run

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    """A conversation's own row changed, or it came, or it went."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class MessageAdded:
    """A message was committed."""

    message: Message


@dataclass(frozen=True, slots=True)
class MessageChanged:
    """A message's committed row changed."""

    message: Message


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Text that a run's own model just wrote; it is committed within a quarter of a second."""

    message_id: str
    run_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """Thinking that a run's own model just wrote."""

    message_id: str
    run_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A run calls a tool."""

    message_id: str
    run_id: str
    call_id: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool answered, or failed with ``result`` as the reason."""

    message_id: str
    run_id: str
    call_id: str
    result: str
    failed: bool


@dataclass(frozen=True, slots=True)
class RunChanged:
    """A run's committed row changed."""

    run: Run


@dataclass(frozen=True, slots=True)
class AttachmentChanged:
    """A file was added, read, or could not be read."""

    attachment: Attachment


@dataclass(frozen=True, slots=True)
class NotesChanged:
    """Notes were proposed, accepted, superseded or removed."""


@dataclass(frozen=True, slots=True)
class ConnectionsChanged:
    """Provider accounts were added, checked or removed."""


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """Agents were added, edited or archived."""


@dataclass(frozen=True, slots=True)
class OutboxChanged:
    """A request left this machine, or was answered."""


@dataclass(frozen=True, slots=True)
class RecallChanged:
    """The recall process changed its state."""

    state: str


@dataclass(frozen=True, slots=True)
class Erased:
    """These are gone for good, by id: forget what is shown, cached or copied of them.

    ``touched`` are conversations that stay but look different now.
    """

    conversations: frozenset[str]
    messages: frozenset[str]
    files: frozenset[str]
    notes: frozenset[str]
    agents: frozenset[str]
    connections: frozenset[str]
    touched: frozenset[str]


@dataclass(frozen=True, slots=True)
class ErasureProved:
    """A search for traces has ended: ``state`` is ``scanning`` while the full one goes on, ``clean`` or ``traces``."""

    report_id: str
    level: str
    state: str


@dataclass(frozen=True, slots=True)
class TrashChanged:
    """Things were put into the trash or taken out of it, held or restricted."""


@dataclass(frozen=True, slots=True)
class PurposesChanged:
    """A purpose was switched off or on again, for an agent or for all."""


@dataclass(frozen=True, slots=True)
class RetentionAsks:
    """The clock jumped, so ``count`` things that are due stay until their owner confirms that they go.

    ``ahead`` is by how many milliseconds it is ahead of the devices that the office syncs with, 0 where it is not.
    """

    count: int
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class OfficePaused:
    """Reads and writes wait until OfficeResumed; ``sentence`` says why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class OfficeResumed:
    """What waited goes on."""


@dataclass(frozen=True, slots=True)
class AppLocked:
    """Nothing of the office is to be seen until its owner unlocks it."""


@dataclass(frozen=True, slots=True)
class AppUnlocked:
    """The owner is there again."""


@dataclass(frozen=True, slots=True)
class BackupsChanged:
    """A backup was made or removed, or another folder was chosen for them."""


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """Settings arrived from another device."""


@dataclass(frozen=True, slots=True)
class SyncSwitched:
    """Sync was turned on, paused or left, or its owner chose anew what syncs."""


@dataclass(frozen=True, slots=True)
class SyncChanged:
    """A round of sync began or ended, another one is due at another time, or a conflict was decided."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence for the owner and, where there is one, the fix."""

    sentence: str
    fix: str = ""
    held_up: str = ""
    """Id of the run whose end waits for what the sentence tells of, such as a full disk; empty for none."""


Event = (
    AppLocked
    | AppUnlocked
    | BackupsChanged
    | ConversationChanged
    | MessageAdded
    | MessageChanged
    | TextDelta
    | ThinkingDelta
    | ToolStarted
    | ToolFinished
    | RunChanged
    | AttachmentChanged
    | NotesChanged
    | ConnectionsChanged
    | RosterChanged
    | OutboxChanged
    | PurposesChanged
    | RecallChanged
    | Erased
    | ErasureProved
    | TrashChanged
    | RetentionAsks
    | OfficePaused
    | OfficeResumed
    | SettingsChanged
    | SyncChanged
    | SyncSwitched
    | Notice
)


class EventBus:
    """Calls every subscriber, in the order of subscription, on the thread of the event loop.

    A subscriber that raises is reported in the log and hears the next event like every other one.
    """

    def __init__(self) -> None:
        self._subscribers: dict[object, Callable[[Event], None]] = {}

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``callback`` with every event from now on; returns the function that ends it."""
        ticket = object()
        self._subscribers[ticket] = callback

        def unsubscribe() -> None:
            self._subscribers.pop(ticket, None)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell every subscriber."""
        for callback in tuple(self._subscribers.values()):
            try:
                callback(event)
            except Exception:
                log.exception("A subscriber failed on %s", type(event).__name__)
