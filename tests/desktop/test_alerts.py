"""Messages of the system: when, about what, and what they keep to themselves."""

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt

from agents.events import RunChanged
from desktop.alerts import Alerts
from desktop.contents import Contents
from memory import runs
from tests.desktop.waiting import until


class Heard:
    """Takes the messages instead of the system."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def show_message(self, title: str, sentence: str) -> None:
        self.messages.append((title, sentence))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def looking() -> list[bool]:
    return [False]


@pytest.fixture
def alerts(session, heard, looking) -> Alerts:
    made = Alerts(session, heard, lambda: looking[0])
    session.on(RunChanged, lambda event: made.hear(event.run))
    return made


@pytest_asyncio.fixture
async def asked(session, alerts) -> str:
    """The id of a conversation in which the librarian has answered."""
    conversation = await session.office.create_conversation(title="Love letter")
    sent = await session.office.send(conversation.id, "@Librarian what do you know?")
    await session.office.runs.wait([run.id for run in sent.runs])
    return conversation.id


async def test_an_answer_is_told_once_and_without_names(session, heard, asked, alerts):
    await until(lambda: heard.messages)
    assert heard.messages == [("Bureau", "An answer is there.")]
    wanted: list[str] = []
    session.chat_wanted.connect(lambda conversation_id, _message_id: wanted.append(conversation_id))
    alerts.open()
    assert wanted == [asked]


async def test_who_looks_is_not_told_and_who_wants_names_gets_them(session, heard, asked, looking):
    await until(lambda: heard.messages)
    heard.messages.clear()
    looking[0] = True
    run = (await session.office.send(asked, "@Librarian and else?")).runs[0]
    await session.office.runs.wait([run.id])
    assert heard.messages == []
    looking[0] = False
    await session.preferences.change("alerts.style", "named")
    again = (await session.office.send(asked, "@Librarian and now?")).runs[0]
    await session.office.runs.wait([again.id])
    await until(lambda: heard.messages)
    assert heard.messages == [("Love letter", "An answer is there.")]
    await session.preferences.change("alerts.style", "off")
    heard.messages.clear()
    last = (await session.office.send(asked, "@Librarian and later?")).runs[0]
    await session.office.runs.wait([last.id])
    assert heard.messages == []


async def test_a_run_that_waits_and_one_that_failed_are_told(session, heard, asked):
    await until(lambda: heard.messages)
    heard.messages.clear()
    made = await session.office.database.write(runs.create_run, conversation_id=asked, agent_id=None)
    for state in ("running", "needs_you", "running", "failed"):
        changed = await session.office.database.write(runs.set_state, made.id, state)
        session.office.events.publish(RunChanged(changed))
    await until(lambda: len(heard.messages) == 2)
    assert [sentence for _title, sentence in heard.messages] == [
        "An agent waits for your decision.",
        "An answer could not be finished.",
    ]


async def test_the_tray_raises_the_window_and_quits(session):
    contents = Contents(session.window)
    await contents.fill(session)
    sent = await session.office.send(
        (await session.office.create_conversation()).id, "@Librarian what do you know?"
    )
    await session.office.runs.wait([run.id for run in sent.runs])
    assert "alerts" in vars(contents), "the first run brings whoever tells of it"
    contents.tray.show_message("Bureau", "An answer is there.")
    icon = contents.tray._made()
    assert not icon.icon().pixmap(32, 32).isNull()
    assert [action.text() for action in icon.contextMenu().actions()] == ["Open Bureau", "Quit"]
    session.window.setWindowState(Qt.WindowState.WindowMinimized)
    icon.contextMenu().actions()[0].trigger()
    assert not session.window.isMinimized()
    closing: list[bool] = []
    session.window.closing.connect(lambda: closing.append(True))
    icon.contextMenu().actions()[1].trigger()
    assert closing == [True]
    wanted: list[str] = []
    session.chat_wanted.connect(lambda conversation_id, _message_id: wanted.append(conversation_id))
    contents.alerts.conversation_id = "there"
    icon.messageClicked.emit()
    assert wanted == ["there"]
