"""The page of conversations: list, conversation, inspector; what does not fit beside the others folds."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from desktop.chats.drop_hint import DropHint
from desktop.chats.list_pane import WIDTH as LIST_WIDTH
from desktop.chats.list_pane import ListPane
from desktop.theme.appearance import appearance, look
from resources.language import gettext as _

INSPECTOR_WIDTH = 292
SOURCE_WIDTH = 440
SOURCE_ALONE_BELOW = 900
LIST_BESIDE_SOURCE_FROM = 1180
INSPECTOR_FOLDS_BELOW = 1100
LIST_FOLDS_BELOW = 760


class ChatsArea(QWidget):
    """Three columns. Narrow, the list gives way to the conversation and comes back by ``show_list``.

    The widths at which columns fold count the whole window, the rail included. ``folded`` says whether the
    list has given way. A source that is looked at takes the place of the inspector. ``files_dropped``
    carries the QMimeData of what was let go here.
    """

    folded = Signal(bool)
    files_dropped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(_("Chats"))
        self.list = ListPane()
        self.middle = QStackedWidget()
        self.inspector: QWidget | None = None
        self.source: QWidget | None = None
        self._source_open = False
        self._list_in_front = False
        self._inspector_wanted: bool | None = None
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(self.list)
        self._row.addWidget(self.middle, 1)
        self._drop_hint = DropHint(self)
        self.setAcceptDrops(True)
        appearance().changed.connect(self._fold)

    def set_inspector(self, inspector: QWidget) -> None:
        """Put the inspector at the far side."""
        self.inspector = inspector
        self._row.addWidget(inspector)
        self._fold()

    def set_source(self, source: QWidget) -> None:
        """Put the column for a source where the inspector stands; it is hidden until it is wanted."""
        self.source = source
        source.hide()
        self._row.addWidget(source)

    def show_source(self) -> None:
        """Show the source in place of the inspector, whatever the width."""
        self._source_open = True
        self._fold()

    def hide_source(self) -> None:
        """Go back to what stood there before."""
        self._source_open = False
        self._fold()

    @property
    def list_folded(self) -> bool:
        """Say whether list and conversation stand in one column."""
        least = LIST_BESIDE_SOURCE_FROM if self._source_open else LIST_FOLDS_BELOW
        return self.window().width() < look().px(least)

    def show_list(self, in_front: bool = True) -> None:
        """Narrow: show the list, or the conversation."""
        self._list_in_front = in_front
        self._fold()

    def toggle_inspector(self) -> None:
        """Fold the inspector or bring it back, whatever the width; a source before it is closed."""
        if self._source_open:
            self.hide_source()
        elif self.inspector is not None:
            self._inspector_wanted = not self.inspector.isVisible()
            self._fold()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fold()
        self._drop_hint.setGeometry(self.rect())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome files and pictures wherever they are let go."""
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            self._drop_hint.setGeometry(self.rect())
            self._drop_hint.show()
            self._drop_hint.raise_()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop_hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand on what was let go."""
        self._drop_hint.hide()
        self.files_dropped.emit(event.mimeData())
        event.acceptProposedAction()

    def _fold(self) -> None:
        narrow, wide = self.list_folded, self.window().width() >= look().px(INSPECTOR_FOLDS_BELOW)
        inspecting = wide if self._inspector_wanted is None else self._inspector_wanted
        has_source = self.source is not None and self._source_open
        has_inspector = self.inspector is not None and inspecting and not has_source
        in_front = narrow and self._list_in_front
        source_alone = has_source and self.window().width() < look().px(SOURCE_ALONE_BELOW)
        alone = (source_alone or (narrow and has_inspector)) and not in_front
        self.list.setVisible(not narrow or in_front)
        self.middle.setVisible(not in_front and not alone)
        self._size(self.list, look().px(LIST_WIDTH), fills=in_front)
        self.folded.emit(narrow)
        if self.inspector is not None:
            self.inspector.setVisible(has_inspector and not in_front)
            self._size(self.inspector, look().px(INSPECTOR_WIDTH), fills=alone)
        if self.source is not None:
            self.source.setVisible(has_source and not in_front)
            self._size(self.source, look().px(SOURCE_WIDTH), fills=alone)

    def _size(self, column: QWidget, width: int, *, fills: bool) -> None:
        column.setMinimumWidth(0 if fills else width)
        column.setMaximumWidth(16777215 if fills else width)
        self._row.setStretchFactor(column, 1 if fills else 0)
