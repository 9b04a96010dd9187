"""Ctrl+K: one field over chats, agents, commands, pages and settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QStyle, QStyledItemDelegate, QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look
from desktop.theme.fonts import SMALL
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import colour
from resources.language import gettext as _

_WIDTH = 560
_ROW = 38
_ROWS = 10
_SHOWN = 60
Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be done or opened: its icon (or none), name, kind, shortcut, and what it does."""

    icon: str
    title: str
    kind: str
    act: Callable[[], object]
    shortcut: str = ""
    words: str = ""
    """More words by which it is found."""


def ranked(choices: Sequence[Choice], text: str) -> list[Choice]:
    """Return the choices that hold every word: titles that begin with the text first, then the given order."""
    words = text.casefold().split()

    def matches(choice: Choice) -> bool:
        searched = f"{choice.title} {choice.kind} {choice.words}".casefold()
        return all(word in searched for word in words)

    def rank(choice: Choice) -> int:
        title = choice.title.casefold()
        if title.startswith(text.casefold().strip()):
            return 0
        return 1 if words and all(word in title for word in words) else 2

    return sorted((choice for choice in choices if matches(choice)), key=rank)[:_SHOWN]


class _Model(QAbstractListModel):
    def __init__(self) -> None:
        super().__init__()
        self.choices: list[Choice] = []

    def show(self, choices: list[Choice]) -> None:
        self.beginResetModel()
        self.choices = choices
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.choices)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        choice = self.choices[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return choice.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (choice.title, choice.kind, choice.shortcut) if part)
        return choice if role == Qt.ItemDataRole.UserRole else None


class _Row(QStyledItemDelegate):
    def sizeHint(self, _option: Any, _index: Index) -> QSize:
        return QSize(100, look().px(_ROW))

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        choice: Choice = index.data(Qt.ItemDataRole.UserRole)
        here, theme = look(), look().theme
        box: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(theme.selection))
            painter.drawRoundedRect(box.adjusted(0, 1, 0, -1), here.px(8), here.px(8))
        size = here.px(17)
        if choice.icon:
            painter.drawPixmap(
                QPoint(box.left() + here.px(10), box.center().y() - size // 2),
                icon_pixmap(choice.icon, theme.dim, size),
            )
        inner = box.adjusted(here.px(38), 0, -here.px(12), 0)
        flags = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(here.font(SMALL))
        painter.setPen(colour(theme.dim))
        side = choice.shortcut or choice.kind
        taken = QFontMetrics(painter.font()).horizontalAdvance(side) + here.px(14)
        painter.drawText(inner, flags | Qt.AlignmentFlag.AlignRight, side)
        painter.setFont(here.font())
        painter.setPen(colour(theme.text))
        shown = QFontMetrics(painter.font()).elidedText(
            choice.title, Qt.TextElideMode.ElideRight, inner.width() - taken
        )
        painter.drawText(inner, flags | Qt.AlignmentFlag.AlignLeft, shown)
        painter.restore()


class CommandPalette(QFrame):
    """Lies over the window; Enter does the marked thing, Esc closes. ``closed`` comes in both cases.

    ``hint`` stands in the empty field where the palette offers something else than everything.
    """

    closed = Signal()

    def __init__(self, window: QWidget, hint: str = "") -> None:
        super().__init__(window)
        window.installEventFilter(self)
        appearance().changed.connect(self._place)
        self.setProperty("kind", "card")
        self.setAccessibleName(hint or _("Command palette"))
        self._all: list[Choice] = []
        self._everywhere: Callable[[str], None] | None = None
        self.field = QLineEdit()
        self.field.setPlaceholderText(hint or _("Go to a chat, an agent, a page, a setting, or do something"))
        self.field.setAccessibleName(hint or _("Find a command"))
        self.field.textChanged.connect(self._filter)
        self.field.installEventFilter(self)
        self._model = _Model()
        self.list = QListView()
        self.list.setProperty("kind", "plain")
        self.list.setAccessibleName(_("What was found"))
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Row(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.clicked.connect(self._do)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(8)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.hide()

    def open_with(
        self, choices: Sequence[Choice], text: str = "", *, everywhere: Callable[[str], None] | None = None
    ) -> None:
        """Show these choices; ``everywhere`` is offered last and searches what was typed in all content."""
        self._all = list(choices)
        self._everywhere = everywhere
        self.field.setText(text)
        self._filter(text)
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus()

    def shown(self) -> list[Choice]:
        """Return what the field leaves."""
        return list(self._model.choices)

    def leave(self) -> None:
        """Close without doing anything."""
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and watched is self.field:
            self.leave()
        if event.type() == QEvent.Type.Resize and watched is self.parentWidget() and self.isVisible():
            self._place()
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._key(event)
        return super().eventFilter(watched, event)

    def _key(self, event: QKeyEvent) -> bool:
        row = self.list.currentIndex().row()
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._do(self.list.currentIndex())
        elif event.key() in steps and self._model.rowCount():
            wanted = max(0, min(self._model.rowCount() - 1, row + steps[Qt.Key(event.key())]))
            self.list.setCurrentIndex(self._model.index(wanted))
        else:
            return False
        return True

    def _do(self, index: QModelIndex) -> None:
        if index.isValid():
            choice = self._model.choices[index.row()]
            self.leave()
            choice.act()

    def _filter(self, text: str) -> None:
        found = ranked(self._all, text)
        if self._everywhere is not None and text.strip():
            sentence = _("Search chats, files and notes for “{text}”").format(text=text.strip())
            found.append(Choice("search", sentence, _("search"), partial(self._everywhere, text.strip())))
        self._model.show(found)
        if self._model.rowCount():
            self.list.setCurrentIndex(self._model.index(0))
        self._place()

    def _place(self) -> None:
        window = self.parentWidget()
        if window is None:
            return
        width = min(look().px(_WIDTH), window.width() - 24)
        top = min(look().px(90), max(8, window.height() // 10))
        # Large text or a low window: fewer rows, so that the last one is still seen.
        room = (window.height() - top - self.field.sizeHint().height() - 40) // look().px(_ROW)
        rows = max(1, min(_ROWS, self._model.rowCount(), room))
        self.list.setFixedHeight(rows * look().px(_ROW) + 4)
        self.setFixedWidth(width)
        self.adjustSize()
        self.move((window.width() - width) // 2, top)
