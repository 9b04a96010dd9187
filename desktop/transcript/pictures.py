"""Pictures drawn within a line of text: citation chips and formulas. Nothing is ever loaded from anywhere."""

import logging
import warnings
from functools import lru_cache
from urllib.parse import unquote

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QImage, QPainter, QPen
from PySide6.QtSvg import QSvgRenderer

from desktop.theme.appearance import Look, look
from desktop.theme.tokens import colour
from desktop.transcript.markdown_html import CHIP, FORMULA, chip_words

log = logging.getLogger(__name__)


def density() -> float:
    """Return the device pixels per logical pixel of the first screen."""
    screen = QGuiApplication.primaryScreen()
    return float(screen.devicePixelRatio()) if screen else 1.0


def picture(address: str) -> QImage:
    """Return the picture of a chip or formula; any other address gives an empty one."""
    if address.startswith(CHIP):
        label, behind = chip_words(address.removeprefix(CHIP))
        return chip(label, look(), density(), behind)
    if address.startswith(FORMULA):
        source = unquote(address.removeprefix(FORMULA))
        here = look()
        drawn = formula(source, here.px(15), here.theme.text, density())
        return drawn or source_picture(source, here, density())
    empty = QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
    empty.fill(Qt.GlobalColor.transparent)
    return empty


def _blank(size: QSize, ratio: float) -> QImage:
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    return image


@lru_cache(maxsize=256)
def chip(label: str, here: Look, ratio: float, behind: str = "") -> QImage:
    """Draw a citation's label in a small rounded frame, and behind it the punctuation that must not leave it."""
    font = here.font(11.5)
    metrics = QFontMetrics(font)
    inner = metrics.horizontalAdvance(label) + here.px(11)
    # As high as the line's own letters, so that a chip does not push lines apart.
    letters = QFontMetrics(here.font())
    framed = inner + here.px(2 if behind else 4)
    size = QSize(framed + letters.horizontalAdvance(behind), letters.height())
    image = _blank(size, ratio)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box = QRectF(here.px(2) + 0.5, 0.5, inner - 1, size.height() - 1)
    painter.setPen(QPen(colour(here.theme.line), 1))
    painter.setBrush(colour(here.theme.panel))
    painter.drawRoundedRect(box, here.px(5), here.px(5))
    painter.setPen(colour(here.theme.accent))
    painter.setFont(font)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)
    if behind:
        painter.setPen(colour(here.theme.text))
        painter.setFont(here.font())
        painter.drawText(framed, letters.ascent(), behind)
    painter.end()
    return image


def embedded(content: bytes, here: Look, ratio: float) -> QImage:
    """Return a small picture (PNG) of the chat's files, a sign in its place where there is none."""
    image = QImage.fromData(QByteArray(content)) if content else QImage()
    return chip("▦", here, ratio) if image.isNull() else image


@lru_cache(maxsize=64)
def source_picture(source: str, here: Look, ratio: float) -> QImage:
    """Draw the source of a formula that cannot be set."""
    font = here.font(12.5, fixed=True)
    metrics = QFontMetrics(font)
    image = _blank(QSize(metrics.horizontalAdvance(source) + 4, metrics.height() + 2), ratio)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(colour(here.theme.dim))
    painter.drawText(2, metrics.ascent() + 1, source)
    painter.end()
    return image


@lru_cache(maxsize=256)
def formula(source: str, size: int, ink: str, ratio: float) -> QImage | None:
    """Set a LaTeX formula in an ink; None if it is not understood."""
    with warnings.catch_warnings():
        # Its import reads its font in a way that Python calls deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        from ziamath.config import config
        from ziamath.zmath import Latex

    # QtSvg cannot reuse symbols, which SVG 2 output relies on.
    config.svg2 = False
    try:
        svg = Latex(source, size=size, color=QColor(ink).name()).svg()
    except Exception as problem:  # noqa: BLE001 - any error of the parser means the same: show the source
        log.info("formula not understood: %s", type(problem).__name__)
        return None
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    box = renderer.defaultSize()
    if box.isEmpty():
        return None
    image = _blank(box, ratio)
    painter = QPainter(image)
    renderer.render(painter, QRectF(0, 0, box.width(), box.height()))
    painter.end()
    return image


def forget_drawn() -> None:
    """Keep no drawn picture, name or formula in memory."""
    for drawn in (chip, source_picture, formula):
        drawn.cache_clear()
