"""The composer: keys, pastes, completions, pills, height."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.composer.composer import Composer
from desktop.composer.draft_files import DraftFile
from desktop.composer.editor import LONG_PASTE
from desktop.gallery.window import composer
from desktop.theme.appearance import Scheme, appearance
from desktop.widgets.chip import Chip


@pytest.fixture
def widget(qtbot: QtBot, qapp: QApplication) -> Iterator[Composer]:
    appearance().apply(qapp, Scheme.LIGHT)
    window = QWidget()
    qtbot.addWidget(window)
    made = composer()
    column = QVBoxLayout(window)
    column.addStretch(1)
    column.addWidget(made)
    window.resize(720, 600)
    window.show()
    made.editor.setFocus()
    yield made


def told(signal: object) -> list[object]:
    seen: list[object] = []
    signal.connect(lambda *values: seen.append(values[0] if values else None))
    return seen


def test_enter_sends_and_shift_enter_begins_a_line(widget: Composer) -> None:
    sent = told(widget.submitted)
    QTest.keyClicks(widget.editor, "one")
    QTest.keyClick(widget.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(widget.editor, "two")
    assert sent == []
    QTest.keyClick(widget.editor, Qt.Key.Key_Return)
    assert sent == ["one\ntwo"] and widget.text() == "one\ntwo"


def test_nothing_is_sent_of_space_alone_but_a_file_is(widget: Composer) -> None:
    sent = told(widget.submitted)
    QTest.keyClicks(widget.editor, "  ")
    QTest.keyClick(widget.editor, Qt.Key.Key_Return)
    assert sent == [] and not widget.send.isEnabled()
    widget.set_attachments((DraftFile("a", "survey.pdf"),))
    assert widget.send.isEnabled()
    widget.send.click()
    assert sent == ["  "]


def test_the_round_button_stops_while_an_answer_runs_and_queues_what_is_written(widget: Composer) -> None:
    sent, stopped = told(widget.submitted), told(widget.stop_requested)
    widget.set_running(True)
    assert widget.send.accessibleName() == "Stop"
    widget.send.click()
    QTest.keyClick(widget.editor, Qt.Key.Key_Escape)
    assert len(stopped) == 2
    QTest.keyClicks(widget.editor, "next")
    assert widget.send.accessibleName() == "Send"
    widget.send.click()
    assert sent == ["next"] and len(stopped) == 2


def test_up_recalls_only_in_an_empty_text(widget: Composer) -> None:
    recalled = told(widget.recall_requested)
    QTest.keyClick(widget.editor, Qt.Key.Key_Up)
    assert len(recalled) == 1
    QTest.keyClicks(widget.editor, "x")
    QTest.keyClick(widget.editor, Qt.Key.Key_Up)
    assert len(recalled) == 1


def test_every_change_is_told_as_a_draft(widget: Composer) -> None:
    drafts = told(widget.draft_changed)
    QTest.keyClicks(widget.editor, "ab")
    widget.set_text("kept")
    assert drafts[:2] == ["a", "ab"] and drafts[-1] == "kept"
    widget.insert("!")
    assert widget.text() == "kept!"


def test_pastes_are_sorted(widget: Composer, tmp_path: Path) -> None:
    files, pictures, long = told(widget.files_dropped), told(widget.image_pasted), told(widget.long_paste)
    path = tmp_path / "наука «1».pdf"
    path.write_bytes(b"x")
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    widget.editor.insertFromMimeData(mime)
    mime = QMimeData()
    image = QImage(3, 3, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    mime.setImageData(image)
    widget.editor.insertFromMimeData(mime)
    mime = QMimeData()
    mime.setText("y" * (LONG_PASTE + 1))
    widget.editor.insertFromMimeData(mime)
    mime = QMimeData()
    mime.setText("short")
    widget.editor.insertFromMimeData(mime)
    assert files == [[str(path)]] and long == ["y" * (LONG_PASTE + 1)] and widget.text() == "short"
    assert isinstance(pictures[0], QImage) and pictures[0].size() == image.size()


def test_an_agent_is_completed_with_the_keyboard(widget: Composer) -> None:
    QTest.keyClicks(widget.editor, "ask @a")
    assert [item.text for item in widget.popup.items] == ["Analyst", "Lead", "Researcher"]
    assert widget.popup.isVisible()
    QTest.keyClick(widget.editor, Qt.Key.Key_Down)
    QTest.keyClick(widget.editor, Qt.Key.Key_Down)
    QTest.keyClick(widget.editor, Qt.Key.Key_Tab)
    assert widget.text() == "ask @Researcher " and not widget.popup.isVisible()
    QTest.keyClicks(widget.editor, "@zzz")
    assert not widget.popup.isVisible()


def test_a_command_is_chosen_only_at_the_beginning(widget: Composer) -> None:
    chosen, sent = told(widget.command_chosen), told(widget.submitted)
    QTest.keyClicks(widget.editor, "/ex")
    QTest.keyClick(widget.editor, Qt.Key.Key_Return)
    assert chosen == ["export"] and widget.text() == "" and sent == []
    QTest.keyClicks(widget.editor, "and /ex")
    assert not widget.popup.isVisible()
    QTest.keyClicks(widget.editor, " @Lea")
    QTest.keyClick(widget.editor, Qt.Key.Key_Escape)
    assert not widget.popup.isVisible() and widget.text() == "and /ex @Lea"


def test_the_text_grows_to_its_share_and_then_scrolls(widget: Composer) -> None:
    before = widget.height()
    widget.set_text("one\ntwo\nthree")
    three = widget.height()
    widget.set_text("word " * 60)
    assert widget.height() > before + 20
    widget.set_text("one\ntwo\nthree")
    assert three > before + 20
    widget.set_text("\n".join(str(n) for n in range(200)))
    assert three < widget.height() < 0.6 * widget.window().height()
    widget.set_text("")
    assert widget.height() == before


def test_pills_show_and_tell_the_choice_without_blocking(widget: Composer) -> None:
    chosen = told(widget.model_chosen)
    widget.model.click()
    menu = widget.model.menu
    assert menu is not None and menu.isVisible()
    action = next(item for item in menu.actions() if item.text().startswith("gpt-5.2"))
    action.trigger()
    menu.close()
    assert chosen == ["gpt-5.2"] and widget.model.text() == "gpt-5.2"
    widget.set_efforts((), "")
    assert not widget.effort.isVisible()


def test_an_attachment_is_removed_by_its_cross_or_key(widget: Composer) -> None:
    removed = told(widget.attachment_removed)
    widget.set_attachments((DraftFile("a", "one.pdf"), DraftFile("b", "two.pdf")))
    first, second = widget.chips.findChildren(Chip)
    QTest.mouseClick(first, Qt.MouseButton.LeftButton, pos=QPoint(first.width() // 3, first.height() // 2))
    assert removed == []
    QTest.mouseClick(first, Qt.MouseButton.LeftButton, pos=QPoint(first.width() - 14, first.height() // 2))
    assert removed == ["a"]
    QTest.keyClick(second, Qt.Key.Key_Delete)
    assert removed[-1] == "b"


def test_a_narrow_composer_keeps_its_button_and_drops_the_meter(widget: Composer) -> None:
    widget.window().resize(340, 600)
    QApplication.processEvents()
    assert widget.send.geometry().right() <= widget.width()
    pills = (widget.agent, widget.model, widget.effort)
    assert all(pill.isVisible() and pill.width() == pill.sizeHint().width() for pill in pills)
    assert all(pill.geometry().right() <= widget.width() for pill in pills)
