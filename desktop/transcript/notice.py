"""A sentence of the office in a tinted frame, with buttons and folded details."""

from html import escape

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from desktop.theme.appearance import Look, look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import Theme
from desktop.transcript.events import RowEvents
from desktop.transcript.foldable import Foldable
from desktop.transcript.prose import ProseSegment
from desktop.transcript.rows import Notice, RowAction, Tone
from desktop.widgets.chip import flow
from desktop.widgets.rounded import rounded
from resources.language import gettext as _


class ActionRow(QWidget):
    """Buttons of a message; each reports its name."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self.events = events
        self._message_id = ""
        self._actions: tuple[RowAction, ...] = ()
        self._buttons: list[QPushButton] = []

    def show_actions(self, message_id: str, actions: tuple[RowAction, ...]) -> None:
        """Show these buttons."""
        self._message_id = message_id
        if actions == self._actions:
            return
        self._actions = actions
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        self._buttons = []
        for action in actions:
            button = QPushButton(action.label, self)
            if action.primary:
                button.setProperty("kind", "primary")
            button.clicked.connect(lambda _on=False, name=action.name: self._press(name))
            button.show()
            self._buttons.append(button)

    def _press(self, name: str) -> None:
        self.events.action.emit(self._message_id, name)

    def height_for(self, width: int) -> int:
        """Place the buttons at a width and return their height."""
        if not self._buttons:
            return 0
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        return flow([*self._buttons], width, QPoint(0, 0), look().px(8), mirrored)


def _colours(theme: Theme, tone: Tone) -> tuple[str, str, str, str]:
    """Return (background, frame, icon colour, icon)."""
    match tone:
        case Tone.ERROR:
            return theme.danger_bg, theme.danger, theme.danger_text, "error"
        case Tone.WARN:
            return theme.warn_bg, theme.warn, theme.warn_text, "warning"
        case _:
            return theme.panel, theme.line, theme.dim, "info"


class NoticePanel(QFrame):
    """Icon, sentence, buttons, details; alone in a row or at the foot of a failed answer."""

    def __init__(self, parent: QWidget, events: RowEvents) -> None:
        super().__init__(parent)
        self._tone = Tone.INFO
        self.sentence = ProseSegment(self, events)
        self._actions = ActionRow(self, events)
        self._details = Foldable(self, events)

    def show_notice(self, message_id: str, notice: Notice, opened: bool) -> None:
        """Show a notice; ``opened`` unfolds the details."""
        self._tone = notice.tone
        self.sentence.message_id = message_id
        self.sentence.show_html(f"<p>{escape(notice.sentence)}</p>")
        self._actions.show_actions(message_id, notice.actions)
        self._actions.setVisible(bool(notice.actions))
        self._details.setVisible(bool(notice.details))
        if notice.details:
            self._details.show_line(message_id, "details", _("Details"), "", "info", "", framed=False)
            self._details.show_body(f"<pre>{escape(notice.details)}</pre>", opened)
        self.setAccessibleName(notice.sentence)
        self.update()

    def height_for(self, width: int) -> int:
        """Place the parts at a width and return the height."""
        here = look()
        pad, left = here.px(13), here.px(42)
        inner = max(40, width - left - pad)
        y = pad
        y += self._put(self.sentence, self.sentence.height_for(inner), left, y, inner)
        if not self._actions.isHidden():
            y += here.px(10)
            y += self._put(self._actions, self._actions.height_for(inner), left, y, inner)
        if not self._details.isHidden():
            y += here.px(6)
            y += self._put(self._details, self._details.height_for(inner), left, y, inner)
        return y + pad

    def _put(self, widget: QWidget, height: int, x: int, y: int, width: int) -> int:
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            x = look().px(13)
        widget.setGeometry(x, y, width, height)
        return height

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw frame and icon."""
        here: Look = look()
        ground, frame, ink, name = _colours(here.theme, self._tone)
        painter = QPainter(self)
        rounded(painter, self.rect(), ground, frame, here.px(10))
        side = here.px(18)
        spot = QRect(here.px(14), here.px(15), side, side)
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            spot.moveLeft(self.width() - spot.right() - 1)
        painter.drawPixmap(spot, icon_pixmap(name, ink, side))
