"""The round button at the end of the composer: send, or stop."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import colour
from resources.language import gettext as _


class SendButton(QAbstractButton):
    """Accent when there is something to send or to stop, quiet otherwise."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.stops = False
        self._ready = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_state(stops=False, ready=False)

    def show_state(self, stops: bool, ready: bool) -> None:
        """Show what a press would do."""
        self.stops, self._ready = stops, ready
        words = _("Stop") if stops else _("Send")
        self.setToolTip(_("Stop (Esc)") if stops else _("Send (Enter)"))
        self.setAccessibleName(words)
        self.setEnabled(ready)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size of the button."""
        return QSize(look().px(30), look().px(30))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button."""
        here = look()
        theme = here.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colour(theme.text) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(colour(theme.accent if self._ready else theme.line))
        inset = 1 if self.hasFocus() else 0
        painter.drawRoundedRect(self.rect().adjusted(inset, inset, -inset, -inset), here.px(9), here.px(9))
        side = here.px(18)
        box = QRect((self.width() - side) // 2, (self.height() - side) // 2, side, side)
        ink = theme.on_accent if self._ready else theme.dim
        painter.drawPixmap(box, icon_pixmap("stop" if self.stops else "send", ink, side))
