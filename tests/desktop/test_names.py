"""Nothing that the keyboard reaches is without a name for a screen reader, on any page."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QPushButton, QWidget

from desktop.contents import Contents
from desktop.pages.first_minute import Welcome
from desktop.pages.gates import NewPassphraseGate, RecoveryGate, TroubleGate, UnlockGate, Way
from desktop.pages.page import Page
from desktop.rail import places
from tests.desktop.waiting import until


def unnamed(root: QWidget) -> list[str]:
    """Return what takes the focus by Tab and says nothing."""
    labelled = {label.buddy() for label in root.findChildren(QLabel) if label.buddy()}
    found = []
    for widget in root.findChildren(QWidget):
        takes_focus = widget.focusPolicy() & Qt.FocusPolicy.TabFocus == Qt.FocusPolicy.TabFocus
        if not takes_focus or not widget.isVisibleTo(root) or widget.focusProxy() is not None:
            continue
        words = widget.text() if isinstance(widget, QAbstractButton) else ""
        inside_combo = isinstance(widget.parent(), QComboBox)
        if not (widget.accessibleName() or words or widget in labelled or inside_combo):
            parents = []
            above: QWidget | None = widget
            while above is not None and above is not root:
                parents.append(type(above).__name__)
                above = above.parentWidget()
            found.append(" in ".join(parents))
    return found


async def test_everything_that_takes_the_focus_has_a_name(session):
    contents = Contents(session.window)
    await contents.fill(session)
    await session.notebook.add("Depths are given at low water.")
    for place in places():
        page = contents.show_page(place.name)
        if isinstance(page, Page):
            await page._load()
        await until(page.isVisible)
        assert unnamed(session.window) == [], place.name
    team = session.window.page("team")
    team.edit(team.cards[0].agent)
    keys = session.window.page("keys")
    keys.show_form()
    await session.save_unsaved()
    assert unnamed(team) == [] and unnamed(keys) == []


async def test_cards_overlays_and_the_source_have_names_too(session, tmp_path):
    contents = Contents(session.window)
    await contents.fill(session)
    chat = contents.chat
    welcome = session.window.findChild(Welcome)
    assert unnamed(welcome) == []
    welcome.show_starters(with_key=False, introduce=True)
    press(welcome, "Make a recovery key")
    await until(lambda: any(each.text() == "Done" for each in welcome.findChildren(QPushButton)))
    assert unnamed(welcome) == []
    file = tmp_path / "tides.txt"
    file.write_text("High water at six.\n")
    chat.composing.attach([file])
    await until(lambda: any(each.state == "ready" for each in chat.composing._files.values()))
    chat.sources.open_file(next(iter(chat.composing._files)))
    await until(chat.sources.pane.text.isVisible)
    assert unnamed(session.window) == []
    await contents._open_palette()
    assert unnamed(contents.palette) == []
    for gate in (
        UnlockGate(),
        RecoveryGate(with_passphrase=True),
        NewPassphraseGate("There is no keyring."),
        TroubleGate("It is locked.", [Way("Try again", "again")]),
    ):
        session.window.show_gate(gate)
        assert unnamed(gate) == [], gate.accessibleName()
        reached = [
            each for each in gate.findChildren(QWidget) if each.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        assert reached and gate.accessibleName()
    session.window.open_gate()


def press(parent: QWidget, words: str) -> None:
    next(each for each in parent.findChildren(QPushButton) if each.text() == words).click()


async def test_tab_walks_from_the_list_through_the_transcript_to_the_composer(session):
    contents = Contents(session.window)
    await contents.fill(session)
    session.window.show_page("chats")
    contents.chat.composer.set_text("ready to send")
    reached: list[QWidget] = []
    start = contents.area.list.search
    following = start
    for _step in range(400):
        following = following.nextInFocusChain()
        if following is start:
            break
        takes_focus = following.focusPolicy() & Qt.FocusPolicy.TabFocus == Qt.FocusPolicy.TabFocus
        if takes_focus and following.isEnabled() and following.isVisibleTo(session.window):
            reached.append(following)
    assert following is start
    editor = contents.chat.composer.editor
    assert editor in reached and contents.area.list.new in reached
    order = [reached.index(each) for each in (editor, contents.chat.composer.send)]
    assert order == sorted(order)
