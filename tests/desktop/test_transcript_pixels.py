"""What is copied instead of painted anew must end as the same pixels."""

import random
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.theme.appearance import Scheme, appearance
from desktop.transcript.deferred import deferred
from desktop.transcript.model import TranscriptModel
from desktop.transcript.rows import Message, MessageState, RowKind, TranscriptRow
from desktop.transcript.view import TranscriptView
from tests.bench.transcript_bench import _answer, long_chat


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication) -> Iterator[TranscriptView]:
    appearance().set_zoom(1.0)
    widget = TranscriptView()
    qtbot.addWidget(widget)
    widget.resize(1000, 620)
    widget.show()
    yield widget
    deferred().run_all()
    widget.set_model(None)


def on_screen(view: TranscriptView) -> QImage:
    """Return what the window system shows, not a new painting."""
    QApplication.processEvents()
    # A flush may have been the last thing in there: pixels are moved, and what they uncovered waits to be painted.
    QApplication.sendPostedEvents(view.window(), QEvent.Type.UpdateRequest)
    whole = view.screen().grabWindow(view.winId()).toImage()
    return whole.convertToFormat(QImage.Format.Format_RGB32)


def painted_anew(view: TranscriptView) -> QImage:
    """Return a painting of everything."""
    return view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def differences(view: TranscriptView) -> list[tuple[int, int]]:
    """Return the places at which the colours differ."""
    area = view.viewport().geometry()
    anew, former = painted_anew(view), None
    while anew != former:  # what waits for its turn, such as a column's layout, must not fall between the two
        former, shown = anew, on_screen(view)
        anew = painted_anew(view)
    shown, anew = shown.copy(area), anew.copy(area)
    assert shown.size() == anew.size()
    if shown == anew:
        return []
    return [
        (x, y)
        for y in range(shown.height())
        for x in range(shown.width())
        if shown.pixel(x, y) != anew.pixel(x, y)
    ]


@pytest.mark.parametrize("scheme", [Scheme.LIGHT, Scheme.DARK])
@pytest.mark.parametrize("scrolled", [0, 260])
def test_answers_that_grow_leave_no_trace(
    view: TranscriptView, qapp: QApplication, scheme: Scheme, scrolled: int
) -> None:
    appearance().apply(qapp, scheme)
    chance = random.Random(11)
    texts = ["\n\n".join(_answer(chance, 5 * k) for k in range(6)) for _ in range(5)]
    live = [Message(f"live{n}", f"Agent {n}", "", "14:02", state=MessageState.STREAMING) for n in range(5)]
    model = TranscriptModel()
    model.set_rows([*long_chat(20), TranscriptRow("live", RowKind.AGENTS, tuple(live))])
    view.set_model(model)
    QApplication.processEvents()
    at = [0] * 5
    for turn in range(60):
        for number, text in enumerate(texts):
            step = chance.randint(0, 60)
            model.append_delta(f"live{number}", text[at[number] : at[number] + step])
            at[number] += step
        model.flush()
        QApplication.processEvents()
        if turn == 30 and scrolled:
            view.scroll_by(-scrolled)
        if turn % 12 == 5:
            assert differences(view) == []
    model.flush()
    deferred().run_all()
    assert differences(view) == []
