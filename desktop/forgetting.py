"""What the window forgets when something is erased: the clipboard it filled, and pictures it had drawn."""

from PySide6.QtGui import QGuiApplication, QPixmapCache

from agents.events import Erased


def forget(_event: Erased) -> None:
    """Clear what may hold a part of what was erased. What another program put on the clipboard stays."""
    from desktop.transcript import pictures  # the transcript is not there yet when the window is

    clipboard = QGuiApplication.clipboard()
    if clipboard.ownsClipboard():
        clipboard.clear()
    QPixmapCache.clear()
    pictures.forget_drawn()
