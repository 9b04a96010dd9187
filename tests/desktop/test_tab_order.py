"""Tab goes down a page, though parts of it are made anew whenever it is read."""

from itertools import pairwise

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.pages.privacy.retention import RetentionPart
from tests.desktop.waiting import until


async def gone_through(first: QWidget, within: QWidget) -> list[QWidget]:
    """Return what Tab reaches from a widget on, until it leaves a part of the window."""
    first.window().activateWindow()
    first.setFocus()
    await until(first.hasFocus)
    found: list[QWidget] = []
    focused: QWidget | None = first
    while focused is not None and within.isAncestorOf(focused) and focused not in found:
        found.append(focused)
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
    return found


def goes_down(found: list[QWidget], within: QWidget) -> bool:
    """Whether none of them stands wholly above the one before it."""
    places = [each.rect().translated(each.mapTo(within, QPoint(0, 0))) for each in found]
    return all(one.top() <= following.bottom() for one, following in pairwise(places))


async def test_tab_goes_on_behind_what_was_made_anew(session):
    part = RetentionPart(session)
    session.window.add_page("privacy", part)
    session.window.show_page("privacy")
    session.window.resize(900, 3000)  # all of it is in sight, so that no scrolling moves it
    await until(part.isVisible)
    await until(lambda: not len(session._tasks), "the end of all reading")
    await part._load()
    await until(lambda: all(each.isVisible() for each in part.choices.values()))
    found = await gone_through(next(iter(part.choices.values())), part._content)
    assert set(part.choices.values()) <= set(found)
    assert any(part.new_rule.isAncestorOf(each) for each in found)
    assert goes_down(found, part._content)
