"""A table of plain cells over rows of any kind, for Outbox and Usage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStyle, QStyledItemDelegate, QTableView

from desktop.theme.appearance import appearance, look
from desktop.theme.fonts import SMALL
from desktop.theme.tokens import colour

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_ROW = 34
_MEASURED = 60
"""Rows that are measured for the width of a column."""
_WIDEST = 150
"""Width that the words of one share may ask for; longer ones are cut."""


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
    """Shows a ``TableModel``; columns share the width, and keep what their words need, by which the table scrolls."""

    def __init__(self, model: TableModel[Any], name: str) -> None:
        super().__init__()
        self._table_model = model
        self.setModel(model)
        self.setAccessibleName(name)
        self.setItemDelegate(_Cells(self))
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setHighlightSections(False)
        header.setStretchLastSection(False)
        model.modelReset.connect(self._share_out)
        appearance().changed.connect(self._fit)
        self._fit()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._share_out()

    def _fit(self) -> None:
        self.verticalHeader().setDefaultSectionSize(look().px(_ROW))
        self._share_out()

    def _share_out(self) -> None:
        """Give each column what its title and first rows need, and its share of what is left."""
        columns = self._table_model.columns
        needed = [self._needed(column) for column in columns]
        spare = max(0, self.viewport().width() - sum(needed))
        shares = sum(column.share for column in columns)
        for number, (column, least) in enumerate(zip(columns, needed, strict=True)):
            self.setColumnWidth(number, least + int(spare * column.share / shares))

    def _needed(self, column: Column[Any]) -> int:
        here = look()
        words = [column.words(row) for row in self._table_model.rows[:_MEASURED]]
        cells = QFontMetrics(here.font(SMALL))
        widest = max((cells.horizontalAdvance(each) for each in words), default=0)
        titled = QFontMetrics(here.font(14, 500)).horizontalAdvance(column.title)
        return min(max(widest, titled) + here.px(22), here.px(_WIDEST * column.share))
