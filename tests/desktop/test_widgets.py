"""Small shared widgets and the gallery that shows them all."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop.chats.inspector import Leaving, Meter
from desktop.gallery.window import PAGES, Gallery
from desktop.pages.page import StateMessage
from desktop.theme.appearance import Scheme, appearance, look
from desktop.transcript.deferred import deferred
from desktop.widgets.chip import Chip, ChipRow
from desktop.widgets.search_field import SearchField


@pytest.fixture(autouse=True)
def plain_look(qapp: QApplication) -> Iterator[None]:
    appearance().apply(qapp, Scheme.LIGHT)
    yield
    deferred().run_all()
    appearance().apply(qapp, Scheme.LIGHT)
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


@pytest.mark.parametrize("name", list(PAGES))
@pytest.mark.parametrize(
    ("scheme", "width", "zoom"),
    [(Scheme.LIGHT, 748, 1.0), (Scheme.DARK, 748, 1.0), (Scheme.LIGHT, 360, 1.0), (Scheme.DARK, 748, 2.0)],
    ids=["light", "dark", "narrow", "zoomed"],
)
def test_every_page_of_the_gallery_draws(
    qtbot: QtBot, qapp: QApplication, name: str, scheme: Scheme, width: int, zoom: float
) -> None:
    appearance().apply(qapp, scheme, zoom)
    if name == "right to left":
        qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    page = PAGES[name]()
    qtbot.addWidget(page)
    page.resize(width, 800)
    page.show()
    QApplication.processEvents()
    deferred().run_all()
    picture = page.grab().toImage()
    colours = {
        picture.pixelColor(x, y).name() for x in range(0, picture.width(), 3) for y in range(0, 800, 3)
    }
    assert picture.pixelColor(2, 2).name() == look().theme.bg
    assert look().theme.text in colours and look().theme.line in colours and len(colours) > 20


def test_the_gallery_opens(qtbot: QtBot) -> None:
    window = Gallery()
    qtbot.addWidget(window)
    window.show()
    assert [window.tabText(place) for place in range(window.count())] == list(PAGES)


def test_a_meter_draws_its_parts_in_order(qtbot: QtBot) -> None:
    meter = Meter()
    qtbot.addWidget(meter)
    meter.resize(200, 6)
    meter.show_parts([Leaving("file", 50, "attachment"), Leaving("notes", 50, "notes")])
    picture = meter.grab().toImage()
    theme = look().theme
    assert [picture.pixelColor(x, 3).name() for x in (50, 150)] == [theme.accent, theme.warn]
    assert meter.accessibleName() == "100 tokens leave this machine"
    meter.show_parts([])
    assert meter.grab().toImage().pixelColor(50, 3).name() == theme.line


def test_a_message_in_place_of_a_page_opens_its_door(qtbot: QtBot) -> None:
    message = StateMessage()
    qtbot.addWidget(message)
    chosen: list[bool] = []
    message.show_message("chat", "Ask the office", "Write below.", "Begin", lambda: chosen.append(True))
    message.findChildren(QPushButton)[0].click()
    assert chosen == [True] and message.accessibleName() == "Ask the office. Write below."


def test_a_search_field_waits_clears_and_leads_on(qtbot: QtBot) -> None:
    field = SearchField("Search everything", "Ctrl K")
    qtbot.addWidget(field)
    field.show()
    found: list[str] = []
    left: list[bool] = []
    field.searched.connect(found.append)
    field.left.connect(lambda: left.append(True))
    QTest.keyClicks(field, "quay")
    assert found == []
    QTest.keyClick(field, Qt.Key.Key_Return)
    QTest.keyClick(field, Qt.Key.Key_Down)
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert found == ["quay"] and left == [True] and field.text() == ""


def test_chips_wrap_and_mirror(qtbot: QtBot) -> None:
    row = ChipRow()
    qtbot.addWidget(row)
    row.resize(300, 100)
    chips = [Chip("first"), Chip("second one"), Chip("third " * 40)]
    row.set_chips([*chips])
    assert chips[0].y() == chips[1].y() == 0 and chips[2].y() > 0 and chips[2].width() <= 300
    assert row.heightForWidth(300) > row.heightForWidth(5_000)
    row.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    row.resize(301, 100)
    row.heightForWidth(301)
    assert chips[0].x() > chips[1].x()
    row.set_chips([])
    assert row.isHidden()
