"""What belongs to a switch and stands below it."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look

_INDENT, _BELOW = 24, 6


class Indented(QWidget):
    """A ``column`` that begins where the words of the switch do, at any size of text and in either direction."""

    def __init__(self) -> None:
        super().__init__()
        self.column = QVBoxLayout(self)
        self.column.setSpacing(8)
        appearance().changed.connect(self._fit)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LayoutDirectionChange:
            self._fit()

    def _fit(self) -> None:
        indent, below = look().px(_INDENT), look().px(_BELOW)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        self.column.setContentsMargins(0 if mirrored else indent, 0, indent if mirrored else 0, below)
