"""The window: a rail, the page that it names, and in their place a card while the office is not open."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from desktop.first_look import FirstLook
from desktop.notices import NoticeArea
from desktop.rail import Rail
from desktop.theme.appearance import appearance
from resources.language import gettext as _

DEFAULT_SIZE = (1360, 860)
LEAST_SIZE = (360, 480)


class Window(QWidget):
    """Hides instead of closing and says so; whoever runs it decides what closing means.

    ``painted`` comes once, after the first paint.
    """

    closing = Signal()
    painted = Signal()
    page_wanted = Signal(str)
    _faulted = Signal(str)

    def __init__(self, first: FirstLook) -> None:
        super().__init__()
        self.setWindowTitle("Bureau")
        self.setAccessibleName("Bureau")
        self.setMinimumSize(*LEAST_SIZE)
        self._has_painted = False
        self._pages: dict[str, QWidget] = {}
        self._gate: QWidget | None = None
        self.current_page = ""

        self.rail = Rail()
        self.rail.chosen.connect(self.page_wanted)
        self._body = QStackedWidget()
        self._body.setAccessibleName(_("Page"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(self._body, 1)
        self.notices = NoticeArea(self)
        self._faulted.connect(lambda sentence: self.notices.show_notice(sentence, fault=True))
        self._closing_for_good = False
        self._place(first)

    def report(self, sentence: str) -> None:
        """Show a fault; may be called from any thread."""
        self._faulted.emit(sentence)

    def close_for_good(self) -> None:
        """Close without asking anybody."""
        self._closing_for_good = True
        self.close()

    def add_page(self, name: str, page: QWidget) -> None:
        """Keep a page under the name of its place on the rail."""
        self._pages[name] = page
        page.setEnabled(self._gate is None)
        self._body.addWidget(page)

    def page(self, name: str) -> QWidget | None:
        """Return a page that was added, else None."""
        return self._pages.get(name)

    def show_page(self, name: str) -> None:
        """Bring a page that was added to the front and mark it on the rail."""
        page = self._pages[name]
        self.current_page = name
        self.rail.show_current(name)
        if self._gate is None:
            self._body.setCurrentWidget(page)
        self.notices.follow()

    def show_gate(self, gate: QWidget) -> None:
        """Show a card in place of everything else: unlocking, or why the office did not open."""
        self.open_gate()
        self._gate = gate
        self._body.addWidget(gate)
        self._body.setCurrentWidget(gate)
        # What lies behind takes no focus, whoever asks for it; not earlier, so that it still knows where it was.
        for page in self._pages.values():
            page.setEnabled(False)
        self.rail.hide()

    def open_gate(self) -> None:
        """Remove the card and show the page behind it."""
        if self._gate is None:
            return
        behind = self._pages.get(self.current_page)
        kept = behind.focusWidget() if behind is not None else None  # it changes as the card goes
        for page in self._pages.values():
            page.setEnabled(True)
        self._body.removeWidget(self._gate)
        self._gate.deleteLater()
        self._gate = None
        self.rail.show()
        if behind is not None:
            self._body.setCurrentWidget(behind)
        if kept is not None:
            kept.setFocus()

    def look_now(self) -> FirstLook:
        """Return the place and the look in force, to be found again at the next start."""
        place = self.normalGeometry() if self.isMaximized() else self.geometry()
        current = appearance().look
        return FirstLook(
            x=place.x(),
            y=place.y(),
            width=place.width(),
            height=place.height(),
            maximised=self.isMaximized(),
            scheme=str(appearance().scheme),
            zoom=current.zoom,
            reduced_motion=current.reduced_motion,
            language=appearance().language,
        )

    def raise_to_front(self) -> None:
        """Show the window above the others."""
        if self.isMinimized():
            self.showNormal()
        self.show()
        self.raise_()
        self.activateWindow()

    def once_painted(self, callback: Callable[[], None]) -> None:
        """Call back after the first paint, at once where that is over."""
        if self._has_painted:
            callback()
        else:
            self.painted.connect(callback, Qt.ConnectionType.SingleShotConnection)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._has_painted:
            self._has_painted = True
            # The children paint after this, in the same turn of the loop.
            QTimer.singleShot(0, self.painted.emit)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._closing_for_good:
            event.accept()
            return
        event.ignore()
        self.closing.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.notices.follow()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.notices.follow()

    def _place(self, first: FirstLook) -> None:
        screen = QGuiApplication.primaryScreen()
        room = screen.availableGeometry() if screen else QRect(0, 0, *DEFAULT_SIZE)
        wanted = QRect(first.x, first.y, first.width, first.height)
        on_a_screen = any(each.availableGeometry().intersects(wanted) for each in QGuiApplication.screens())
        if first.width >= LEAST_SIZE[0] and first.height >= LEAST_SIZE[1] and on_a_screen:
            self.setGeometry(wanted)
        else:
            self.resize(min(DEFAULT_SIZE[0], room.width()), min(DEFAULT_SIZE[1], room.height()))
            self.move(room.center() - self.rect().center())
        if first.maximised:
            self.setWindowState(Qt.WindowState.WindowMaximized)
