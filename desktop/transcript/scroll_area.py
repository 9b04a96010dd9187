"""A scroll area over pooled rows: wheel, scroll bar, following the end, the pill for what is new."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QPushButton, QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon
from desktop.transcript.row import MessageRow
from desktop.transcript.row_layout import RowLayout
from resources.language import gettext as _


class RowScrollArea(QAbstractScrollArea):
    """``at_end_changed(bool)``: whether the end is in the window, and so followed."""

    at_end_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.following = True
        self.unread = False
        self._updating = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.layout_ = RowLayout(self.viewport(), self.make_row, self.bind_row, self.row_released)
        self._pill = QPushButton(_("New messages"), self.viewport())
        self._pill.clicked.connect(self.scroll_to_end)
        self._pill.hide()

    # What the view adds

    def make_row(self) -> MessageRow:
        """Make a row for the pool."""
        raise NotImplementedError

    def bind_row(self, row: MessageRow, place: int) -> None:
        """Show a place of the model in a row."""
        raise NotImplementedError

    def row_released(self, row: MessageRow) -> None:
        """Follow a row into the pool."""

    def placed(self) -> None:
        """Follow every change of place."""

    # Placing

    def settle(self) -> None:
        """Place again after a change of content, following the end if it was followed."""
        if self.following:
            self.layout_.scroll_to_end()
        self.place()

    def place(self) -> None:
        """Put the rows in their places and tell the scroll bar."""
        self.layout_.place()
        bar = self.verticalScrollBar()
        self._updating = True
        height = self.viewport().height()
        bar.setPageStep(height)
        bar.setSingleStep(look().px(40))
        bar.setRange(0, max(0, self.layout_.total - height))
        bar.setValue(self.layout_.value)
        self._updating = False
        if self.layout_.at_end:
            self.unread = False
        self._show_pill()
        self.placed()

    def _show_pill(self) -> None:
        self._pill.setVisible(self.unread)
        if self.unread:
            here = look()
            self._pill.setIcon(icon("arrow-down", here.theme.dim, here.px(16)))
            self._pill.adjustSize()
            left = (self.viewport().width() - self._pill.width()) // 2
            self._pill.move(left, self.viewport().height() - here.px(48))
            self._pill.raise_()

    # Scrolling

    def scroll_by(self, pixels: int) -> None:
        """Move by pixels, as a wheel does; the end is followed from within a few pixels of it."""
        self.layout_.scroll_by(pixels)
        self.user_scrolled()

    def user_scrolled(self) -> None:
        """Place after the reader moved, and follow the end only from there."""
        was = self.following
        self.place()
        self.following = self.layout_.at_end
        if was != self.following:
            self.at_end_changed.emit(self.following)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Follow the scroll bar."""
        if not self._updating:
            self.layout_.scroll_to_value(self.verticalScrollBar().value())
            self.user_scrolled()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll by the wheel's own pixels where it knows them."""
        pixels = event.pixelDelta().y() or round(event.angleDelta().y() * look().px(60) / 120)
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier or not pixels:
            event.ignore()
            return
        self.scroll_by(-pixels)
        event.accept()

    def scroll_to_end(self) -> None:
        """Go to the last message and follow it."""
        self.following, self.unread = True, False
        self.layout_.scroll_to_end()
        self.place()
        self.at_end_changed.emit(True)
