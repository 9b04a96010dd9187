"""What a screen reader meets: a list of messages in order, each with its parts in the order they are read.

Qt would show pooled widgets in the order in which they were made, below rows and viewports without a meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget
from shiboken6 import isValid

if TYPE_CHECKING:
    from desktop.transcript.card import MessageCard
    from desktop.transcript.view import TranscriptView

_Role = QAccessible.Role
_Text = QAccessible.Text
_installed = False


class _Ordered(QAccessibleWidget):
    """A widget whose children are those that it names, in their order."""

    def members(self) -> list[QWidget]:
        """Return the children in reading order."""
        raise NotImplementedError

    def childCount(self) -> int:
        return len(self.members())

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]  # the stub forgets None
        members = self.members()
        return QAccessible.queryAccessibleInterface(members[index]) if 0 <= index < len(members) else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        wanted = child.object()
        return next((place for place, widget in enumerate(self.members()) if widget is wanted), -1)


class ConversationInterface(_Ordered):
    """The transcript: a list whose items are the messages on screen."""

    def __init__(self, view: TranscriptView) -> None:
        super().__init__(view, _Role.List)
        self._view = view

    def members(self) -> list[QWidget]:
        if not isValid(self._view):
            return []
        rows = self._view.layout_.rows
        cards = [card for place in sorted(rows) for card in rows[place].cards]
        return [*cards, *self._view.companions()]

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]  # the stub forgets None
        card = self._view.card_at(self._view.current_message)
        if card is not None and self._view.hasFocus():
            return QAccessible.queryAccessibleInterface(card)
        return super().focusChild()


class MessageInterface(_Ordered):
    """One message: its name says who, when and how it begins; its parts hold the words."""

    def __init__(self, card: MessageCard) -> None:
        super().__init__(card, _Role.ListItem)
        self._card = card

    def members(self) -> list[QWidget]:
        return self._card.parts() if isValid(self._card) else []

    def parent(self) -> QAccessibleInterface:
        view = self._card.events.parent()
        assert view is not None
        return QAccessible.queryAccessibleInterface(view)

    def text(self, kind: QAccessible.Text) -> str:
        if not isValid(self._card):
            return ""
        if kind == _Text.Name:
            return self._card.message.spoken()
        return self._card.details() if kind == _Text.Description else super().text(kind)

    def state(self) -> QAccessible.State:
        state = super().state()
        state.focusable = True
        state.focused = self._card.focused
        return state


def install() -> None:
    """Have Qt ask here for the interfaces of transcripts and messages; once for the process."""
    global _installed
    if not _installed:
        _installed = True
        QAccessible.installFactory(_interface)


def _interface(_class_name: str, thing: QObject) -> QAccessibleInterface | None:
    from desktop.transcript.card import MessageCard
    from desktop.transcript.view import TranscriptView

    if isinstance(thing, MessageCard):
        return MessageInterface(thing)
    return ConversationInterface(thing) if isinstance(thing, TranscriptView) else None


def focus_on(card: MessageCard) -> None:
    """Tell a screen reader that the keyboard is on a message."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleEvent(card, QAccessible.Event.Focus))
