"""The page of conversations: list, conversation, inspector; what does not fit beside the others folds."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from desktop.chats.list_pane import WIDTH as LIST_WIDTH
from desktop.chats.list_pane import ListPane
from desktop.theme.appearance import appearance, look
from resources.language import gettext as _

INSPECTOR_WIDTH = 292
INSPECTOR_FOLDS_BELOW = 1100
LIST_FOLDS_BELOW = 760


class ChatsArea(QWidget):
    """Three columns. Narrow, the list gives way to the conversation and comes back by ``show_list``.

    The widths at which columns fold count the whole window, the rail included. ``folded`` says whether the
    list has given way.
    """

    folded = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(_("Chats"))
        self.list = ListPane()
        self.middle = QStackedWidget()
        self.inspector: QWidget | None = None
        self._list_in_front = False
        self._inspector_wanted: bool | None = None
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(self.list)
        self._row.addWidget(self.middle, 1)
        appearance().changed.connect(self._fold)

    def set_inspector(self, inspector: QWidget) -> None:
        """Put the inspector at the far side."""
        self.inspector = inspector
        self._row.addWidget(inspector)
        self._fold()

    @property
    def list_folded(self) -> bool:
        """Say whether list and conversation stand in one column."""
        return self.window().width() < look().px(LIST_FOLDS_BELOW)

    def show_list(self, in_front: bool = True) -> None:
        """Narrow: show the list, or the conversation."""
        self._list_in_front = in_front
        self._fold()

    def toggle_inspector(self) -> None:
        """Fold the inspector or bring it back, whatever the width."""
        if self.inspector is not None:
            self._inspector_wanted = not self.inspector.isVisible()
            self._fold()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self._fold()

    def _fold(self) -> None:
        narrow, wide = self.list_folded, self.window().width() >= look().px(INSPECTOR_FOLDS_BELOW)
        inspecting = wide if self._inspector_wanted is None else self._inspector_wanted
        has_inspector = self.inspector is not None and inspecting
        in_front = narrow and self._list_in_front
        alone = narrow and has_inspector and not in_front
        self.list.setVisible(not narrow or in_front)
        self.middle.setVisible(not in_front and not alone)
        self._size(self.list, look().px(LIST_WIDTH), fills=in_front)
        self.folded.emit(narrow)
        if self.inspector is not None:
            self.inspector.setVisible(has_inspector and not in_front)
            self._size(self.inspector, look().px(INSPECTOR_WIDTH), fills=alone)

    def _size(self, column: QWidget, width: int, *, fills: bool) -> None:
        column.setMinimumWidth(0 if fills else width)
        column.setMaximumWidth(16777215 if fills else width)
        self._row.setStretchFactor(column, 1 if fills else 0)
