"""The conversations of one view as an item model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from desktop.wording import ago
from memory.identifiers import now
from resources.language import gettext as _

if TYPE_CHECKING:
    from memory.chat_list import ChatEntry

ENTRY = Qt.ItemDataRole.UserRole + 1
SUBTITLE = Qt.ItemDataRole.UserRole + 2

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()


def title_of(entry: ChatEntry) -> str:
    """Return the title that is shown; a conversation without a word has none of its own."""
    return entry.title or _("New chat")


def status_words(entry: ChatEntry) -> str:
    """Return the state in the words of the office, empty where nothing happens."""
    return {
        "working": _("working"),
        "needs_you": _("needs you"),
        "ready": _("ready to review"),
        "interrupted": _("interrupted"),
        "stopped": _("stopped"),
        "failed": _("could not answer"),
    }.get(entry.status, "")


class ChatListModel(QAbstractListModel):
    """``renamed`` carries (conversation id, title) when a title was edited in place."""

    renamed = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[ChatEntry] = []
        self._snippets: dict[str, str] = {}

    def show(self, entries: list[ChatEntry], snippets: dict[str, str] | None = None) -> None:
        """Replace what is listed; ``snippets`` are passages found, shown in place of the subtitle."""
        snippets = snippets or {}
        if [entry.id for entry in entries] == [entry.id for entry in self._entries]:
            changed = [
                row
                for row, (old, new) in enumerate(zip(self._entries, entries, strict=True))
                if old != new or self._snippets.get(new.id) != snippets.get(new.id)
            ]
            self._entries, self._snippets = entries, snippets
            for row in changed:
                self.dataChanged.emit(self.index(row), self.index(row))
            return
        self.beginResetModel()
        self._entries, self._snippets = entries, snippets
        self.endResetModel()

    def entry(self, row: int) -> ChatEntry:
        """Return the conversation of a row. Raises IndexError."""
        return self._entries[row]

    def row_of(self, conversation_id: str) -> int:
        """Return the row of a conversation, -1 where it is not listed."""
        return next((row for row, each in enumerate(self._entries) if each.id == conversation_id), -1)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._entries)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        known = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return known | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemNeverHasChildren

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        entry = self._entries[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return title_of(entry) if role == Qt.ItemDataRole.DisplayRole else entry.title
        if role == ENTRY:
            return entry
        if role == SUBTITLE:
            return self._subtitle(entry)
        if role == Qt.ItemDataRole.ToolTipRole:
            return title_of(entry)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = [title_of(entry), self._subtitle(entry), _("pinned") if entry.pinned else ""]
            return ", ".join(word for word in words if word)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        entry = self._entries[index.row()]
        if str(value).strip() != entry.title:
            self.renamed.emit(entry.id, str(value).strip())
        return True

    def _subtitle(self, entry: ChatEntry) -> str:
        if entry.id in self._snippets:
            return self._snippets[entry.id]
        when = status_words(entry) or ago(entry.updated_at, now())
        if entry.status == "working":
            when = _("now")
        kept_out = _("restricted") if entry.restricted else ""
        return " · ".join(part for part in (kept_out, ", ".join(entry.speakers), when) if part)
