"""How a card's frame, header and footer are drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from unicodedata import bidirectional

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from desktop.theme.appearance import Look, look
from desktop.theme.icons import icon_pixmap
from desktop.theme.tokens import avatar_colour, colour
from desktop.transcript.rows import Message, MessageState, RowKind, spoken_state
from desktop.widgets.rounded import rounded

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
    if words.isascii():
        return False
    kinds = (bidirectional(letter) for letter in words)
    return next((kind in ("R", "AL") for kind in kinds if kind in ("L", "R", "AL")), False)


def header_height(kind: RowKind) -> int:
    """Return the height of author, avatar and time."""
    return look().px(28 if kind is RowKind.AGENTS else 20)


def footer_text(message: Message) -> str:
    """Return the line under an answer: what the run tells, or the state."""
    state = spoken_state(message.state)
    said = message.state is MessageState.FAILED and message.notice is not None
    if said or message.state in (MessageState.COMPLETE, MessageState.STREAMING):
        return message.footer
    return " · ".join(part for part in (state, message.footer) if part)


def paint(card: MessageCard, dirty: QRect) -> None:
    """Draw what is dirty of a card that has a frame; a growing answer leaves its header alone."""
    here = look()
    painter = QPainter(card)
    edge = here.px(8)
    if card.rect().adjusted(edge, edge, -edge, -edge).contains(dirty):
        painter.fillRect(dirty, _ground(card, here))
    else:
        _corners(card, painter, here)
        _frame(card, painter, here)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if dirty.top() < here.px(12) + header_height(card.kind):
        _header(card, painter, here)
    if dirty.intersects(card.footer_box) or dirty.intersects(card.wait_box):
        _foot(card, painter, here)


def _ground(card: MessageCard, here: Look) -> QColor:
    return colour(here.theme.accent_bg if card.kind is RowKind.OWNER else here.theme.panel)


def _corners(card: MessageCard, painter: QPainter, here: Look) -> None:
    """Fill what the rounded corners leave open: the card paints all its pixels."""
    side, ground = here.px(12), colour(here.theme.bg)
    for x in (0, card.width() - side):
        for y in (0, card.height() - side):
            painter.fillRect(x, y, side, side, ground)


def _frame(card: MessageCard, painter: QPainter, here: Look) -> None:
    theme = here.theme
    owner = card.kind is RowKind.OWNER
    ground = theme.accent_bg if owner else theme.panel
    edge = theme.accent if card.focused else theme.accent_bg if owner else theme.line
    rounded(painter, card.rect(), ground, edge, here.px(12), 2.0 if card.focused else 1.0)


@dataclass(frozen=True, slots=True)
class Header:
    """The words of a header, cut to their room once per layout instead of at every painting."""

    name: str = ""
    name_box: QRect = field(default_factory=QRect)
    meta: str = ""
    meta_box: QRect = field(default_factory=QRect)
    disc: QRect = field(default_factory=QRect)
    pin: QRect = field(default_factory=QRect)


def header(card: MessageCard, width: int) -> Header:
    """Lay the header of a card out at a width."""
    here, message = look(), card.message
    pad, top, tall = here.px(14), here.px(12), header_height(card.kind)
    left, right = pad, pad
    disc, pin = QRect(), QRect()
    if card.kind is RowKind.AGENTS:
        disc = QRect(left, top, tall, tall)
        left += tall + here.px(9)
    inner = width - left - right
    if message.pinned:
        side = here.px(14)
        pin = QRect(width - right - side, top + (tall - side) // 2, side, side)
        right += side + here.px(6)
        inner -= side + here.px(6)
    strong, small = _metrics(here.font(14, 600)), _metrics(here.small)
    title = card.title().replace("\n", " ")
    name_width = strong.horizontalAdvance(title) + 2
    meta = _meta(message, small, inner - min(name_width, inner * 2 // 3) - here.px(12))
    wide = small.horizontalAdvance(meta) + 2 if meta else 0
    room = inner - (wide + here.px(12) if meta else 0)
    name = title if name_width <= room else strong.elidedText(title, Qt.TextElideMode.ElideRight, room)
    boxes = (QRect(left, top, room, tall), QRect(width - right - wide, top, wide, tall), disc, pin)
    if card.layoutDirection() == Qt.LayoutDirection.RightToLeft:
        for box in boxes:
            if not box.isNull():
                box.moveLeft(width - box.right() - 1)
    return Header(name, boxes[0], meta, boxes[1], boxes[2], boxes[3])


@lru_cache(maxsize=32)
def _metrics(font: QFont) -> QFontMetrics:
    return QFontMetrics(font)


def _header(card: MessageCard, painter: QPainter, here: Look) -> None:
    parts, theme = card.header, here.theme
    if not parts.disc.isNull():
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(card.message.colour or avatar_colour(card.message.author)))
        painter.drawEllipse(parts.disc)
        painter.setPen(Qt.GlobalColor.white)
        painter.setFont(here.font(11.5, 600))
        painter.drawText(parts.disc, _CENTRE, card.message.initial)
    if not parts.pin.isNull():
        painter.drawPixmap(parts.pin, icon_pixmap("pin", theme.accent, parts.pin.width()))
    if parts.meta:
        painter.setFont(here.small)
        painter.setPen(colour(theme.dim))
        write(painter, parts.meta_box, parts.meta, trailing=True)
    painter.setFont(here.font(14, 600))
    painter.setPen(colour(theme.dim if card.message.dim else theme.text))
    write(painter, parts.name_box, parts.name)


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
