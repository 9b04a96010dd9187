"""Tells the owner who looks elsewhere that an answer is there, or that somebody waits for a decision."""

from collections.abc import Callable
from typing import Protocol

from PySide6.QtWidgets import QApplication

from desktop.session import Session
from memory import chats
from memory.errors import NotFound
from memory.runs import Run
from resources.language import gettext as _

_TOLD = ("done", "failed", "interrupted", "needs_you")


class Messages(Protocol):
    """Where messages of the system are shown; ``desktop.tray.Tray`` is the real one."""

    def show_message(self, title: str, sentence: str) -> None:
        """Show one message."""


class Alerts:
    """Says nothing while the window is looked at, and nothing of what was written unless the owner wants names."""

    def __init__(
        self, session: Session, messages: Messages, looked_at: Callable[[], bool] | None = None
    ) -> None:
        self._session = session
        self._messages = messages
        self._looked_at = looked_at or _a_window_is_active
        self._told: dict[str, str] = {}
        self.conversation_id = ""
        """The conversation that the last message was about."""

    def open(self) -> None:
        """Show the window and what the last message was about."""
        self._session.window.raise_to_front()
        if self.conversation_id:
            self._session.open_chat(self.conversation_id)

    def hear(self, run: Run) -> None:
        """Answer a change of a run: tell of its end, or that it waits, once."""
        style = self._session.preferences.value("alerts.style")
        if run.state not in _TOLD:
            self._told.pop(run.id, None)
        elif self._told.get(run.id) != run.state:
            self._told[run.id] = run.state
            if style != "off" and not self._looked_at():
                named = style == "named" and not self._session.office.app_lock.locked
                self._session.spawn(self._tell(run, named=named), name="tell of a run")

    async def _tell(self, run: Run, *, named: bool) -> None:
        self.conversation_id = run.conversation_id
        sentence = {
            "done": _("An answer is there."),
            "needs_you": _("An agent waits for your decision."),
        }.get(run.state, _("An answer could not be finished."))
        title = "Bureau"
        if named:
            try:
                found = await self._session.office.database.read(chats.conversation, run.conversation_id)
            except NotFound:
                return  # the chat was erased meanwhile: nothing is left to look at
            title = found.title or title
        self._messages.show_message(title, sentence)


def _a_window_is_active() -> bool:
    return QApplication.activeWindow() is not None
