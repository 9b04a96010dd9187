"""The column of conversations: new, search, rename, pin, archive, trash."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.chats.found_notes import FoundNotes
from desktop.chats.list_delegate import ChatDelegate
from desktop.chats.list_model import ChatListModel
from desktop.theme.appearance import appearance, look
from desktop.widgets.search_field import SearchField
from resources.language import gettext as _

if TYPE_CHECKING:
    from memory.chat_list import ChatEntry

WIDTH = 264
HEADER = 52


class ListPane(QWidget):
    """Says what its owner asks for; it changes nothing by itself.

    ``act`` carries (verb, conversation id): pin, unpin, archive, unarchive, trash, restore, save, hidden, marks,
    erase.
    """

    new_wanted = Signal()
    opened = Signal(str)
    searched = Signal(str)
    view_wanted = Signal(str)
    act = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("Chats"))
        self.model = ChatListModel()
        self._current = ""
        self._title = QLabel(_("Chats"))
        self.new = QPushButton(_("New"))
        self.new.setAccessibleName(_("New chat"))
        self.new.setToolTip(_("New chat (Ctrl+N)"))
        self.new.clicked.connect(self.new_wanted)
        self.search = SearchField(_("Search everything"), "Ctrl K")
        self.search.setAccessibleName(_("Search chats, messages, files and notes"))
        self.search.searched.connect(self.searched)
        self.search.left.connect(self._go_down)
        self.search.installEventFilter(self)
        self.view = self._list()
        self.notes = FoundNotes()
        self.empty = QLabel()
        self.empty.setProperty("role", "dim")
        self.empty.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignHCenter)
        self.empty.hide()
        self.back = QPushButton(_("Back to all chats"))
        self.back.setProperty("kind", "link")
        self.back.clicked.connect(lambda: self.view_wanted.emit("open"))
        self.back.hide()
        self._lay_out()
        appearance().changed.connect(self._fit)
        self._fit()

    def show_entries(self, entries: list[ChatEntry], snippets: dict[str, str], empty: str) -> None:
        """List conversations; ``empty`` is said where there is none."""
        self.model.show(entries, snippets)
        self.view.setVisible(bool(entries))
        self.empty.setText(empty)
        self.empty.setVisible(not entries)
        self.mark(self._current)

    def show_title(self, view: str) -> None:
        """Name the view that is listed: open, archived or trash."""
        titles = {"open": _("Chats"), "archived": _("Archived"), "trash": _("Trash")}
        self._title.setText(titles[view])
        self.back.setVisible(view != "open")

    def mark(self, conversation_id: str) -> None:
        """Mark the conversation that is open; none for an empty id."""
        self._current = conversation_id
        row = self.model.row_of(conversation_id)
        selection = self.view.selectionModel()
        if row < 0:
            selection.clear()
        elif self.view.currentIndex().row() != row or not selection.hasSelection():
            self.view.setCurrentIndex(self.model.index(row))

    @property
    def current(self) -> str:
        """Return the id of the conversation that is open, empty for none."""
        return self._current

    def rename_current(self) -> None:
        """Edit the title of the marked conversation in place."""
        index = self.view.currentIndex()
        if index.isValid():
            self.view.edit(index)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if watched is self.search:
                return self._search_key(event)
            if watched is self.view:
                return self._list_key(event)
        return super().eventFilter(watched, event)

    def _search_key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.model.rowCount():
            self.opened.emit(self.model.entry(0).id)
            return True
        return False

    def _go_down(self) -> None:
        if self.model.rowCount():
            self.view.setFocus()
            self.view.setCurrentIndex(self.model.index(0))
        elif self.notes.lines:
            self.notes.lines[0].setFocus()

    def _list_key(self, event: QKeyEvent) -> bool:
        index = self.view.currentIndex()
        if not index.isValid() or self.view.state() == QAbstractItemView.State.EditingState:
            return False
        entry = self.model.entry(index.row())
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(entry.id)
        elif event.key() == Qt.Key.Key_Delete:
            self.act.emit("restore" if entry.trashed else "trash", entry.id)
        elif event.key() == Qt.Key.Key_Up and index.row() == 0:
            self.search.setFocus()
        else:
            return False
        return True

    def _list(self) -> QListView:
        view = QListView()
        view.setProperty("kind", "plain")
        view.setAccessibleName(_("Chats"))
        view.setModel(self.model)
        view.setItemDelegate(ChatDelegate(view))
        view.setMouseTracking(True)
        view.setUniformItemSizes(True)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._menu)
        view.clicked.connect(lambda index: self.opened.emit(self.model.entry(index.row()).id))
        view.installEventFilter(self)
        return view

    def _menu(self, at: QPoint) -> None:
        index = self.view.indexAt(at)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if index.isValid():
            entry = self.model.entry(index.row())
            self.view.setCurrentIndex(index)
            for label, verb in self._verbs(entry):
                menu.addAction(label, partial(self.act.emit, verb, entry.id))
            if not entry.trashed:
                menu.addAction(_("Rename (F2)"), self.rename_current)
            menu.addSeparator()
        for label, view in (
            (_("All chats"), "open"),
            (_("Archived chats"), "archived"),
            (_("Trash"), "trash"),
        ):
            menu.addAction(label, partial(self.view_wanted.emit, view))
        menu.popup(self.view.viewport().mapToGlobal(at))

    def _verbs(self, entry: ChatEntry) -> list[tuple[str, str]]:
        if entry.trashed:
            return [(_("Put back"), "restore"), (_("Erase now…"), "erase")]
        return [
            (_("Unpin"), "unpin") if entry.pinned else (_("Pin"), "pin"),
            (_("Take out of the archive"), "unarchive") if entry.archived else (_("Archive"), "archive"),
            (_("Save as a file…"), "save"),
            *([(_("What was not shown…"), "hidden")] if entry.imported else []),
            (_("Move to the trash (Del)"), "trash"),
            (_("Hold and restrict…"), "marks"),
            (_("Erase…"), "erase"),
        ]

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(8, 0, 0, 0)
        top.addWidget(self._title, 1)
        top.addWidget(self.new)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 12, 10, 8)
        column.setSpacing(10)
        column.addLayout(top)
        column.addWidget(self.search)
        column.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeading)
        column.addWidget(self.notes)
        column.addWidget(self.view, 1)
        column.addWidget(self.empty, 1)

    def _fit(self) -> None:
        self._title.setFont(look().font(16, 600))
        self.view.doItemsLayout()
