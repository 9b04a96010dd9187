"""A table of plain cells over rows of any kind, for Outbox and Usage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyledItemDelegate, QTableView

from desktop.theme.appearance import look
from desktop.theme.fonts import SMALL
from desktop.theme.tokens import colour

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_ROW = 34


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """One column: its title, the words of a row's cell, whether it holds numbers, its share of the width."""

    title: str
    words: Callable[[R], str]
    number: bool = False
    share: float = 1.0
    tone: Callable[[R], str] = lambda _row: ""
    """A role of the theme for the cell's ink: ``dim``, ``danger_text``, ``ok_text`` or empty."""


class TableModel(QAbstractTableModel, Generic[R]):
    """Rows shown through columns; ``more`` is called when the end is reached and there may be more."""

    def __init__(self, columns: Sequence[Column[R]], more: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.rows: list[R] = []
        self._more = more
        self.complete = True

    def show(self, rows: Sequence[R], *, complete: bool = True) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.rows = list(rows)
        self.complete = complete
        self.endResetModel()

    def extend(self, rows: Sequence[R], *, complete: bool) -> None:
        """Add rows at the end."""
        self.complete = complete
        if rows:
            self.beginInsertRows(QModelIndex(), len(self.rows), len(self.rows) + len(rows) - 1)
            self.rows.extend(rows)
            self.endInsertRows()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column, row = self.columns[index.column()], self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return column.words(row)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{column.title}: {column.words(row)}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self.columns[section].number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and not self.complete and self._more is not None

    def fetchMore(self, _parent: Index) -> None:
        if self._more is not None and not self.complete:
            self._more()


class _Cells(QStyledItemDelegate):
    """Paints a cell with the theme's inks and a hairline below."""

    def sizeHint(self, _option: Any, _index: Index) -> QSize:
        return QSize(60, look().px(_ROW))

    def paint(self, painter: QPainter, option: Any, index: Index) -> None:
        model = index.model()
        assert isinstance(model, TableModel)
        column, row = model.columns[index.column()], model.rows[index.row()]
        theme, here = look().theme, look()
        box: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(box, colour(theme.selection))
        painter.setPen(colour(theme.line))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        painter.setFont(here.font(SMALL))
        painter.setPen(colour(getattr(theme, column.tone(row) or "text")))
        inner = box.adjusted(here.px(8), 0, -here.px(8), 0)
        words = QFontMetrics(painter.font()).elidedText(
            column.words(row).replace("\n", " "), Qt.TextElideMode.ElideRight, inner.width()
        )
        side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
        painter.drawText(inner, side | Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()


class Table(QTableView):
    """Shows a ``TableModel``; columns share the width, and keep a least one by which the table scrolls."""

    def __init__(self, model: TableModel[Any], name: str, least: int = 76) -> None:
        super().__init__()
        self._table_model = model
        self._least = least
        self.setModel(model)
        self.setAccessibleName(name)
        self.setItemDelegate(_Cells(self))
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(look().px(_ROW))
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setHighlightSections(False)
        header.setStretchLastSection(False)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        shares = [column.share for column in self._table_model.columns]
        room = self.viewport().width()
        for number, share in enumerate(shares):
            self.setColumnWidth(number, max(look().px(self._least * share), int(room * share / sum(shares))))
