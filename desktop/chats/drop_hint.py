"""The sheet over the chats while files are dragged above them."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from desktop.theme.appearance import look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import colour
from resources.language import gettext as _


class DropHint(QWidget):
    """Says what letting go would do; takes no event itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(_("Let go to attach the files"))
        self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        here, theme = look(), look().theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(theme.accent_bg)
        veil.setAlpha(225)
        edge = QPen(colour(theme.accent), 1.5)
        edge.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(edge)
        painter.setBrush(veil)
        inset = here.px(12)
        painter.drawRoundedRect(self.rect().adjusted(inset, inset, -inset, -inset), here.px(12), here.px(12))
        side, middle = here.px(28), self.rect().center()
        painter.drawPixmap(
            middle.x() - side // 2, middle.y() - side, icon_pixmap("attach", theme.accent, side)
        )
        painter.setFont(here.font(15, 600))
        painter.setPen(colour(theme.accent))
        words = QRect(inset, middle.y() + here.px(10), self.width() - 2 * inset, here.px(28))
        painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter), _("Let go to attach the files"))
