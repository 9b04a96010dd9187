"""The window's tests run on Qt's loop, with a real office that a passphrase protects."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

os.environ["QT_API"] = "pyside6"

import pytest
import pytest_asyncio
import qasync
from PySide6.QtWidgets import QApplication

from agents.office import Office
from desktop.chats.area import ChatsArea
from desktop.contents import Contents
from desktop.first_look import FirstLook
from desktop.generators import closed_on
from desktop.session import Session
from desktop.tasks import Tasks
from desktop.theme.appearance import appearance
from desktop.window import Window
from memory.locations import Locations
from vault.secret import Secret

PASSPHRASE = "correct horse battery"  # pragma: allowlist secret  # of an office made for a test


class PatientLoop(qasync.QEventLoop):
    """Keeps callbacks until the loop runs.

    pytest-qt processes events between the phases of a test, when the loop is not running; a task that took a
    step there would find no running loop.
    """

    def _add_callback(self, handle: asyncio.Handle, delay: float = 0) -> asyncio.Handle:
        super()._add_callback(_Waiting(self, handle), delay)
        return handle


class _Waiting:
    def __init__(self, loop: PatientLoop, handle: asyncio.Handle) -> None:
        self._loop, self._handle = loop, handle

    @property
    def _cancelled(self) -> bool:
        return self._handle.cancelled()

    def _run(self) -> None:
        if self._loop.is_running():
            self._handle._run()
        else:
            self._loop._add_callback(self._handle, 0.005)


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    def qt_loop() -> Any:
        application = QApplication.instance() or QApplication([])
        return PatientLoop(application)

    return {"qt": qt_loop}


@pytest.fixture(autouse=True)
def garbage_is_collected_on_this_thread() -> Iterator[None]:
    """As in the window's process: a widget must not be destroyed on a lane of the database."""
    gc.disable()
    yield
    gc.collect()
    gc.enable()


@pytest_asyncio.fixture
async def office(own_home) -> AsyncIterator[Office]:
    """An office that was just made, with its five agents."""
    office = await Office.open(Locations.find(), passphrase=Secret(PASSPHRASE))
    yield office
    await office.close()


@pytest_asyncio.fixture
async def contents(session) -> Contents:
    """The window filled with all that stands in it once its office is open."""
    filled = Contents(session.window)
    await filled.fill(session)
    return filled


@pytest_asyncio.fixture
async def session(office, qtbot, qapp) -> AsyncIterator[Session]:
    """The office in a window that holds no page yet; a task that fails fails the test."""
    appearance().apply(qapp)
    qapp.setQuitOnLastWindowClosed(False)
    failures: list[BaseException] = []
    tasks = Tasks(failures.append)
    window = Window(FirstLook(width=1200, height=800))
    window.add_page("chats", ChatsArea())
    window.show_page("chats")
    window.show()
    session = Session(office, window, tasks)
    await session.preferences.read()
    with closed_on(asyncio.get_running_loop()):
        yield session
        await tasks.cancel(3)
        await office.close()
        gc.collect()
        await asyncio.sleep(0.05)  # what the collection found is closed on the loop
    session.detach()
    window.close_for_good()
    window.deleteLater()
    assert failures == []
