"""A switch whose words go on in further lines where they do not fit into one."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QSizePolicy


class WrappingBox(QCheckBox):
    """Its ``words`` are its name too; a word that is longer than a line stays whole."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words
        self.setAccessibleName(words)
        policy = self.sizePolicy()
        policy.setHorizontalPolicy(
            QSizePolicy.Policy.Preferred
        )  # else it is never narrower than all of its words
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def minimumSizeHint(self) -> QSize:
        longest = max(map(self.fontMetrics().horizontalAdvance, self.words.split()), default=0)
        return QSize(self._beside() + longest, super().sizeHint().height())

    def sizeHint(self) -> QSize:
        # The whole of it in one line, however it is wrapped now.
        width = self._beside() + self.fontMetrics().horizontalAdvance(self.words)
        return QSize(width, self.heightForWidth(width))

    def heightForWidth(self, width: int) -> int:
        lines = len(self._lines(width))
        one = super().sizeHint().height() - self.fontMetrics().lineSpacing() * self.text().count("\n")
        return one + self.fontMetrics().lineSpacing() * (lines - 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wrapped = "\n".join(self._lines(event.size().width()))
        if wrapped != self.text():
            self.setText(wrapped)

    def _beside(self) -> int:
        """Return how much of the width is not for words."""
        widest = max(map(self.fontMetrics().horizontalAdvance, self.text().split("\n")))
        return super().sizeHint().width() - widest

    def _lines(self, width: int) -> list[str]:
        room, lines = width - self._beside(), [""]
        for word in self.words.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self.fontMetrics().horizontalAdvance(longer) > room:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines
