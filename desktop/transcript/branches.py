"""The switcher between versions of a message: ‹ 2/3 ›."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QToolButton, QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon
from desktop.theme.tokens import colour
from desktop.transcript.events import RowEvents
from desktop.transcript.rows import Branch
from resources.language import gettext as _


class BranchSwitcher(QWidget):
    """Steps to the previous or next version."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self._message_id = ""
        self._branch = Branch(1, 1)
        self._before, self._after = QToolButton(self), QToolButton(self)
        self._before.setAccessibleName(_("Previous version"))
        self._after.setAccessibleName(_("Next version"))
        self._before.clicked.connect(lambda: events.branch.emit(self._message_id, -1))
        self._after.clicked.connect(lambda: events.branch.emit(self._message_id, 1))

    def show_branch(self, message_id: str, branch: Branch) -> None:
        """Show a place among the versions."""
        self._message_id, self._branch = message_id, branch
        theme, size = look().theme, look().px(14)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        names = ("chevron-right", "chevron-left") if mirrored else ("chevron-left", "chevron-right")
        for button, name in zip((self._before, self._after), names, strict=True):
            button.setIcon(icon(name, theme.dim, size))
            button.setIconSize(QSize(size, size))
        self._before.setEnabled(branch.position > 1)
        self._after.setEnabled(branch.position < branch.count)
        self.setAccessibleName(
            _("Version {position} of {count}").format(position=branch.position, count=branch.count)
        )
        self._arrange()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the text and both buttons."""
        here = look()
        return QSize(2 * here.px(22) + here.px(14) + here.px(8) * len(self._text()), here.px(22))

    def _text(self) -> str:
        return f"{self._branch.position}/{self._branch.count}"

    def resizeEvent(self, event: object) -> None:
        """Place the buttons."""
        self._arrange()

    def _arrange(self) -> None:
        side = look().px(22)
        ends = [QRect(0, 0, side, side), QRect(self.width() - side, 0, side, side)]
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            ends.reverse()
        self._before.setGeometry(ends[0])
        self._after.setGeometry(ends[1])

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the numbers."""
        here = look()
        painter = QPainter(self)
        painter.setFont(here.small)
        painter.setPen(colour(here.theme.dim))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self._text())
