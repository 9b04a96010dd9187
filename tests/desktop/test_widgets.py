"""Small shared widgets and the gallery that shows them all."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.gallery.window import PAGES, Gallery
from desktop.theme.appearance import Scheme, appearance, look
from desktop.transcript.deferred import deferred
from desktop.widgets.card import ElidedLabel
from desktop.widgets.chip import Chip, ChipRow
from desktop.widgets.empty_state import EmptyState
from desktop.widgets.meter_bar import MeterBar, Share
from desktop.widgets.search_field import SearchField
from desktop.widgets.status_dot import Status, StatusDot
from desktop.widgets.switch import Switch
from desktop.widgets.toast import Toast


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


def test_a_meter_bar_draws_its_shares_in_order(qtbot: QtBot) -> None:
    bar = MeterBar()
    qtbot.addWidget(bar)
    bar.resize(200, 6)
    bar.set_shares((Share("file", 50), Share("notes", 25)), 100)
    picture = bar.grab().toImage()
    theme = look().theme
    assert [picture.pixelColor(x, 3).name() for x in (50, 120, 180)] == [theme.accent, theme.ok, theme.line]
    assert bar.accessibleName() == "file: 50, notes: 25"
    bar.set_shares(())
    assert bar.grab().toImage().pixelColor(50, 3).name() == theme.line


def test_a_switch_answers_click_and_space(qtbot: QtBot) -> None:
    switch = Switch("Reduced motion")
    qtbot.addWidget(switch)
    appearance().set_reduced_motion(True)
    switch.resize(switch.sizeHint())
    switch.show()
    seen: list[bool] = []
    switch.toggled.connect(seen.append)
    switch.click()
    QTest.keyClick(switch, Qt.Key.Key_Space)
    assert seen == [True, False] and switch.accessibleName() == "Reduced motion"


def test_a_toast_is_undone_or_expires(qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(400, 300)
    host.show()
    toast = Toast(host)
    seen: list[str] = []
    toast.undone.connect(lambda: seen.append("undone"))
    toast.expired.connect(lambda: seen.append("expired"))
    toast.show_words("“Harbour report” is in the trash.", undo=True)
    assert toast.isVisible() and host.rect().contains(toast.geometry())
    next(button for button in toast.findChildren(QPushButton)).click()
    toast.show_words("Copied.")
    toast.show_words("Saved.")
    toast.expire()
    assert seen == ["undone", "expired", "expired"] and not toast.isVisible()


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


def test_labels_dots_and_empty_states_say_what_they_mean(qtbot: QtBot) -> None:
    label = ElidedLabel("a name\nwith a line end")
    dot = StatusDot()
    empty = EmptyState("chat", "Ask the office", "Write below.", (("file", "Read a document"),))
    for widget in (label, dot, empty):
        qtbot.addWidget(widget)
    dot.set_status(Status.WAITING, "needs you")
    dot.resize(12, 12)
    assert label.toolTip() == "a name with a line end" and dot.accessibleName() == "needs you"
    assert dot.grab().toImage().pixelColor(QPoint(6, 6)).name() == look().theme.warn
    chosen: list[str] = []
    empty.chosen.connect(chosen.append)
    empty.findChildren(QPushButton)[0].click()
    assert chosen == ["file"]
