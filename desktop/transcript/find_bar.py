"""Find in chat: a field over the transcript that walks from message to message."""

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon
from desktop.transcript.model import TranscriptModel
from desktop.widgets.rounded import rounded
from resources.language import gettext as _


def matches(model: TranscriptModel, needle: str) -> list[str]:
    """Return the ids of all messages that contain a text, whatever its case, in order."""
    wanted = needle.casefold()
    if not wanted.strip():
        return []
    return [
        message.id
        for place in range(model.rowCount())
        for message in model.row(place).messages
        if wanted in (message.text or model.text(message.id)).casefold()
    ]


class FindBar(QFrame):
    """``searched(text)`` a moment after typing, ``stepped(±1)``, ``closed()``."""

    searched = Signal(str)
    stepped = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(_("Find in this chat"))
        self.field.setAccessibleName(_("Find in this chat"))
        self._count = QLabel(self)
        self._count.setProperty("role", "small")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 6, 6)
        row.setSpacing(4)
        row.addWidget(self.field, 1)
        row.addWidget(self._count)
        self._buttons: list[tuple[QToolButton, str]] = []
        for name, label, step in (
            ("chevron-up", _("Previous"), -1),
            ("chevron-down", _("Next"), 1),
            ("close", _("Close"), 0),
        ):
            button = QToolButton(self)
            button.setToolTip(label)
            button.setAccessibleName(label)
            button.clicked.connect(lambda _on=False, by=step: self._press(by))
            self._buttons.append((button, name))
            row.addWidget(button)
        self._wait = QTimer(self, singleShot=True, interval=120)
        self._wait.timeout.connect(lambda: self.searched.emit(self.field.text()))
        self.field.textChanged.connect(lambda: self._wait.start())
        self.hide()

    def open_with(self, text: str) -> None:
        """Show the bar, with a text to begin with or the one before."""
        size = look().px(16)
        for button, name in self._buttons:
            button.setIcon(icon(name, look().theme.dim, size))
            button.setIconSize(QSize(size, size))
        if text and "\n" not in text:
            self.field.setText(text)
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.selectAll()
        self.searched.emit(self.field.text())

    def show_count(self, position: int, count: int) -> None:
        """Show the place among the messages found, from 1; 0 of 0 says that there are none."""
        if not self.field.text().strip():
            self._count.setText("")
        elif count:
            self._count.setText(_("{position} of {count}").format(position=position, count=f"{count:,}"))
        else:
            self._count.setText(_("nothing found"))

    def _press(self, step: int) -> None:
        if step:
            self.stepped.emit(step)
        else:
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter steps on, Shift+Enter back, Esc closes."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.stepped.emit(-1 if back else 1)
        elif event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame."""
        here = look()
        rounded(QPainter(self), self.rect(), here.theme.panel, here.theme.line, here.px(10))
