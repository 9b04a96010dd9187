"""What a screen reader and a mouse over a message meet."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QContextMenuEvent, QEnterEvent
from PySide6.QtWidgets import QApplication, QMenu, QToolButton
from pytestqt.qtbot import QtBot

from desktop.gallery import conversations
from desktop.theme.appearance import Scheme, appearance
from desktop.transcript.action_bar import ActionBar
from desktop.transcript.branches import BranchSwitcher
from desktop.transcript.deferred import deferred
from desktop.transcript.model import TranscriptModel
from desktop.transcript.rows import Message, MessageState
from desktop.transcript.view import TranscriptView


@pytest.fixture
def view(qtbot: QtBot, qapp: QApplication) -> Iterator[TranscriptView]:
    appearance().apply(qapp, Scheme.LIGHT)
    widget = TranscriptView()
    qtbot.addWidget(widget)
    widget.resize(748, 900)
    model = TranscriptModel(widget)
    model.set_rows([*conversations.harbour(), *conversations.rich()])
    widget.set_model(model)
    widget.show()
    QApplication.processEvents()
    yield widget
    deferred().run_all()


def test_each_message_has_its_words_as_a_name(view: TranscriptView) -> None:
    card = view.card_at("a1")
    assert card is not None
    interface = QAccessible.queryAccessibleInterface(card)
    name = interface.text(QAccessible.Text.Name)
    assert name.startswith("Researcher, 12:02: ## Plan I looked at **three** options") and len(name) < 240
    assert (
        Message("x", "Writer", time="9:00", state=MessageState.STREAMING).spoken()
        == "Writer, 9:00: Answering…"
    )


def children(interface: QAccessibleInterface) -> list[QAccessibleInterface]:
    return [interface.child(place) for place in range(interface.childCount())]


def test_a_conversation_is_a_list_of_messages_in_reading_order(view: TranscriptView) -> None:
    conversation = QAccessible.queryAccessibleInterface(view)
    assert conversation.role() == QAccessible.Role.List
    assert conversation.text(QAccessible.Text.Name) == "Conversation"
    for pixels in (-400, -900, 300, 700):  # rows are recycled in all directions
        view.scroll_by(pixels)
        items = [each for each in children(conversation) if each.role() == QAccessible.Role.ListItem]
        model = view.model()
        assert model is not None and items
        shown = [message.id for place in sorted(view.layout_.rows) for message in model.row(place).messages]
        assert [each.object().message.id for each in items] == shown
        tops = [each.rect().top() for each in items]
        assert tops == sorted(tops)
        for place, each in enumerate(items):
            assert each.parent().object() is view and conversation.indexOfChild(each) == place
            assert each.text(QAccessible.Text.Name) == each.object().message.spoken()


def test_the_parts_of_a_message_are_read_from_top_to_bottom(view: TranscriptView) -> None:
    card = view.card_at("a1")
    assert card is not None
    message = QAccessible.queryAccessibleInterface(card)
    parts = children(message)
    tops = [each.rect().top() for each in parts]
    assert len(parts) >= 3 and tops == sorted(tops)
    texts = [text for each in parts if (text := each.textInterface()) is not None]
    words = " ".join(text.text(0, text.characterCount()) for text in texts)
    assert "I looked at three options" in words
    assert "claude" in message.text(QAccessible.Text.Description)
    assert all(message.indexOfChild(each) == place for place, each in enumerate(parts))


def test_the_message_that_the_keyboard_is_on_has_the_focus(view: TranscriptView) -> None:
    view.activateWindow()
    view.setFocus()
    QApplication.processEvents()
    view.set_current("a1")
    card = view.card_at("a1")
    assert card is not None
    conversation = QAccessible.queryAccessibleInterface(view)
    assert conversation.focusChild().object() is card
    state = QAccessible.queryAccessibleInterface(card).state()
    assert state.focused and state.focusable
    view.step(-1)
    assert conversation.focusChild().object() is not card


def test_every_button_of_a_message_has_a_name(view: TranscriptView) -> None:
    card = view.card_at("a1")
    assert card is not None
    view.events.hovered.emit(card)
    nameless = [
        button
        for button in view.findChildren(QToolButton)
        if button.isVisible() and not button.accessibleName()
    ]
    assert nameless == []


def test_the_actions_appear_over_the_message_under_the_pointer(view: TranscriptView) -> None:
    bar = view.findChildren(ActionBar)[0]
    card = view.card_at("a1")
    assert card is not None and not bar.isVisible()
    where = QPointF(10, 10)
    QApplication.sendEvent(card, QEnterEvent(where, where, where))
    assert bar.isVisible() and bar.card is card
    asked: list[tuple[str, str]] = []
    view.action_requested.connect(lambda message, name: asked.append((message, name)))
    labels = {
        button.accessibleName(): button for button in bar.findChildren(QToolButton) if button.isVisible()
    }
    assert set(labels) == {"Copy message", "Quote", "Unpin", "Answer again", "More"}
    labels["Unpin"].click()
    labels["Answer again"].click()
    assert asked == [("a1", "unpin"), ("a1", "regenerate")]
    view.scroll_by(-2_000)
    assert bar.card is None or bar.card.isVisible()


def test_versions_are_stepped_through(view: TranscriptView) -> None:
    switcher = view.findChildren(BranchSwitcher)[0]
    asked: list[tuple[str, int]] = []
    view.branch_requested.connect(lambda message, step: asked.append((message, step)))
    for button in switcher.findChildren(QToolButton):
        button.click()
    assert asked == [("a1", -1), ("a1", 1)] and switcher.accessibleName() == "Version 2 of 3"


def test_the_menu_of_a_message_opens_without_blocking(view: TranscriptView) -> None:
    card = view.card_at("a1")
    assert card is not None
    corner = QPoint(30, 30)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, corner, card.mapToGlobal(corner))
    QApplication.sendEvent(card, event)
    menu = view.findChildren(QMenu)[0]
    assert menu.isVisible()
    words = [action.text() for action in menu.actions() if action.text()]
    assert words[:3] == ["Copy message", "Copy as Markdown", "Quote"] and "Find in this chat…" in words
    menu.close()


def test_right_to_left_mirrors_the_card(view: TranscriptView, qapp: QApplication) -> None:
    card = view.card_at("a1")
    assert card is not None
    left = card.header.disc.left()
    qapp.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    view.layout_.rebind_all()
    view.place()
    mirrored = card.header.disc
    qapp.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    assert left < 40 and mirrored.right() > card.width() - 40
