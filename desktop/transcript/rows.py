"""What a transcript shows, as plain frozen values; nothing here knows Qt or the office."""

from dataclasses import dataclass
from enum import StrEnum

from resources.language import gettext as _


class RowKind(StrEnum):
    """OWNER: the owner's message; AGENTS: one answer or several side by side; NOTICE, ERROR: the office."""

    OWNER = "owner"
    AGENTS = "agents"
    NOTICE = "notice"
    ERROR = "error"


class MessageState(StrEnum):
    """Where a message stands; INTERRUPTED is a run that the office's end cut off."""

    COMPLETE = "complete"
    STREAMING = "streaming"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    FAILED = "failed"
    QUEUED = "queued"


class Tone(StrEnum):
    """Colour and icon of a notice."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent with a message; ``detail`` stands after its name ("all 41 pages · 18,200 tokens").

    ``picture`` is a small PNG of it where the icon is ``image`` and it could be made. ``dim`` greys it.
    """

    id: str
    name: str
    detail: str = ""
    icon: str = "attach"
    picture: bytes = b""
    dim: bool = False


@dataclass(frozen=True, slots=True)
class Citation:
    """One cited place. The text names it by its index: ``[p. 12](cite:0)`` becomes a chip within the line."""

    label: str
    file: str = ""
    quote: str = ""


class ToolState(StrEnum):
    """Where a tool call stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool call of an answer: a line ("Read pages 10–16"), its state and folded details."""

    id: str
    title: str
    state: ToolState = ToolState.DONE
    details: str = ""
    meta: str = ""


@dataclass(frozen=True, slots=True)
class RowAction:
    """A button under a message; ``name`` comes back through ``TranscriptView.action_requested``."""

    name: str
    label: str
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence of the office with its doors ("Open Keys") and folded details."""

    sentence: str
    tone: Tone = Tone.INFO
    actions: tuple[RowAction, ...] = ()
    details: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """The place of a message among its siblings, counted from 1."""

    position: int
    count: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``text`` and ``thinking`` are Markdown; ``images`` are the files it shows.

    An empty ``colour`` is chosen by the author. ``dim`` greys a message that no agent is given.
    """

    id: str
    author: str
    text: str = ""
    time: str = ""
    model: str = ""
    colour: str = ""
    state: MessageState = MessageState.COMPLETE
    thinking: str = ""
    footer: str = ""
    attachments: tuple[Attachment, ...] = ()
    citations: tuple[Citation, ...] = ()
    images: tuple[Attachment, ...] = ()
    tools: tuple[ToolCall, ...] = ()
    branch: Branch | None = None
    notice: Notice | None = None
    pinned: bool = False
    dim: bool = False

    @property
    def initial(self) -> str:
        """Return the letter on the avatar."""
        return next((letter.upper() for letter in self.author if letter.isalnum()), "·")

    def spoken(self) -> str:
        """Return the accessible name: author, time and the first 200 characters."""
        words = self.text or (self.notice.sentence if self.notice else "") or spoken_state(self.state)
        start = " ".join(words.split())[:200]
        return ", ".join(part for part in (self.author, self.time) if part) + f": {start}"


@dataclass(frozen=True, slots=True)
class TranscriptRow:
    """One row: several messages stand side by side. ``id`` is stable; it keeps the scroll position."""

    id: str
    kind: RowKind
    messages: tuple[Message, ...]

    def spoken(self) -> str:
        """Return the accessible name of the row."""
        return ". ".join(message.spoken() for message in self.messages)


def spoken_state(state: MessageState) -> str:
    """Return the state as a sentence, empty for a complete message."""
    return {
        MessageState.COMPLETE: "",
        MessageState.STREAMING: _("Answering…"),
        MessageState.INTERRUPTED: _("Interrupted. The text so far is saved."),
        MessageState.STOPPED: _("Stopped. The text so far is saved."),
        MessageState.FAILED: _("This answer failed."),
        MessageState.QUEUED: _("Queued: it is sent when the present answer ends."),
    }[state]


def default_actions(state: MessageState) -> tuple[RowAction, ...]:
    """Return the buttons that a state offers when the message brings none of its own."""
    match state:
        case MessageState.INTERRUPTED:
            return (
                RowAction("resume", _("Resume"), primary=True),
                RowAction("retry", _("Retry")),
                RowAction("discard", _("Discard")),
            )
        case MessageState.STOPPED:
            return (RowAction("resume", _("Resume")), RowAction("retry", _("Retry")))
        case MessageState.FAILED:
            return (RowAction("retry", _("Retry"), primary=True), RowAction("discard", _("Discard")))
        case MessageState.QUEUED:
            return (RowAction("discard", _("Remove")),)
        case _:
            return ()
