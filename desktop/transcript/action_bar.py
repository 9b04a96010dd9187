"""The small bar of actions over the message under the pointer; one for the whole transcript."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon
from desktop.transcript.card import MessageCard
from desktop.transcript.rows import Message, MessageState, RowKind
from desktop.widgets.rounded import rounded
from resources.language import gettext as _


def message_actions(message: Message, kind: RowKind) -> list[tuple[str, str, str]]:
    """Return (name, icon, label) of what may be done with a message now."""
    if kind in (RowKind.NOTICE, RowKind.ERROR):
        return [("copy", "copy", _("Copy message"))]
    pin = ("unpin", "pin", _("Unpin")) if message.pinned else ("pin", "pin", _("Pin"))
    actions = [
        ("copy", "copy", _("Copy message")),
        ("copy_markdown", "note", _("Copy as Markdown")),
        ("quote", "quote", _("Quote")),
        pin,
    ]
    if kind is RowKind.OWNER:
        actions.append(("edit", "edit", _("Edit")))
    elif message.state is not MessageState.STREAMING:
        actions.append(("regenerate", "retry", _("Answer again")))
    return actions


class ActionBar(QFrame):
    """``triggered(message id, name)`` for each button; ``more(message id, global position)`` for the menu."""

    triggered = Signal(str, str)
    more = Signal(str, object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.card: MessageCard | None = None
        self._message_id = ""
        self._buttons: dict[str, QToolButton] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(3, 2, 3, 2)
        self._row.setSpacing(1)
        self._names: tuple[str, ...] = ()
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.hide()

    def show_for(self, card: MessageCard) -> None:
        """Show the actions of a card's message at the card's upper corner."""
        actions = [item for item in message_actions(card.message, card.kind) if item[0] != "copy_markdown"]
        actions.append(("more", "more", _("More")))
        self._message_id, self.card = card.message.id, card
        for name, picture, label in actions:
            self._button(name, picture, label)
        names = tuple(name for name, _icon, _label in actions)
        if names != self._names:
            self._names = names
            for name, button in self._buttons.items():
                button.setVisible(name in names)
        self.adjustSize()
        self.follow()
        self.show()
        self.raise_()

    def follow(self) -> None:
        """Stay at the card while the transcript scrolls."""
        card, parent = self.card, self.parentWidget()
        if card is None or parent is None:
            return
        if card.message.id != self._message_id or not card.isVisible():
            self.dismiss()
            return
        here = look()
        corner = card.mapTo(parent, QPoint(card.width() - self.width() - here.px(10), -here.px(15)))
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            corner.setX(card.mapTo(parent, QPoint(here.px(10), 0)).x())
        corner.setY(max(2, corner.y()))
        self.move(corner)

    def dismiss(self) -> None:
        """Hide."""
        self.card = None
        self.hide()

    def covers(self, where: QPoint) -> bool:
        """Tell whether a point of the viewport is on the bar."""
        return self.isVisible() and QRect(self.geometry()).contains(where)

    def _button(self, name: str, picture: str, label: str) -> None:
        button = self._buttons.get(name)
        if button is None:
            button = self._buttons[name] = QToolButton(self)
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            button.clicked.connect(lambda _on=False, it=name: self._press(it))
            self._row.addWidget(button)
        size = look().px(16)
        button.setIcon(icon(picture, look().theme.dim, size, active=look().theme.text))
        button.setIconSize(QSize(size, size))
        button.setToolTip(label)
        button.setAccessibleName(label)

    def _press(self, name: str) -> None:
        if name == "more":
            button = self._buttons[name]
            self.more.emit(self._message_id, button.mapToGlobal(QPoint(0, button.height())))
        else:
            self.triggered.emit(self._message_id, name)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame."""
        here = look()
        rounded(QPainter(self), self.rect(), here.theme.panel, here.theme.line, here.px(9))
