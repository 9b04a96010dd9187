"""Where the composer stands: in the middle of the column, with a line above it for what was refused."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.chats.composing import Composing
from desktop.pages.folding import FoldingRow
from desktop.theme.appearance import appearance, look
from resources.language import gettext as _

_WIDTH = 680


class ComposerPlace(QWidget):
    """Says what was refused, and why nothing is taken at all; ``lift`` is called with a restricted conversation."""

    def __init__(self, composing: Composing, lift: Callable[[str], object]) -> None:
        super().__init__()
        self._line = _sentence("warn")
        self._reason = _sentence("dim")
        self._conversation_id = ""
        self.lift = QPushButton(_("Lift the restriction"))
        self.lift.setProperty("kind", "link")
        self.lift.clicked.connect(lambda: lift(self._conversation_id))
        self.lift.hide()
        self._column = QWidget()
        inner = QVBoxLayout(self._column)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(6)
        closed = self._closed = FoldingRow(420, gap=4)
        closed.hide()
        closed.row.addWidget(self._reason, 1)
        closed.row.addWidget(self.lift, 0, Qt.AlignmentFlag.AlignLeading)
        inner.addWidget(closed)
        inner.addWidget(self._line)
        inner.addWidget(composing.composer)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 16, 18)
        row.addStretch(1)
        row.addWidget(self._column, 10000)
        row.addStretch(1)
        composing.refused.connect(lambda sentence: _say(self._line, sentence))
        composing.closed.connect(self._close)
        appearance().changed.connect(self._fit)
        self._fit()

    def sentence(self) -> str:
        """Return what was refused."""
        return self._line.text()

    def reason(self) -> str:
        """Return why nothing is taken, empty where it is."""
        return self._reason.text()

    def _close(self, sentence: str, conversation_id: str) -> None:
        self._conversation_id = conversation_id
        _say(self._reason, sentence)
        self._closed.setVisible(bool(sentence))
        self.lift.setVisible(bool(conversation_id))

    def _fit(self) -> None:
        self._column.setMaximumWidth(look().px(_WIDTH))


def _sentence(role: str) -> QLabel:
    line = QLabel()
    line.setProperty("role", role)
    line.setWordWrap(True)
    line.setTextFormat(Qt.TextFormat.PlainText)
    line.hide()
    return line


def _say(line: QLabel, sentence: str) -> None:
    line.setText(sentence)
    line.setAccessibleName(sentence)
    line.setVisible(bool(sentence))
