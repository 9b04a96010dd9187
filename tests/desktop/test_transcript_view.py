"""The transcript's view, with real widgets offscreen."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from desktop.gallery import conversations
from desktop.theme.appearance import Scheme, appearance
from desktop.transcript.deferred import deferred
from desktop.transcript.model import TranscriptModel
from desktop.transcript.prose import ProseSegment
from desktop.transcript.rows import Message, MessageState, RowKind, TranscriptRow
from desktop.transcript.view import ScrollPosition, TranscriptView
from tests.bench.transcript_bench import long_chat


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication) -> Iterator[TranscriptView]:
    appearance().apply(qapp, Scheme.LIGHT)
    appearance().set_zoom(1.0)
    widget = TranscriptView()
    qtbot.addWidget(widget)
    widget.resize(748, 700)
    widget.show()
    yield widget
    deferred().run_all()
    widget.set_model(None)


def show(view: TranscriptView, rows: list[TranscriptRow]) -> TranscriptModel:
    model = TranscriptModel()
    model.set_rows(rows)
    view.set_model(model)
    QApplication.processEvents()
    return model


def wheel(view: TranscriptView, pixels: int) -> None:
    where = QPointF(300, 300)
    event = QWheelEvent(
        where,
        view.viewport().mapToGlobal(where),
        QPoint(0, pixels),
        QPoint(0, pixels),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def streaming(name: str, text: str = "") -> TranscriptRow:
    message = Message(name, "Writer", text, state=MessageState.STREAMING)
    return TranscriptRow(f"row {name}", RowKind.AGENTS, (message,))


def test_a_long_chat_keeps_few_widgets_and_opens_at_its_end(view: TranscriptView) -> None:
    model = show(view, long_chat(2_000))
    last = view.card_at("m1999")
    assert last is not None
    assert last.mapTo(view.viewport(), QPoint(0, last.height())).y() <= view.viewport().height()
    for _turn in range(120):
        wheel(view, 300)
    assert len(view.findChildren(ProseSegment)) < 80
    assert view.layout_.anchor.place < model.rowCount() - 60


def test_what_is_read_stays_while_an_answer_grows_below_and_rows_come_above(
    view: TranscriptView,
) -> None:
    model = show(view, [*long_chat(60), streaming("live", "start")])
    wheel(view, 900)
    model.set_seen(True)
    before = view.grab().toImage()
    for _turn in range(20):
        model.append_delta("live", "more words of the answer\n\n")
        model.flush()
    model.append(TranscriptRow("new", RowKind.OWNER, (Message("new", "You", "another"),)))
    pill = next(b for b in view.viewport().findChildren(QPushButton) if b.text() == "New messages")
    assert pill.isVisible()
    pill.hide()
    assert view.grab().copy(0, 0, 738, 700).toImage() == before.copy(0, 0, 738, 700)
    model.insert(0, [TranscriptRow("old", RowKind.OWNER, (Message("old", "You", "older"),))])
    pill.hide()
    assert view.grab().copy(0, 0, 738, 700).toImage() == before.copy(0, 0, 738, 700)
    pill.click()
    assert view.card_at("new") is not None and not pill.isVisible()


def test_the_end_is_followed_only_from_near_it(view: TranscriptView) -> None:
    model = show(view, [*long_chat(30), streaming("live")])
    for _turn in range(30):
        model.append_delta("live", "a paragraph\n\n")
        model.flush()
    assert view.following and view.layout_.at_end
    wheel(view, 200)
    assert not view.following
    value = view.layout_.value
    model.append_delta("live", "a paragraph\n\n" * 20)
    model.flush()
    assert view.layout_.value == value and not view.layout_.at_end
    QTest.keyClick(view, Qt.Key.Key_End)
    assert view.following and view.layout_.at_end


def test_each_chat_keeps_its_scroll_position(view: TranscriptView) -> None:
    first, second = TranscriptModel(), TranscriptModel()
    first.set_rows(long_chat(200))
    second.set_rows(long_chat(50))
    view.set_model(first)
    view.scroll_to_message("m100")
    kept = view.scroll_position()
    assert kept.row_id and not kept.following
    view.set_model(second)
    assert view.scroll_position() == ScrollPosition()
    view.set_model(first)
    view.set_scroll_position(kept)
    assert view.scroll_position() == kept
    view.set_scroll_position(ScrollPosition("gone", 5, False))
    assert view.following


def test_arrows_step_from_message_to_message_and_into_columns(view: TranscriptView) -> None:
    show(view, [*conversations.harbour(), *long_chat(40)])
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.current_message == "m39"
    for _turn in range(42):
        QTest.keyClick(view, Qt.Key.Key_Up)
    assert view.current_message == "asked"
    card = view.card_at("asked")
    assert card is not None and card.accessibleName().startswith("You, 14:02: @Researcher what does")


def test_a_selection_runs_over_messages_and_is_copied_as_markdown(view: TranscriptView) -> None:
    rows = [
        TranscriptRow("r1", RowKind.OWNER, (Message("one", "You", "alpha beta gamma"),)),
        TranscriptRow(
            "r2", RowKind.AGENTS, (Message("two", "Writer", "**bold** words\n\n```py\nx = 1\n```"),)
        ),
        TranscriptRow("r3", RowKind.OWNER, (Message("three", "You", "delta epsilon"),)),
    ]
    show(view, rows)
    first, last = view.card_at("one"), view.card_at("three")
    assert first is not None and last is not None
    start, end = first.texts()[0], last.texts()[0]

    def send(kind: QEvent.Type, where: QPoint, buttons: Qt.MouseButton) -> None:
        viewport = start.editor().viewport()
        local = QPointF(viewport.mapFromGlobal(where))
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
        event = QMouseEvent(kind, local, QPointF(where), button, buttons, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(viewport, event)

    def spot(text: ProseSegment, position: int) -> QPoint:
        cursor = text.textCursor()
        cursor.setPosition(position)
        return text.viewport().mapToGlobal(text.cursorRect(cursor).center())

    assert isinstance(start, ProseSegment) and isinstance(end, ProseSegment)
    left = Qt.MouseButton.LeftButton
    send(QEvent.Type.MouseButtonPress, spot(start, 6), left)
    send(QEvent.Type.MouseMove, spot(end, 5), left)
    send(QEvent.Type.MouseButtonRelease, spot(end, 5), Qt.MouseButton.NoButton)
    assert view.selection.text() == "beta gamma\n\n**bold** words\n\n```py\nx = 1\n```\n\ndelta"
    view.setFocus()
    QTest.keySequence(view, QKeySequence(QKeySequence.StandardKey.Copy))
    assert QGuiApplication.clipboard().text().startswith("beta gamma")
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.selection.empty and not start.textCursor().hasSelection()


def test_select_all_reaches_rows_that_are_not_on_screen(view: TranscriptView) -> None:
    model = show(view, long_chat(300))
    view.setFocus()
    QTest.keySequence(view, QKeySequence(QKeySequence.StandardKey.SelectAll))
    text = view.selection.text()
    assert text.startswith(model.text("m0")) and text.endswith(model.text("m299"))


def test_find_walks_and_highlights(view: TranscriptView) -> None:
    rows = long_chat(400)
    rows[10] = TranscriptRow("r10", RowKind.OWNER, (Message("m10", "You", "the Needle is here"),))
    rows[300] = TranscriptRow("r300", RowKind.OWNER, (Message("m300", "You", "another needle"),))
    show(view, rows)
    view.setFocus()
    QTest.keySequence(view, QKeySequence(QKeySequence.StandardKey.Find))
    bar = view.finding.bar
    assert bar.isVisible()
    bar.field.setText("needle")
    view.finding.search(bar.field.text())
    assert view.finding.found == ["m10", "m300"] and view.finding.current == "m300"
    QTest.keyClick(bar, Qt.Key.Key_Return)
    assert view.finding.current == "m10"
    card = view.card_at("m10")
    assert card is not None and len(card.texts()[0].editor().extraSelections()) == 1
    QTest.keyClick(bar, Qt.Key.Key_Escape)
    assert not bar.isVisible() and not card.texts()[0].editor().extraSelections()
    view.finding.search("no such words")
    assert view.finding.found == []


def test_links_and_citations_are_reported_and_nothing_is_opened(view: TranscriptView) -> None:
    rows = conversations.harbour()
    links = Message(
        "x", "Writer", "[c](https://example.org/a) ![i](https://example.org/i) ![f](file:///etc/hostname)"
    )
    show(view, [*rows, TranscriptRow("x", RowKind.AGENTS, (links,))])
    card = view.card_at("researcher")
    assert card is not None
    text = card.texts()[0]
    assert isinstance(text, ProseSegment)
    cited: list[tuple[str, int]] = []
    opened: list[str] = []
    view.citation_activated.connect(lambda message, index: cited.append((message, index)))
    view.link_requested.connect(opened.append)
    places = [p for p in range(text.length()) if text.document().characterAt(p) == "\ufffc"]
    cursor = text.textCursor()
    cursor.setPosition(places[1])
    QTest.mouseClick(
        text.viewport(), Qt.MouseButton.LeftButton, pos=text.cursorRect(cursor).center() + QPoint(12, 0)
    )
    assert cited == [("researcher", 1)]
    other = view.card_at("x")
    assert other is not None
    prose = other.texts()[0]
    assert isinstance(prose, ProseSegment)
    QTest.mouseClick(prose.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(3, 8))
    assert opened == ["https://example.org/a"] and prose.toPlainText() == "c ▦ i ![f](file:///etc/hostname)"


def test_actions_of_states_and_notices_come_back_by_name(view: TranscriptView) -> None:
    show(view, conversations.states())
    view.scroll_by(-5_000)
    asked: list[tuple[str, str]] = []
    view.action_requested.connect(lambda message, name: asked.append((message, name)))
    for message, label in (("s2", "Resume"), ("s2", "Discard"), ("s4", "Open Keys")):
        view.scroll_to_message(message)
        card = view.card_at(message)
        assert card is not None
        next(b for b in card.findChildren(QPushButton) if b.text() == label and b.isVisible()).click()
    assert asked == [("s2", "resume"), ("s2", "discard"), ("s4", "open_keys")]


def test_copy_quote_edit_and_letters(view: TranscriptView) -> None:
    show(view, conversations.rich())
    quoted: list[str] = []
    edited: list[str] = []
    typed: list[str] = []
    view.quote_requested.connect(quoted.append)
    view.edit_requested.connect(edited.append)
    view.typed.connect(typed.append)
    view.commands.run("a1", "copy")
    assert "three options" in QGuiApplication.clipboard().text()
    view.commands.run("a1", "copy_markdown")
    assert "**three** options" in QGuiApplication.clipboard().text()
    view.commands.run("q1", "quote")
    view.commands.run("q1", "edit")
    QTest.keyClicks(view, "hi")
    assert (
        quoted == ["> Which way of rendering should we take?\n\n"]
        and edited == ["q1"]
        and typed == ["h", "i"]
    )


def test_folded_parts_open_and_stay_open_when_the_row_comes_back(view: TranscriptView) -> None:
    show(view, [*conversations.rich(), *long_chat(60)])
    view.scroll_to_message("a1")
    card = view.card_at("a1")
    assert card is not None
    height = card.height()
    view.events.folded.emit("a1", "thinking", True)
    assert card.height() > height
    view.scroll_to_end()
    view.scroll_to_message("a1")
    again = view.card_at("a1")
    assert again is not None and again.height() > height


def test_columns_stand_below_one_another_where_it_is_narrow(view: TranscriptView) -> None:
    show(view, conversations.harbour())
    left, right = view.card_at("researcher"), view.card_at("analyst")
    assert left is not None and right is not None
    assert left.y() == right.y() and left.height() == right.height()
    view.resize(360, 700)
    QApplication.processEvents()
    assert right.y() > left.y() and right.x() == left.x()


def test_scheme_and_zoom_reach_rows_that_are_shown(view: TranscriptView) -> None:
    show(view, conversations.harbour())
    card = view.card_at("researcher")
    assert card is not None
    height = card.height()
    appearance().set_zoom(2.0)
    QApplication.processEvents()
    assert card.height() > 1.5 * height
    appearance().set_scheme(Scheme.DARK)
    QApplication.processEvents()
    middle = card.grab().toImage().pixelColor(card.width() // 2, card.height() - 8)
    assert middle.name() == appearance().look.theme.panel
    appearance().set_zoom(1.0)
