"""A table of more than a hundred rows: a view with its own scroll bars and a fixed height."""

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QTableView, QWidget

from desktop.theme.appearance import look
from desktop.transcript.events import RowEvents
from desktop.transcript.segments import Segment
from resources.language import gettext as _

_ROWS_SHOWN = 12
_Index = QModelIndex | QPersistentModelIndex


class CellsModel(QAbstractTableModel):
    """The cells of a Markdown table; the first row is the header."""

    def __init__(self, cells: tuple[tuple[str, ...], ...]) -> None:
        super().__init__()
        self._head, self._cells = cells[0], cells[1:]

    def rowCount(self, parent: _Index | None = None) -> int:
        """Return the number of rows without the header."""
        return 0 if parent is not None and parent.isValid() else len(self._cells)

    def columnCount(self, parent: _Index | None = None) -> int:
        """Return the number of columns of the header."""
        return 0 if parent is not None and parent.isValid() else len(self._head)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        """Return the text of a cell."""
        if role != Qt.ItemDataRole.DisplayRole or not index.isValid():
            return None
        row = self._cells[index.row()]
        return row[index.column()] if index.column() < len(row) else ""

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        """Return a column's title or a row's number."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._head[section] if orientation == Qt.Orientation.Horizontal else str(section + 1)


class TableSegment(QTableView):
    """A long table; it keeps the wheel while it has the focus, else the transcript scrolls."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self.events = events
        self._cells: tuple[tuple[str, ...], ...] = ()
        self.setSelectionMode(QTableView.SelectionMode.ContiguousSelection)
        self.setAlternatingRowColors(True)
        self.horizontalHeader().setStretchLastSection(True)

    def show_segment(self, segment: Segment, live: bool = False) -> None:
        """Show a table's cells."""
        if segment.cells != self._cells:
            self._cells = segment.cells
            model = CellsModel(segment.cells)
            model.setParent(self)
            previous = self.model()
            self.setModel(model)
            if previous is not None:
                previous.deleteLater()
            self.resizeColumnsToContents()
            self.setAccessibleName(_("Table of {n} rows").format(n=len(segment.cells) - 1))

    def height_for(self, width: int) -> int:
        """Return the fixed height of a long table."""
        return look().px(30) * (_ROWS_SHOWN + 1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll only when clicked before."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
