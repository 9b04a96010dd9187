"""What a page shows while it has nothing: an icon, what belongs here, and how to begin."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon_pixmap


class EmptyState(QWidget):
    """``chosen(name)`` when one of its buttons is pressed."""

    chosen = Signal(str)

    def __init__(
        self,
        icon: str,
        title: str,
        sentence: str,
        actions: tuple[tuple[str, str], ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        """``actions`` are (name, label); the first is the primary one."""
        super().__init__(parent)
        self._icon = icon
        self._picture = QLabel(self)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        heading = QLabel(title, self)
        heading.setProperty("role", "heading")
        heading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        heading.setWordWrap(True)
        words = QLabel(sentence, self)
        words.setProperty("role", "dim")
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName(f"{title}. {sentence}")
        column = QVBoxLayout()
        column.setSpacing(8)
        for part in (self._picture, heading, words):
            column.addWidget(part)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        for place, (name, label) in enumerate(actions):
            button = QPushButton(label, self)
            if place == 0:
                button.setProperty("kind", "primary")
            button.clicked.connect(lambda _on=False, it=name: self.chosen.emit(it))
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addSpacing(6)
        column.addLayout(buttons)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addLayout(column, 6)
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(3)
        appearance().changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        here = look()
        self._picture.setPixmap(icon_pixmap(self._icon, here.theme.dim, here.px(36)))

    def sizeHint(self) -> QSize:
        """Return a size that keeps the sentence to two or three lines."""
        return QSize(look().px(420), look().px(240))
