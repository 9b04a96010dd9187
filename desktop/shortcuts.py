"""The keys of the window, declared once: bound here and listed on the F1 sheet."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look
from resources.language import gettext as _


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One line of the sheet. ``keys`` are bound to the command; a line without command only explains."""

    keys: tuple[str, ...]
    shown: str
    sentence: str
    command: str = ""


def shortcuts() -> tuple[Shortcut, ...]:
    """Return every key of the window in the order of the sheet."""
    return (
        Shortcut(
            ("Ctrl+K",), "Ctrl+K", _("Find anything: chats, agents, pages, settings, commands"), "palette"
        ),
        Shortcut(("Ctrl+N",), "Ctrl+N", _("New chat"), "new"),
        Shortcut(("Ctrl+F",), "Ctrl+F", _("Find in this chat"), "find"),
        Shortcut(("Ctrl+Shift+F",), "Ctrl+Shift+F", _("Search all chats"), "search"),
        Shortcut(("Ctrl+Tab",), "Ctrl+Tab", _("Next chat"), "next"),
        Shortcut(("Ctrl+Shift+Tab", "Ctrl+Shift+Backtab"), "Ctrl+Shift+Tab", _("Previous chat"), "previous"),
        Shortcut((), "Ctrl+1 … Ctrl+9", _("The first nine chats of the list")),
        Shortcut((), "Alt+1 … Alt+9", _("The pages of the rail")),
        Shortcut(("Ctrl+I",), "Ctrl+I", _("Fold or open the inspector"), "inspector"),
        Shortcut(("Ctrl+,",), "Ctrl+,", _("Settings"), "settings"),
        Shortcut(("Ctrl++", "Ctrl+="), "Ctrl + +", _("Larger text"), "larger"),
        Shortcut(("Ctrl+-",), "Ctrl + −", _("Smaller text"), "smaller"),
        Shortcut(("Ctrl+0",), "Ctrl+0", _("Text in its normal size"), "normal"),
        Shortcut((), "Enter · Shift+Enter", _("Send · new line")),
        Shortcut((), "Esc", _("Stop the answer, or close what is open")),
        Shortcut(
            (), "↑ · ↓", _("In an empty composer: the last message again; in the chat: message by message")
        ),
        Shortcut((), "F2 · Del", _("In the list: rename · move to the trash")),
        Shortcut(("Ctrl+L",), "Ctrl+L", _("Lock the window"), "lock"),
        Shortcut(("Ctrl+Q",), "Ctrl+Q", _("Quit"), "quit"),
        Shortcut(("F1",), "F1", _("This sheet"), "sheet"),
    )


def bind(window: QWidget, command: Callable[[str], None]) -> list[QShortcut]:
    """Bind every declared key of the window to ``command`` with the name of what it asks for."""
    pairs = [(keys, each.command) for each in shortcuts() for keys in each.keys]
    pairs += [(f"Ctrl+{number}", f"chat {number}") for number in range(1, 10)]
    pairs += [(f"Alt+{number}", f"page {number}") for number in range(1, 10)]
    bound = []
    for keys, name in pairs:
        shortcut = QShortcut(QKeySequence(keys), window)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.activated.connect(lambda name=name: command(name))
        bound.append(shortcut)
    return bound


class ShortcutSheet(QFrame):
    """Lies over the window and lists the keys; Esc, F1 and Close end it."""

    closed = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        window.installEventFilter(self)
        appearance().changed.connect(self._place)
        self.setProperty("kind", "card")
        self.setAccessibleName(_("Keys of the window"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        from desktop.pages.page import label

        column = QVBoxLayout(self)
        column.setContentsMargins(22, 18, 22, 18)
        column.setSpacing(12)
        head = QHBoxLayout()
        head.addWidget(label(_("Keyboard"), "title"), 1)
        close = QPushButton(_("Close"))
        close.clicked.connect(self.leave)
        head.addWidget(close)
        column.addLayout(head)
        grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for row, each in enumerate(shortcuts()):
            grid.addWidget(label(each.shown, "mono"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(each.sentence, wrap=True), row, 1)
        self._content = QWidget()
        self._content.setObjectName("page")
        self._content.setLayout(grid)
        grid.setContentsMargins(0, 0, 0, 0)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._content)
        column.addWidget(area, 1)
        self.hide()

    def toggle(self) -> None:
        """Show the sheet, or close it."""
        if self.isVisible():
            self.leave()
            return
        self._place()
        self.show()
        self.raise_()
        self.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget() and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        window = self.parentWidget()
        if window is None:
            return
        width = min(look().px(620), window.width() - 24)
        self.setFixedWidth(width)
        wanted = self._content.heightForWidth(width) if self._content.hasHeightForWidth() else -1
        height = max(wanted, self._content.sizeHint().height()) + look().px(70)
        self.resize(width, min(height, window.height() - 24))
        self.move((window.width() - width) // 2, max(12, (window.height() - self.height()) // 3))

    def leave(self) -> None:
        """Close the sheet."""
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F1):
            self.leave()
        else:
            super().keyPressEvent(event)
