"""A thin bar of coloured shares: what leaves this machine, what a budget has left."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from desktop.theme.appearance import look
from desktop.theme.tokens import colour

INKS = ("accent", "ok", "warn", "danger", "dim")
"""Tokens of the shares, in order."""


@dataclass(frozen=True, slots=True)
class Share:
    """One part: its label and its amount; ``ink`` is a token, by default the next in order."""

    label: str
    amount: float
    ink: str = ""


class MeterBar(QWidget):
    """Shares of a whole, the rest in the colour of the hairline."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shares: tuple[Share, ...] = ()
        self._whole = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_shares(self, shares: tuple[Share, ...], whole: float = 0.0) -> None:
        """Show shares of a whole; without one their sum fills the bar."""
        self._shares = shares
        self._whole = max(whole, sum(share.amount for share in shares), 1e-9)
        words = ", ".join(f"{share.label}: {share.amount:,.0f}" for share in shares)
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the height of the bar."""
        return QSize(look().px(120), look().px(6))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the shares."""
        here = look()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(self.rect()), self.height() / 2, self.height() / 2)
        painter.setClipPath(outline)
        painter.fillRect(self.rect(), colour(here.theme.line))
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x = 0.0
        for place, share in enumerate(self._shares):
            width = self.width() * share.amount / self._whole
            left = self.width() - x - width if mirrored else x
            ink = getattr(here.theme, share.ink or INKS[place % len(INKS)])
            painter.fillRect(QRectF(left, 0, width, self.height()), colour(ink))
            x += width
