"""Rows that become columns in a narrow window have their height in the very pass in which they fold."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QPushButton,
    QScrollArea,
    QStyle,
    QStyleOptionButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import delete

from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import Card, label
from desktop.pages.sync.choices import Choices
from desktop.theme.appearance import appearance
from desktop.widgets.scrolling import scrolling
from desktop.widgets.wrapping_box import WrappingBox

FOLDS_BELOW = 420
LONG = "Somebody with your mailbox, in a browser or while joining"


@pytest.fixture
def area(qtbot, qapp) -> Iterator[QScrollArea]:
    appearance().apply(qapp)
    card = Card("Who is signed in")
    for title in ("Desk in the study", "Boat", LONG):
        card.column.addWidget(line(title))
    content = QWidget()
    column = QVBoxLayout(content)
    column.addWidget(card)
    column.addStretch(1)
    area = scrolling(content)
    qtbot.addWidget(area)
    area.resize(1000, 700)
    area.show()
    qtbot.waitExposed(area)
    yield area
    appearance().set_zoom(1.0)


def line(title: str) -> FoldingRow:
    row = FoldingRow(FOLDS_BELOW)
    row.row.setContentsMargins(5, 3, 5, 3)
    words = QVBoxLayout()
    words.addWidget(label(title, wrap=True))
    words.addWidget(label("signed in 2026-11-18 11:33", "small", wrap=True))
    row.row.addLayout(words, 1)
    doors = FlowLayout()
    doors.addWidget(QPushButton("End"))
    row.row.addLayout(doors)
    return row


def overlaps(parent: QWidget) -> list[str]:
    """Return what stands over something else or is cut off below ``parent``, as words for a failure."""
    shown = [
        each for each in parent.children() if isinstance(each, QWidget) and each.isVisibleTo(parent.window())
    ]
    found = [
        f"{one} over {other}"
        for number, one in enumerate(shown)
        for other in shown[number + 1 :]
        if one.geometry().intersects(other.geometry())
    ]
    for each in shown:
        if isinstance(each, QLabel) and each.height() < each.heightForWidth(each.width()):
            found.append(f"“{each.text()}” is cut off: {each.height()} px")
        found += overlaps(each)
    return found


@pytest.mark.parametrize(("width", "zoom"), [(360, 1.0), (480, 1.0), (1000, 1.0), (360, 2.0), (1000, 2.0)])
def test_no_row_ever_stands_over_another(area, width, zoom):
    content = area.widget()
    appearance().set_zoom(zoom)
    for start in (1000, 360):
        area.resize(start, 700)
        QApplication.processEvents()
        assert overlaps(content) == []
        area.resize(width, 700)
        QApplication.sendPostedEvents()  # one pass; whatever is painted next looks like this
        assert overlaps(content) == []


def test_what_does_not_fit_beside_stands_below_and_comes_back(area):
    last = area.findChildren(FoldingRow)[-1]
    words, door = last.findChildren(QLabel)[0], last.findChild(QPushButton)
    for width, below in ((1000, False), (360, True), (1000, False)):
        area.resize(width, 700)
        QApplication.processEvents()
        assert (door.y() >= words.geometry().bottom()) is below
        assert (door.x() > words.geometry().right()) is not below
        assert words.x() == 5 and words.y() == 3
        # Nothing is left over, above or below.
        assert last.height() == last.row.heightForWidth(last.width())


def test_words_of_a_switch_go_on_below_where_the_window_is_narrow(area):
    words = "Auch die Schlüssel der Anbieter hineinlegen, und was sonst noch dazu gehört"
    box, door = WrappingBox(words), QPushButton("Fertig")
    flow = FlowLayout()
    flow.addWidget(box)
    flow.addWidget(door)
    area.findChild(Card).column.addLayout(flow)
    for width, lines in ((1000, 1), (360, 2), (1000, 1)):
        area.resize(width, 700)
        QApplication.processEvents()
        assert area.widget().width() <= area.viewport().width()
        assert overlaps(area.widget()) == []
        assert box.height() >= box.fontMetrics().lineSpacing() * lines
        assert (box.text().count("\n") >= 1) is (lines > 1) and " ".join(box.text().split()) == words
        assert (door.y() > box.geometry().bottom()) is (lines > 1)
    assert box.accessibleName() == words


@pytest.mark.parametrize("width", [360, 1000])
def test_from_right_to_left_it_is_a_mirror(area, width):
    content = area.widget()
    area.resize(width, 700)
    QApplication.processEvents()
    last = area.findChildren(FoldingRow)[-1]
    door = last.findChild(QPushButton)
    before = QRect(door.geometry())
    content.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    QApplication.processEvents()
    assert door.y() == before.y() and door.geometry().right() == last.width() - 1 - before.x()
    assert overlaps(content) == []


def test_a_flow_keeps_its_height_when_python_lets_go_of_what_it_took_for_its_owner(area):
    card = area.findChild(Card)
    content = area.widget()
    flow = FlowLayout()
    card.column.addLayout(flow)
    for words in ("Change the mail address…", "Freeze", "Who is signed in"):
        flow.addWidget(QPushButton(words))
    passing = QPushButton("Passing")
    card.column.addWidget(passing)
    # Python takes whoever comes before in the order of the keyboard for the owner of what comes behind.
    before = passing
    for _step in range(40):
        before = before.nextInFocusChain()
    delete(passing)
    area.resize(360, 700)
    QApplication.processEvents()
    assert overlaps(content) == []
    assert flow.geometry().height() == flow.heightForWidth(flow.geometry().width())


@pytest.mark.parametrize("zoom", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("direction", [Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft])
def test_what_belongs_to_a_switch_begins_where_its_words_do(qtbot, qapp, zoom, direction):
    appearance().apply(qapp, zoom=zoom)
    choices = Choices()
    qtbot.addWidget(choices)
    choices.setLayoutDirection(direction)
    choices.resize(800, 900)
    choices.show()
    qtbot.waitExposed(choices)
    box = next(iter(choices.boxes.values()))
    option = QStyleOptionButton()
    box.initStyleOption(option)
    words = box.style().subElementRect(QStyle.SubElement.SE_CheckBoxContents, option, box)
    sentence = choices.findChildren(QLabel)[0]
    at = (
        sentence.mapTo(choices, sentence.rect().topLeft()),
        sentence.mapTo(choices, sentence.rect().topRight()),
    )
    if direction == Qt.LayoutDirection.LeftToRight:
        assert abs(at[0].x() - words.left()) <= 2
    else:
        assert abs(at[1].x() - words.right()) <= 2
    appearance().apply(qapp)
