"""How a card's frame, header and footer are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import bidirectional

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QWidget

from desktop.theme.appearance import Look, look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import avatar_colour, colour
from desktop.transcript.rows import Message, MessageState, RowKind, spoken_state

if TYPE_CHECKING:
    from desktop.transcript.card import MessageCard

_LTR = Qt.LayoutDirection.LeftToRight
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)


def flipped(widget: QWidget, rect: QRect) -> QRect:
    """Mirror a rectangle where the language runs from right to left."""
    if widget.layoutDirection() == Qt.LayoutDirection.RightToLeft:
        rect.moveLeft(widget.width() - rect.right() - 1)
    return rect


def write(painter: QPainter, box: QRect, words: str, trailing: bool = False) -> None:
    """Draw a line at the beginning (or end) of a box, its words in their own direction."""
    mirrored = painter.layoutDirection() == Qt.LayoutDirection.RightToLeft
    side = Qt.AlignmentFlag.AlignRight if mirrored != trailing else Qt.AlignmentFlag.AlignLeft
    own = Qt.LayoutDirection.RightToLeft if is_rtl(words) else _LTR
    painter.setLayoutDirection(own)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter | side | Qt.AlignmentFlag.AlignAbsolute), words)
    painter.setLayoutDirection(Qt.LayoutDirection.RightToLeft if mirrored else _LTR)


def is_rtl(words: str) -> bool:
    """Tell whether the first letter with a direction runs from right to left."""
    kinds = (bidirectional(letter) for letter in words)
    return next((kind in ("R", "AL") for kind in kinds if kind in ("L", "R", "AL")), False)


def header_height(kind: RowKind) -> int:
    """Return the height of author, avatar and time."""
    return look().px(28 if kind is RowKind.AGENTS else 20)


def footer_text(message: Message) -> str:
    """Return the line under an answer: what the run tells, or the state."""
    state = spoken_state(message.state)
    if message.state in (MessageState.COMPLETE, MessageState.STREAMING):
        return message.footer
    return " · ".join(part for part in (state, message.footer) if part)


def paint(card: MessageCard) -> None:
    """Draw a card that has a frame."""
    here = look()
    painter = QPainter(card)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _frame(card, painter, here)
    _header(card, painter, here)
    _foot(card, painter, here)


def _frame(card: MessageCard, painter: QPainter, here: Look) -> None:
    theme = here.theme
    owner = card.kind is RowKind.OWNER
    edge = theme.accent if card.focused else theme.accent_bg if owner else theme.line
    painter.setPen(QPen(colour(edge), 1.5 if card.focused else 1))
    painter.setBrush(colour(theme.accent_bg if owner else theme.panel))
    painter.drawRoundedRect(QRectF(card.rect()).adjusted(0.75, 0.75, -0.75, -0.75), here.px(12), here.px(12))


def _header(card: MessageCard, painter: QPainter, here: Look) -> None:
    message, theme = card.message, here.theme
    pad, top, tall = here.px(14), here.px(12), header_height(card.kind)
    left, right = pad, pad
    if card.kind is RowKind.AGENTS:
        disc = flipped(card, QRect(left, top, tall, tall))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(message.colour or avatar_colour(message.author)))
        painter.drawEllipse(disc)
        painter.setPen(Qt.GlobalColor.white)
        painter.setFont(here.font(11.5, 600))
        painter.drawText(disc, _CENTRE, message.initial)
        left += tall + here.px(9)
    small, strong = here.small, here.font(14, 600)
    inner = card.width() - left - right
    name_width = QFontMetrics(strong).horizontalAdvance(card.title()) + 2
    if message.pinned:
        side = here.px(14)
        spot = QRect(card.width() - right - side, top + (tall - side) // 2, side, side)
        painter.drawPixmap(flipped(card, spot), icon_pixmap("pin", theme.accent, side))
        right += side + here.px(6)
        inner -= side + here.px(6)
    meta = _meta(message, QFontMetrics(small), inner - min(name_width, inner * 2 // 3) - here.px(12))
    painter.setFont(small)
    painter.setPen(colour(theme.dim))
    wide = QFontMetrics(small).horizontalAdvance(meta) + 2
    spot = flipped(card, QRect(card.width() - right - wide, top, wide, tall))
    write(painter, spot, meta, trailing=True)
    room = inner - (wide + here.px(12) if meta else 0)
    painter.setFont(strong)
    painter.setPen(colour(theme.text))
    spot = flipped(card, QRect(left, top, room, tall))
    elided = painter.fontMetrics().elidedText(
        card.title().replace("\n", " "), Qt.TextElideMode.ElideRight, room
    )
    write(painter, spot, elided)


def _meta(message: Message, metrics: QFontMetrics, room: int) -> str:
    """Return model and time, only the time where there is no room, nothing where that is too long too."""
    for parts in ((message.model, message.time), (message.time,)):
        words = " · ".join(part for part in parts if part)
        if metrics.horizontalAdvance(words) <= room:
            return words
    return ""


def _foot(card: MessageCard, painter: QPainter, here: Look) -> None:
    message, theme = card.message, here.theme
    painter.setFont(here.small)
    if not card.wait_box.isNull():
        painter.setPen(colour(theme.dim))
        write(painter, flipped(card, QRect(card.wait_box)), spoken_state(message.state))
    if not card.footer_box.isNull():
        warn = message.state in (MessageState.INTERRUPTED, MessageState.FAILED)
        painter.setPen(colour(theme.warn_text if warn else theme.dim))
        box = flipped(card, QRect(card.footer_box))
        words = painter.fontMetrics().elidedText(
            footer_text(message), Qt.TextElideMode.ElideRight, box.width()
        )
        write(painter, box, words)
