"""The window's tests run on Qt's loop, with a real office that a passphrase protects."""

import os
from collections.abc import AsyncIterator, Callable
from typing import Any

os.environ["QT_API"] = "pyside6"

import pytest
import pytest_asyncio
import qasync
from PySide6.QtWidgets import QApplication

from agents.office import Office
from desktop.chats.area import ChatsArea
from desktop.first_look import FirstLook
from desktop.session import Session
from desktop.tasks import Tasks
from desktop.theme.appearance import appearance
from desktop.window import Window
from memory.locations import Locations
from vault.secret import Secret

PASSPHRASE = "correct horse battery"  # pragma: allowlist secret


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    def qt_loop() -> Any:
        application = QApplication.instance() or QApplication([])
        return qasync.QEventLoop(application)

    return {"qt": qt_loop}


@pytest_asyncio.fixture
async def office(own_home) -> AsyncIterator[Office]:
    """An office that was just made, with its five agents."""
    office = await Office.open(Locations.find(), passphrase=Secret(PASSPHRASE))
    yield office
    await office.close()


@pytest_asyncio.fixture
async def session(office, qtbot, qapp) -> AsyncIterator[Session]:
    """The office in a window that holds no page yet; a task that fails fails the test."""
    appearance().apply(qapp)
    failures: list[BaseException] = []
    tasks = Tasks(failures.append)
    window = Window(FirstLook(width=1200, height=800))
    qtbot.addWidget(window)
    window.add_page("chats", ChatsArea())
    window.show_page("chats")
    window.show()
    session = Session(office, window, tasks)
    await session.preferences.read()
    yield session
    await tasks.cancel(3)
    session.detach()
    window.close_for_good()
    assert failures == []
