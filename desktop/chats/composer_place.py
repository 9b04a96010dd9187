"""Where the composer stands: in the middle of the column, with a line above it for what was refused."""

from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.composer.composer import Composer
from desktop.theme.appearance import appearance, look

_WIDTH = 680


class ComposerPlace(QWidget):
    """``refused`` carries the sentence of the line; empty hides it."""

    def __init__(self, composer: Composer, refused: SignalInstance) -> None:
        super().__init__()
        self._composer = composer
        self._line = QLabel()
        self._line.setProperty("role", "warn")
        self._line.setWordWrap(True)
        self._line.setTextFormat(Qt.TextFormat.PlainText)
        self._line.hide()
        self._column = QWidget()
        inner = QVBoxLayout(self._column)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(6)
        inner.addWidget(self._line)
        inner.addWidget(composer)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 18)
        row.addStretch(1)
        row.addWidget(self._column, 10000)
        row.addStretch(1)
        refused.connect(self._say)
        appearance().changed.connect(self._fit)
        self._fit()

    def sentence(self) -> str:
        """Return what the line says."""
        return self._line.text()

    def _say(self, sentence: str) -> None:
        self._line.setText(sentence)
        self._line.setAccessibleName(sentence)
        self._line.setVisible(bool(sentence))

    def _fit(self) -> None:
        self._column.setMaximumWidth(look().px(_WIDTH))
