"""The icon among the system's own and the messages that come from it, where the system has a place for them."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from desktop.theme.mark import app_icon
from desktop.window import Window
from resources.language import gettext as _

_SHOWN_MILLISECONDS = 8000


class Tray(QObject):
    """Made when it is first needed: it costs a talk with the desktop. ``pressed`` when a message was clicked."""

    pressed = Signal()

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self._icon: QSystemTrayIcon | None = None
        self._menu: QMenu | None = None

    def show_message(self, title: str, sentence: str) -> None:
        """Show a message of the system, or have the window ask for attention where there is no place for one."""
        QApplication.alert(self._window)
        if self._icon is None and QSystemTrayIcon.isSystemTrayAvailable():
            self._icon = self._made()
        if self._icon is not None:
            self._icon.show()
            self._icon.showMessage(title, sentence, QSystemTrayIcon.MessageIcon.NoIcon, _SHOWN_MILLISECONDS)

    def hide(self) -> None:
        """Take the icon away."""
        if self._icon is not None:
            self._icon.hide()

    def _made(self) -> QSystemTrayIcon:
        made = QSystemTrayIcon(app_icon(), self)
        made.setToolTip("Bureau")
        made.activated.connect(lambda _reason: self._window.raise_to_front())
        made.messageClicked.connect(self.pressed)
        self._menu = QMenu()
        self._add(_("Open Bureau"), self._window.raise_to_front)
        self._add(_("Quit"), self._window.closing.emit)
        made.setContextMenu(self._menu)
        return made

    def _add(self, words: str, act: Callable[[], object]) -> None:
        assert self._menu is not None
        self._menu.addAction(words).triggered.connect(lambda _on=False: act())
