"""Layouts that give way in a narrow window: rows that wrap, and rows that become columns."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLayout, QLayoutItem, QPushButton, QStyle, QWidget, QWidgetItem

from desktop.theme.appearance import look


class FlowLayout(QLayout):
    """Places widgets in a row and goes on below where the row is full."""

    def __init__(self, gap: int = 8) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(0, 0, 0, 0)

    def addWidget(self, widget: QWidget) -> None:
        """Add a widget at the end."""
        # Its item is made here: one that Qt makes is Qt's own, and Python may lose it while the widget still stands.
        self.addChildWidget(widget)
        self.addItem(QWidgetItem(widget))

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        margins = self.contentsMargins()
        inner = QRect(0, 0, width - margins.left() - margins.right(), 0)
        return self._arrange(inner, place=False) + margins.top() + margins.bottom()

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect.marginsRemoved(self.contentsMargins()), place=True)

    def sizeHint(self) -> QSize:
        sizes = [item.sizeHint() for item in self._items if not item.isEmpty()]
        width = sum(size.width() for size in sizes) + self._gap * max(0, len(sizes) - 1)
        return QSize(width, max((size.height() for size in sizes), default=0))

    def minimumSize(self) -> QSize:
        sizes = [item.minimumSize() for item in self._items if not item.isEmpty()]
        return QSize(
            max((size.width() for size in sizes), default=0),
            max((size.height() for size in sizes), default=0),
        )

    def _arrange(self, rect: QRect, *, place: bool) -> int:
        """Return the height that the rows need; where asked to, place what stands in them, each in its row's middle."""
        parent = self.parentWidget()
        mirrored = parent is not None and parent.layoutDirection() == Qt.LayoutDirection.RightToLeft
        y = rect.y()
        for row in self._rows(rect.width()):
            x, height = rect.x(), max(size.height() for _item, size in row)
            for item, size in row:
                if place:
                    left = rect.right() + rect.x() - x - size.width() + 1 if mirrored else x
                    top = y + (height - size.height()) // 2
                    item.setGeometry(QRect(QPoint(left, top), size))
                x += size.width() + self._gap
            y += height + self._gap
        return max(0, y - self._gap - rect.y())

    def _rows(self, width: int) -> list[list[tuple[QLayoutItem, QSize]]]:
        rows: list[list[tuple[QLayoutItem, QSize]]] = []
        left = 0
        for item in self._items:
            if item.isEmpty():
                continue
            size = item.sizeHint()
            if size.width() > width:
                size = QSize(width, _height(item, width))
            if not rows or size.width() > left:
                rows.append([])
                left = width
            rows[-1].append((item, size))
            left -= size.width() + self._gap
        return rows


class FoldingRow(QWidget):
    """A row that becomes a column where it is narrower than ``least`` pixels of the design."""

    def __init__(self, least: int, gap: int = 8) -> None:
        super().__init__()
        self.row = _FoldingLayout(self, least)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(gap)

    def minimumSizeHint(self) -> QSize:
        # The row's own least width would keep the window from ever getting narrow enough to fold it.
        items = [self.row.itemAt(place) for place in range(self.row.count())]
        widths = [item.minimumSize().width() for item in items if item is not None]
        return QSize(max(widths, default=0), super().minimumSizeHint().height())


class _FoldingLayout(QHBoxLayout):
    """A row, or a column where its width is less than ``least`` pixels of the design.

    It answers for any width what height that takes, so that whatever stands below is placed right at once and not
    only when the row has noticed that it folds.
    """

    def __init__(self, parent: QWidget, least: int) -> None:
        super().__init__(parent)
        self._least = least

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        if not self._folds(width):
            return super().heightForWidth(width) if super().hasHeightForWidth() else self.sizeHint().height()
        margins = self.contentsMargins()
        inner = width - margins.left() - margins.right()
        heights = [_height(item, inner) for item in self._items()]
        gaps = self.spacing() * max(0, len(heights) - 1)
        return margins.top() + sum(heights) + gaps + margins.bottom()

    def minimumHeightForWidth(self, width: int) -> int:
        return self.heightForWidth(width)

    def setGeometry(self, rect: QRect) -> None:
        if not self._folds(rect.width()):
            super().setGeometry(rect)
            return
        QLayout.setGeometry(self, rect)
        line = rect.marginsRemoved(self.contentsMargins())
        for item in self._items():
            line.setHeight(_height(item, line.width()))
            item.setGeometry(self._cell(item, line))
            line.translate(0, line.height() + self.spacing())

    def _cell(self, item: QLayoutItem, line: QRect) -> QRect:
        """Return where an item stands in its line: a button keeps its width, all else takes the whole of it."""
        if not isinstance(item.widget(), QPushButton):
            return line
        parent = self.parentWidget()
        direction = parent.layoutDirection() if parent is not None else Qt.LayoutDirection.LeftToRight
        size = QSize(min(item.sizeHint().width(), line.width()), line.height())
        return QStyle.alignedRect(direction, Qt.AlignmentFlag.AlignLeading, size, line)

    def _folds(self, width: int) -> bool:
        return width < look().px(self._least)

    def _items(self) -> list[QLayoutItem]:
        found = [self.itemAt(place) for place in range(self.count())]
        return [item for item in found if item is not None and not item.isEmpty()]


def _height(item: QLayoutItem, width: int) -> int:
    wanted = item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
    return max(wanted, item.minimumSize().height())
