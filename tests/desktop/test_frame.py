"""The frame: rail, list, folding, gates, notices, names for screen readers."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget

from desktop.chats.area import ChatsArea
from desktop.first_look import FirstLook
from desktop.notices import Door
from desktop.rail import places
from desktop.theme.appearance import appearance
from desktop.window import Window
from memory.chat_list import ChatEntry


def entry(number: int, title: str = "", **changes) -> ChatEntry:
    values = {
        "id": f"{number:032x}",
        "title": title or f"Chat {number}",
        "speakers": ("Lead",),
        "status": "",
        "updated_at": 1_700_000_000_000,
        "pinned": False,
        "archived": False,
        "trashed": False,
    }
    return ChatEntry(**{**values, **changes})


@pytest.fixture
def window(qtbot, qapp):
    appearance().apply(qapp)
    window = Window(FirstLook(width=1360, height=860))
    qtbot.addWidget(window)
    area = ChatsArea()
    inspector = QWidget()
    inspector.setAccessibleName("Inspector")
    area.set_inspector(inspector)
    window.add_page("chats", area)
    window.show_page("chats")
    with qtbot.waitSignal(window.painted):
        window.show()
    yield window
    window.close_for_good()


def area_of(window) -> ChatsArea:
    area = window.page("chats")
    assert isinstance(area, ChatsArea)
    return area


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (1360, {"list", "middle", "inspector"}),
        (1099, {"list", "middle"}),
        (760, {"list", "middle"}),
        (759, {"middle"}),
        (360, {"middle"}),
    ],
)
def test_columns_fold_by_the_width_of_the_window(window, qtbot, width, shown):
    window.resize(width, 700)
    area = area_of(window)
    columns = {"list": area.list, "middle": area.middle, "inspector": area.inspector}
    qtbot.waitUntil(lambda: {name for name, each in columns.items() if each.isVisible()} == shown)
    assert window.width() == width
    assert window.rail.width() == 56


def test_narrow_the_list_comes_to_the_front_and_gives_way_again(window, qtbot):
    window.resize(360, 700)
    area = area_of(window)
    qtbot.waitUntil(lambda: not area.list.isVisible())
    area.show_list()
    assert area.list.isVisible() and not area.middle.isVisible()
    qtbot.waitUntil(lambda: area.list.width() == 360 - 56)
    area.show_list(False)
    assert area.middle.isVisible() and not area.list.isVisible()


def test_the_inspector_opens_on_request_where_it_was_folded(window, qtbot):
    window.resize(900, 700)
    area = area_of(window)
    qtbot.waitUntil(lambda: not area.inspector.isVisible())
    area.toggle_inspector()
    assert area.inspector.isVisible() and area.list.isVisible()
    area.toggle_inspector()
    assert not area.inspector.isVisible()


def test_closing_asks_instead_of_closing(window, qtbot):
    with qtbot.waitSignal(window.closing):
        window.close()
    assert window.isVisible()


def test_a_gate_hides_everything_else_and_opens_again(window):
    gate = QLabel("locked")
    window.show_gate(gate)
    assert gate.isVisible() and not window.rail.isVisible() and not area_of(window).isVisible()
    window.open_gate()
    assert window.rail.isVisible() and area_of(window).isVisible()


def test_the_rail_names_its_pages_and_tells_which_is_wanted(window, qtbot):
    buttons = window.rail.findChildren(QAbstractButton)
    assert [button.accessibleName() for button in buttons] == [place.title for place in places()]
    with qtbot.waitSignal(window.page_wanted) as wanted:
        qtbot.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    assert wanted.args == ["team"]


def test_every_control_of_the_frame_has_a_name_for_screen_readers(window):
    for widget in window.findChildren(QWidget):
        if isinstance(widget, QAbstractButton | QLineEdit) and widget.isVisible():
            assert widget.accessibleName() or getattr(widget, "text", str)(), widget


def test_a_notice_opens_its_door_and_leaves(window, qtbot):
    opened: list[bool] = []
    window.notices.show_notice("Gone to the trash.", door=Door("Undo", lambda: opened.append(True)))
    window.notices.show_notice("Gone to the trash.")
    assert window.notices.sentences() == ["Gone to the trash."]
    undo = next(b for b in window.notices.findChildren(QAbstractButton) if b.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert opened == [True]
    assert window.notices.sentences() == []


def test_a_window_at_a_place_that_no_screen_shows_comes_back(qtbot, qapp):
    lost = Window(FirstLook(x=90_000, y=90_000, width=800, height=600))
    qtbot.addWidget(lost)
    assert lost.screen().availableGeometry().intersects(lost.geometry())
    lost.close_for_good()


def test_the_list_is_walked_and_renamed_by_keys(window, qtbot):
    pane = area_of(window).list
    pane.show_entries([entry(1), entry(2), entry(3)], {}, "")
    opened: list[str] = []
    pane.opened.connect(opened.append)
    pane.search.setFocus()
    QTest.keyClick(pane.search, Qt.Key.Key_Down)
    assert pane.view.currentIndex().row() == 0
    QTest.keyClick(pane.view, Qt.Key.Key_Down)
    QTest.keyClick(pane.view, Qt.Key.Key_Return)
    assert opened == [entry(2).id]
    with qtbot.waitSignal(pane.model.renamed) as renamed:
        QTest.keyClick(pane.view, Qt.Key.Key_F2)
        editor = pane.view.findChild(QLineEdit)
        QTest.keyClicks(editor, "Harbour")
        QTest.keyClick(editor, Qt.Key.Key_Return)
    assert renamed.args == [entry(2).id, "Harbour"]
    with qtbot.waitSignal(pane.act) as acted:
        QTest.keyClick(pane.view, Qt.Key.Key_Delete)
    assert acted.args == ["trash", entry(2).id]


def test_the_list_keeps_its_mark_when_rows_move(window):
    pane = area_of(window).list
    pane.show_entries([entry(1), entry(2)], {}, "")
    pane.mark(entry(2).id)
    pane.show_entries([entry(2), entry(1)], {}, "")
    assert pane.view.currentIndex().row() == 0
    pane.show_entries([], {}, "No chats yet.")
    assert pane.empty.isVisible() and pane.empty.text() == "No chats yet."


def test_the_model_of_the_list_is_a_sound_model(window, qtmodeltester):
    pane = area_of(window).list
    pane.show_entries([entry(1), entry(2, "Привіт 👋\nзлам"), entry(3, pinned=True)], {}, "")
    qtmodeltester.check(pane.model)
    spoken = pane.model.data(pane.model.index(2), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Chat 3, Lead") and spoken.endswith("pinned")
