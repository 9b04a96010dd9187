"""The notes that a search of everything found, above the conversations that it found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon
from resources.language import gettext as _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memory.notes import Note


class FoundNotes(QWidget):
    """Hidden while nothing was found. ``chosen`` carries the text of the note that its owner wants to see."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(_("Notes found"))
        self._title = QLabel(_("Notes"))
        self._title.setProperty("role", "dim")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 6)
        self._column.setSpacing(2)
        self._column.addWidget(self._title)
        self.lines: list[QToolButton] = []
        self._texts: list[str] = []
        appearance().changed.connect(self._tint)
        self.hide()

    def show_notes(self, notes: Sequence[Note]) -> None:
        """Show one line for each note."""
        for line in self.lines:
            self._column.removeWidget(line)
            line.deleteLater()
        self._texts = [" ".join(note.text.split()) for note in notes]
        self.lines = [self._line(text) for text in self._texts]
        self._tint()
        self.setVisible(bool(self.lines))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _line(self, text: str) -> QToolButton:
        line = QToolButton()
        line.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        line.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        line.setAccessibleName(_("Note: {text}").format(text=text))
        line.setToolTip(text)
        line.clicked.connect(partial(self.chosen.emit, text))
        self._column.addWidget(line)
        return line

    def _elide(self) -> None:
        room = self.width() - look().px(44)
        for line, text in zip(self.lines, self._texts, strict=True):
            cut = line.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(40, room))
            line.setText(cut.replace("&", "&&"))

    def _tint(self) -> None:
        here = look()
        self._column.setContentsMargins(here.px(4), 0, 0, here.px(6))
        self._title.setContentsMargins(here.px(6), 0, 0, here.px(2))
        for line in self.lines:
            line.setIcon(icon("note", here.theme.dim, here.px(15)))
            line.setIconSize(QSize(here.px(15), here.px(15)))
        self._elide()
