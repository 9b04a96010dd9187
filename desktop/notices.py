"""The notice area: short sentences that come up at the foot of the window, with a door where there is one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look
from resources.language import gettext as _

_SHOWN_MILLISECONDS = 7000
_MOST = 4
_WIDTH = 460

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """A button of a notice: its label and what it does."""

    label: str
    act: Callable[[], object]


class NoticeArea(QWidget):
    """Shows notices above the window's content; the newest stands lowest, the same sentence only once."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAccessibleName(_("Notices"))
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._cards: dict[str, _Card] = {}
        self._foot: QWidget | None = None
        appearance().changed.connect(self.follow)
        self._muted = False
        self.hide()

    def stand_above(self, foot: QWidget) -> None:
        """Keep above what stands at the foot of the window while that is seen, however high it gets."""
        self._foot = foot
        foot.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._foot and event.type() == QEvent.Type.Resize:
            self.follow()
        return super().eventFilter(watched, event)

    def mute(self, muted: bool) -> None:
        """Show nothing while the app is locked; what came meanwhile is shown afterwards."""
        self._muted = muted
        self.setVisible(not muted and bool(self._cards))
        self.follow()

    def show_notice(
        self, sentence: str, *, door: Door | None = None, fault: bool = False, lasting: bool = False
    ) -> None:
        """Show a sentence; one with a fault stays until it is closed, a lasting one until ``withdraw``."""
        if sentence in self._cards:
            self._cards[sentence].stay()
            return
        card = _Card(sentence, door, fault, lasting, lambda: self.withdraw(sentence))
        self._cards[sentence] = card
        self._column.addWidget(card)
        while len(self._cards) > _MOST:
            self.withdraw(next(iter(self._cards)))
        if self._muted:
            return
        self.show()
        self.raise_()
        self.follow()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, sentence))

    def sentences(self) -> list[str]:
        """Return what is shown now, oldest first."""
        return list(self._cards)

    def follow(self) -> None:
        """Keep to the foot of the window, in its middle."""
        window = self.parentWidget()
        if window is None or not self._cards:
            return
        width = min(look().px(_WIDTH), window.width() - 32)
        clearance = (
            self._foot.height() if self._foot is not None and self._foot.isVisible() else look().px(16)
        )
        for card in self._cards.values():
            card.ensurePolished()  # measured in the letters of the look in force
        heights = [card.height_for(width) for card in self._cards.values()]
        height = sum(heights) + self._column.spacing() * (len(heights) - 1)
        for card, tall in zip(self._cards.values(), heights, strict=True):
            card.setFixedHeight(tall)
        self.setFixedSize(width, height)
        self.move((window.width() - width) // 2, window.height() - height - clearance - 8)

    def withdraw(self, sentence: str) -> None:
        """Take a sentence away, if it is still shown."""
        card = self._cards.pop(sentence, None)
        if card is None:
            return
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()
        if self._cards:
            self.follow()
        else:
            self.hide()


class _Card(QFrame):
    """One notice."""

    def __init__(
        self, sentence: str, door: Door | None, fault: bool, lasting: bool, close: Callable[[], None]
    ) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName(sentence)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 8, 10)
        row.setSpacing(8)
        text = QLabel(sentence)
        text.setWordWrap(True)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if fault:
            text.setProperty("role", "danger")
        row.addWidget(text, 1)
        if door is not None:
            button = QPushButton(door.label)
            button.clicked.connect(close)
            button.clicked.connect(door.act)
            row.addWidget(button)
        closing = QPushButton(_("Close"))
        closing.setProperty("kind", "flat")
        closing.clicked.connect(close)
        closing.setVisible(not lasting)
        row.addWidget(closing)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(close)
        self._stays = fault or lasting
        self.stay()

    def height_for(self, width: int) -> int:
        """Return the height that the sentence asks for at a width."""
        return max(self._row.totalHeightForWidth(width), self._row.totalMinimumSize().height())

    def stay(self) -> None:
        """Begin the time of this notice again."""
        if not self._stays:
            self._timer.start(_SHOWN_MILLISECONDS)
