"""Our own stroke icons on a 24 px grid, tinted with a token and rendered at the screen's density."""

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "icons"


def icon_names() -> tuple[str, ...]:
    """Return the names of all icons, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.svg")))


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    return (FOLDER / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def _render(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", colour).encode()))
    pixmap = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def icon_pixmap(name: str, colour: str, size: int = 20) -> QPixmap:
    """Return an icon as a picture of size × size logical pixels; FileNotFoundError for an unknown name."""
    screen = QGuiApplication.primaryScreen()
    return _render(name, colour, size, screen.devicePixelRatio() if screen else 1.0)


def icon(name: str, colour: str, size: int = 20, active: str = "") -> QIcon:
    """Return an icon; ``active`` is the tint while the button is checked or under the pointer."""
    result = QIcon(icon_pixmap(name, colour, size))
    if active:
        for mode, state in (
            (QIcon.Mode.Active, QIcon.State.Off),
            (QIcon.Mode.Normal, QIcon.State.On),
            (QIcon.Mode.Active, QIcon.State.On),
            (QIcon.Mode.Selected, QIcon.State.Off),
        ):
            result.addPixmap(icon_pixmap(name, active, size), mode, state)
    return result
