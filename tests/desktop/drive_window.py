"""``python -m tests.desktop.drive_window SCENE HOME [PASSPHRASE FILE]``: a real start, then one scene.

Each scene prints lines of JSON; the window stays open until it is asked to end, or closes by itself.
"""

import asyncio
import json
import sys
from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from desktop.application import run
from desktop.lifecycle import Lifecycle
from desktop.pages.gates import Gate
from memory.locations import Locations


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


async def gate(lifecycle: Lifecycle) -> None:
    """Tell the card in place of the office: its sentence and the ways out."""
    while (card := lifecycle.window.findChild(Gate)) is None:
        await asyncio.sleep(0.02)
    buttons = [each.text() for each in card.findChildren(QPushButton)]
    tell(sentence=card._sentence.text(), ways=buttons)
    lifecycle.window.closing.emit()


async def opened(lifecycle: Lifecycle) -> None:
    """Tell where the keys of the open office are kept, and close."""
    office = (await _contents(lifecycle)).chat.session.office
    tell(kept_in=office.vault.store.name, agents=len(await office.roster.all()))
    lifecycle.window.closing.emit()


async def stream(lifecycle: Lifecycle) -> None:
    """Send a question by keys and tell what its answer has so far, again and again."""
    contents = await _contents(lifecycle)
    chat = contents.chat
    contents.command("new")
    while chat.conversation_id or not chat.composer.editor.hasFocus():
        await asyncio.sleep(0.02)
    QTest.keyClicks(chat.composer.editor, "count slowly")
    QTest.keyClick(chat.composer.editor, "\r")
    while True:
        tell(text=_answer(chat)[0])
        await asyncio.sleep(0.1)


async def resume(lifecycle: Lifecycle) -> None:
    """Tell how the chat that was open comes back, press Resume, and tell how the answer ends."""
    chat = (await _contents(lifecycle)).chat
    text, state = _answer(chat)
    while (button := _button(chat.view, "Resume")) is None:
        await asyncio.sleep(0.02)
    tell(text=text, state=state)
    button.click()
    while _answer(chat)[1] in (state, "queued", "streaming"):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    text, state = _answer(chat)
    tell(text=text, state=state, resume=_button(chat.view, "Resume") is not None)
    lifecycle.window.closing.emit()


async def _contents(lifecycle: Lifecycle):
    while lifecycle.opening.contents is None:
        await asyncio.sleep(0.02)
    return lifecycle.opening.contents


def _answer(chat) -> tuple[str, str]:
    """Return text and state of the last answer that is shown."""
    model = chat.view.model()
    if model is None or not model.rowCount():
        return "", ""
    message = model.row(model.rowCount() - 1).messages[0]
    return model.text(message.id), message.state.value


def _button(parent, words: str) -> QPushButton | None:
    found = [each for each in parent.findChildren(QPushButton) if each.text() == words and each.isVisible()]
    return found[0] if found else None


if __name__ == "__main__":
    scene = {"gate": gate, "opened": opened, "stream": stream, "resume": resume}[sys.argv[1]]
    passphrase = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    sys.exit(run(Locations.find(sys.argv[2]), passphrase, scene))
