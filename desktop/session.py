"""One open office as the window sees it: its events by kind, tasks that report, doors to the pages."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from agents.events import Erased, Event, Notice, OfficePaused, OfficeResumed, SettingsChanged
from agents.notebook import Notebook
from agents.office import Office
from desktop.faults import sentence_of
from desktop.forgetting import forget
from desktop.notices import Door
from desktop.preferences import Preferences
from desktop.tasks import Tasks
from desktop.window import Window

E = TypeVar("E")


class Session(QObject):
    """What every page is given.

    ``on`` subscribes to one kind of event, ``spawn`` starts work whose failure comes up as a notice.
    Signals say where the owner wants to go: ``page_wanted(name)``, ``chat_wanted(conversation id, message id
    or empty)``, ``save_wanted(conversation id)``, ``note_wanted(text)``, ``setting_wanted(key)``,
    ``privacy_wanted(part of the Privacy page, id of an erase report or empty)``.
    """

    page_wanted = Signal(str)
    chat_wanted = Signal(str, str)
    save_wanted = Signal(str)
    note_wanted = Signal(str)
    privacy_wanted = Signal(str, str)
    setting_wanted = Signal(str)

    def __init__(self, office: Office, window: Window, tasks: Tasks) -> None:
        super().__init__()
        self.office = office
        self.window = window
        self.preferences = Preferences(office.database)
        self.notebook = Notebook(office.database, office.recall, office.events)
        self._tasks = tasks
        self._listeners: dict[type, list[Callable[[Any], None]]] = {}
        self._savers: list[Callable[[], Awaitable[None]]] = []
        self._unsubscribe = office.events.subscribe(self._hear)
        self.on(Erased, forget)
        self.on(
            SettingsChanged, lambda _event: self.spawn(self.preferences.read_again(), name="read settings")
        )
        self._paused = ""
        self.on(OfficePaused, self._pause)
        self.on(OfficeResumed, lambda _event: self.window.notices.withdraw(self._paused))
        self.on(Notice, lambda notice: self.notify(f"{notice.sentence} {notice.fix}".strip()))

    def on(self, kind: type[E], callback: Callable[[E], None]) -> None:
        """Call back with every event of a kind, on the GUI thread."""
        self._listeners.setdefault(kind, []).append(callback)

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> None:
        """Start work; its failure is shown as a notice."""
        self._tasks.spawn(work, name=name)

    def notify(self, sentence: str, *, label: str = "", act: Callable[[], object] | None = None) -> None:
        """Show a sentence at the foot of the window, with a door where one is given."""
        door = Door(label, act) if act is not None else None
        self.window.notices.show_notice(sentence, door=door)

    def fail(self, sentence: str) -> None:
        """Show a sentence about something that did not work; it stays until it is closed."""
        self.window.notices.show_notice(sentence, fault=True)

    def attempt(self, act: Callable[[], object]) -> None:
        """Do something that may fail by the system's will, and say so where it does."""
        try:
            act()
        except OSError as error:
            self.fail(sentence_of(error))

    def open_chat(self, conversation_id: str, message_id: str = "") -> None:
        """Ask for a conversation, at one of its messages where one is named."""
        self.chat_wanted.emit(conversation_id, message_id)

    def at_end(self, save: Callable[[], Awaitable[None]]) -> None:
        """Have something saved before the office is closed."""
        self._savers.append(save)

    def drop_unsaved(self) -> None:
        """Save nothing more: the office is gone."""
        self._savers.clear()

    async def save_unsaved(self) -> None:
        """Save what was typed and is not yet on disk."""
        for save in self._savers:
            await save()

    def forget_unsaved(self) -> None:
        """Save nothing at the end, because the office is gone."""
        self._savers.clear()

    def detach(self) -> None:
        """Hear nothing more."""
        self._unsubscribe()
        self._listeners.clear()

    def _pause(self, event: OfficePaused) -> None:
        self._paused = event.sentence
        self.window.notices.show_notice(event.sentence, lasting=True)

    def _hear(self, event: Event) -> None:
        for callback in tuple(self._listeners.get(type(event), ())):
            callback(event)
