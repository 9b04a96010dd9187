"""The widgets of single segments: code, tables, formulas, folded parts, notices."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QTextDocument, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.theme.appearance import Scheme, appearance, look
from desktop.transcript.code import LINES_SHOWN, CodeSegment
from desktop.transcript.deferred import deferred
from desktop.transcript.events import RowEvents
from desktop.transcript.foldable import ToolCallCard
from desktop.transcript.formula import MathSegment
from desktop.transcript.highlight import LIMIT, spans
from desktop.transcript.notice import NoticePanel
from desktop.transcript.pictures import formula
from desktop.transcript.prose import ProseSegment
from desktop.transcript.rows import Notice, RowAction, Tone, ToolCall, ToolState
from desktop.transcript.segments import Segment, SegmentKind, split
from desktop.transcript.table import TableSegment


@pytest.fixture
def host(qtbot: QtBot, qapp: QApplication) -> Iterator[QWidget]:
    appearance().apply(qapp, Scheme.LIGHT)
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(600, 400)
    widget.show()
    yield widget
    deferred().run_all()


def code(text: str, language: str = "python") -> Segment:
    return Segment(SegmentKind.CODE, text, language=language)


def colours(widget: CodeSegment) -> set[str]:
    found = set()
    block = widget.text.document().begin()
    while block.isValid():
        found |= {item.format.foreground().color().name() for item in block.layout().formats()}
        block = block.next()
    return found


def test_code_is_coloured_a_moment_later_and_copied_whole(host: QWidget) -> None:
    widget = CodeSegment(host, RowEvents(host))
    widget.show_segment(code('def tick():\n    return "x"  # note'))
    assert colours(widget) == set()
    deferred().run_all()
    syntax = look().theme.syntax
    assert {syntax.keyword, syntax.string, syntax.comment, syntax.function} <= colours(widget)
    button = next(b for b in widget.findChildren(QPushButton) if b.text() == "Copy")
    button.click()
    assert QGuiApplication.clipboard().text() == 'def tick():\n    return "x"  # note'
    assert button.text() == "Copied"


def test_code_that_streams_is_appended_not_replaced(host: QWidget) -> None:
    widget = CodeSegment(host, RowEvents(host))
    removed: list[int] = []
    widget.show_segment(code("a = 1"), live=True)
    widget.text.document().contentsChange.connect(lambda _at, gone, _came: removed.append(gone))
    for end in range(6, 60):
        widget.show_segment(code(("a = 1\nbb = 22\n" * 10)[:end]), live=True)
    assert widget.text.toPlainText() == ("a = 1\nbb = 22\n" * 10)[:59]
    assert set(removed) == {0}
    deferred().run_all()
    widget.show_segment(code(("a = 1\nbb = 22\n" * 10)[:59]))
    deferred().run_all()
    assert look().theme.syntax.number in colours(widget)


def test_long_code_is_cut_until_all_is_asked_for_and_plain_above_its_limit(host: QWidget) -> None:
    events = RowEvents(host)
    resized: list[object] = []
    events.resized.connect(resized.append)
    widget = CodeSegment(host, events)
    text = "\n".join(f"line_{n} = {n}" for n in range(2_000))
    widget.show_segment(code(text))
    short = widget.height_for(600)
    assert widget.text.blockCount() == LINES_SHOWN
    button = next(b for b in widget.findChildren(QPushButton) if b.text() == "Show all 2,000 lines")
    button.click()
    assert widget.text.blockCount() == 2_000 and widget.height_for(600) > 5 * short and resized == [widget]
    assert len(text) > LIMIT and spans("python", text) == () and spans("no such language", "x") == ()


def test_a_wide_line_scrolls_the_code_alone(host: QWidget) -> None:
    widget = CodeSegment(host, RowEvents(host))
    widget.show_segment(code("x" * 400))
    tall = widget.height_for(500)
    widget.show_segment(code("x"))
    assert tall > widget.height_for(500)


def test_the_wheel_is_left_to_the_transcript(host: QWidget) -> None:
    events = RowEvents(host)
    prose, block = ProseSegment(host, events), CodeSegment(host, events)
    prose.show_segment(split("word " * 500)[0])
    block.show_segment(code("x\n" * 100))
    for widget in (prose, block.text):
        where = QPointF(5, 5)
        none = Qt.MouseButton.NoButton
        event = QWheelEvent(
            where, where, QPoint(), QPoint(0, 120), none, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        widget.wheelEvent(event)
        assert not event.isAccepted()


def test_live_prose_grows_like_a_new_rendering(host: QWidget) -> None:
    events = RowEvents(host)
    live, fresh = ProseSegment(host, events), ProseSegment(host, events)
    text = "Along the **eastern quay** the mean & low [p. 1](cite:0) depth"
    for end in range(1, len(text) + 1):
        parts = split(text[:end])
        if parts:
            live.show_segment(parts[0], live=True)
            fresh.show_html("")
            fresh.show_segment(parts[0], live=True)
            assert live.toPlainText() == fresh.toPlainText()
            assert live.height_for(200) == fresh.height_for(200)
    live.show_segment(split(text)[0])
    assert "▍" not in live.toPlainText()


def test_nothing_is_loaded_from_disk_or_network(host: QWidget, tmp_path: object) -> None:
    prose = ProseSegment(host, RowEvents(host))
    secret = f"{tmp_path}/picture.png"
    look_alike = prose.grab().toImage()
    assert look_alike.save(secret)
    kind = QTextDocument.ResourceType.ImageResource.value
    for address in (f"file://{secret}", secret, "//host/share.png", "https://example.org/x.png"):
        image = prose.loadResource(kind, address)
        assert image.width() == 1 and image.pixelColor(0, 0).alpha() == 0
    prose.show_html(f'<p><img src="{secret}"></p>')
    assert prose.height_for(400) < 40


def test_a_large_table_scrolls_in_its_own_view(host: QWidget) -> None:
    rows = "\n".join(f"| {n} | **b** |" for n in range(150))
    widget = TableSegment(host, RowEvents(host))
    widget.show_segment(split(f"| a | b |\n|---|---|\n{rows}")[0])
    model = widget.model()
    assert (model.rowCount(), model.columnCount()) == (150, 2)
    assert model.index(149, 0).data() == "149" and model.index(0, 1).data() == "b"
    assert model.headerData(1, Qt.Orientation.Horizontal) == "b"
    assert widget.height_for(600) < 500 and widget.accessibleName() == "Table of 150 rows"


def test_a_formula_is_set_and_its_source_shown_where_it_is_not_understood(host: QWidget) -> None:
    widget = MathSegment(host, RowEvents(host))
    segment = Segment(SegmentKind.MATH, r"\frac{a}{b}")
    widget.show_segment(segment)
    set_height = widget.height_for(400)
    widget.show_segment(segment, live=True)
    assert set_height > widget.height_for(400)
    assert formula(r"\notacommand{", 17, "#000000", 1.0) is None
    widget.show_segment(Segment(SegmentKind.MATH, r"\notacommand{"))
    assert widget.height_for(400) > 10 and widget.accessibleName() == r"\notacommand{"


def test_a_tool_call_opens_by_mouse_and_key(host: QWidget) -> None:
    events = RowEvents(host)
    folded: list[tuple[str, str, bool]] = []
    events.folded.connect(lambda message, part, opened: folded.append((message, part, opened)))
    card = ToolCallCard(host, events)
    call = ToolCall("t1", "Read pages 10–16", ToolState.FAILED, details="no such page")
    card.show_call("m", call, "<pre>no such page</pre>", False)
    card.resize(400, card.height_for(400))
    card.show()
    closed = card.height()
    assert card.accessibleName() == "Read pages 10–16, failed, closed"
    QTest.mouseClick(card, Qt.MouseButton.LeftButton, pos=QPoint(50, 10))
    QTest.keyClick(card, Qt.Key.Key_Return)
    assert folded == [("m", "tool:t1", True)] * 2
    card.show_call("m", call, "<pre>no such page</pre>", True)
    assert card.height_for(400) > closed and card.opened


def test_a_notice_offers_its_doors_and_folds_its_details(host: QWidget) -> None:
    events = RowEvents(host)
    pressed: list[tuple[str, str]] = []
    events.action.connect(lambda message, name: pressed.append((message, name)))
    panel = NoticePanel(host, events)
    notice = Notice(
        "The key was refused <b>.", Tone.ERROR, (RowAction("open_keys", "Open Keys", True),), "401"
    )
    panel.show_notice("m", notice, False)
    closed = panel.height_for(400)
    panel.show_notice("m", notice, True)
    assert panel.height_for(400) > closed
    assert panel.sentence.toPlainText() == "The key was refused <b>."
    panel.findChildren(QPushButton)[0].click()
    assert pressed == [("m", "open_keys")]
