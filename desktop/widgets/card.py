"""A panel with a hairline frame, and a label that is cut where there is no room."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget
from superqt import QElidingLabel

from desktop.theme.appearance import appearance, look


class Card(QFrame):
    """A framed panel with a vertical layout in ``body``."""

    def __init__(self, parent: QWidget | None = None, kind: str = "card") -> None:
        super().__init__(parent)
        self.setProperty("kind", kind)
        self.body = QVBoxLayout(self)
        appearance().changed.connect(self._space)
        self._space()

    def _space(self) -> None:
        here = look()
        self.body.setContentsMargins(here.px(16), here.px(14), here.px(16), here.px(14))
        self.body.setSpacing(here.px(8))


class ElidedLabel(QElidingLabel):
    """A line that is cut with an ellipsis; the whole text is its tip."""

    def __init__(self, text: str = "", parent: QWidget | None = None, role: str = "") -> None:
        super().__init__(text, parent)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setTextFormat(Qt.TextFormat.PlainText)
        if role:
            self.setProperty("role", role)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Change the text; line ends become spaces."""
        line = " ".join(text.split())
        self.setText(line)
        self.setToolTip(line)
