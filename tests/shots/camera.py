"""Drives one window and photographs it."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtGui import QCursor, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton, QScrollArea, QWidget

from agents.office import Office
from desktop.chats.page import ChatPage
from desktop.contents import Contents
from desktop.lifecycle import Lifecycle
from desktop.pages.gates import Gate
from desktop.pages.page import Page
from desktop.theme.appearance import Scheme, appearance
from desktop.widgets.overlay import Overlay
from memory.chat_list import ChatEntry
from resources.language import gettext

WIDE, NARROW = (1360, 860), (360, 780)
FORMS = ((WIDE, 1.0, ""), (NARROW, 1.0, "-narrow"), (WIDE, 2.0, "-large"))
"""Size of the window, text zoom, and what the picture's name ends with."""
_SETTLE = 0.25
Scene = Callable[["Camera"], Awaitable[None]]


def press(parent: QWidget, words: str) -> None:
    """Press the visible button with these words, in the language of the pictures."""
    sought = gettext(words)
    found = [each for each in parent.findChildren(QPushButton) if each.text() == sought and each.isVisible()]
    assert found, f"no button {sought}"
    found[0].click()


class Camera:
    """Drives one window and writes pictures named ``<scene>-<light|dark>[-narrow|-large].png``.

    ``overlay`` is a menu that stands over the window in the next pictures, ``lying_over`` a card in it, ``in_sight``
    what they must show however narrow the window is; all go after them. ``folder`` is a place for files.
    """

    def __init__(self, target: Path, folder: Path) -> None:
        self._target = target
        self.overlay: QWidget | None = None
        self.lying_over: Overlay | None = None
        self.in_sight: QWidget | None = None
        self.folder = folder
        self.faults: list[str] = []

    async def drive(self, lifecycle: Lifecycle, wanted: dict[str, Scene]) -> None:
        """Act every scene, then close the window."""
        self.lifecycle = lifecycle
        QCursor.setPos(1599, 999)  # a pointer over the window would open what it hovers
        try:
            for name, act in wanted.items():
                await act(self)
                await self.settle()
                await self.take(name)
        except Exception:  # noqa: BLE001  whatever a scene raises is told by the exit code
            self.faults.append(traceback.format_exc())
        finally:
            lifecycle.window.closing.emit()

    @property
    def contents(self) -> Contents:
        """Return what the open window holds."""
        contents = self.lifecycle.opening.contents
        assert contents is not None
        return contents

    @property
    def office(self) -> Office:
        """Return the open office."""
        return self.contents.chat.session.office

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what a scene needs."""
        for _try in range(400):
            if condition():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never came: {what}")

    async def chat(self, title: str) -> ChatPage:
        """Open the conversation with these words in its title."""
        entry = await self.entry(title)
        self.contents.show_page("chats")
        await self.contents.chat._open(entry.id, "")
        return self.contents.chat

    async def entry(self, title: str) -> ChatEntry:
        """Return a conversation of the list by words of its title."""
        await self.opened()
        self.contents.area.list.search.clear()
        await self.contents.listing.read()
        return next(each for each in self.contents.listing.entries if title in each.title)

    async def opened(self) -> None:
        """Wait until the office is open and the window filled."""
        for _try in range(1200):
            if self.lifecycle.opening.contents is not None:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the office did not open")

    async def gate(self, kind: type[Gate]) -> Gate:
        """Wait for a card in place of the office."""
        for _try in range(1200):
            found = self.lifecycle.window.findChild(kind)
            if found is not None:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError("no card came")

    async def page(self, name: str) -> QWidget:
        """Show a page and wait until it was read."""
        shown = self.contents.show_page(name)
        if isinstance(shown, Page):
            await shown._load()
        return shown

    def forget(self, name: str) -> None:
        """Have a page made anew when it is next shown, with nothing left on it of an earlier scene."""
        self.lifecycle.window._pages.pop(name, None)

    async def still(self) -> None:
        """Wait until all that a page reads by itself is read, so that none of it changes what a scene shows."""
        await self.until(lambda: not _reading(), "the end of what is read")

    async def settle(self, seconds: float = _SETTLE) -> None:
        """Let tasks and paints end."""
        await asyncio.sleep(seconds)

    async def take(self, name: str) -> None:
        """Photograph the window in both schemes, wide, narrow and with large text."""
        window = self.lifecycle.window
        for scheme in (Scheme.LIGHT, Scheme.DARK):
            appearance().set_scheme(scheme)
            for size, zoom, suffix in FORMS:
                appearance().set_zoom(zoom)
                window.resize(*size)
                await self.settle()
                QApplication.sendPostedEvents()
                self._scroll()
                self._picture().save(str(self._target / f"{name}-{scheme}{suffix}.png"))
        appearance().set_scheme(Scheme.LIGHT)
        appearance().set_zoom(1.0)
        window.resize(*WIDE)
        self.in_sight = None
        if self.overlay is not None:
            self.overlay.close()
            self.overlay = None
        if self.lying_over is not None:
            self.lying_over.leave()
            self.lying_over = None
        await self.settle()

    def _scroll(self) -> None:
        above = self.in_sight
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if above is not None and self.in_sight is not None:
            above.ensureWidgetVisible(self.in_sight)

    def _picture(self) -> QPixmap:
        window = self.lifecycle.window
        picture = window.grab()
        if self.overlay is not None:
            painter = QPainter(picture)
            place = window.mapFromGlobal(self.overlay.mapToGlobal(QPoint(0, 0)))
            painter.drawPixmap(place, self.overlay.grab())
            painter.end()
        return picture


def _reading() -> list[str]:
    return [
        task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(("load ", "read the "))
    ]
