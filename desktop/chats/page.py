"""One conversation: header, transcript, composer; and the inspector beside them."""

import asyncio
from contextlib import suppress

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from agents.events import (
    AttachmentChanged,
    ConversationChanged,
    Erased,
    MessageAdded,
    MessageChanged,
    RunChanged,
    TextDelta,
    ThinkingDelta,
    ToolFinished,
    ToolStarted,
    TrashChanged,
)
from desktop.chats.acting import Acting
from desktop.chats.area import ChatsArea
from desktop.chats.composer_place import ComposerPlace
from desktop.chats.composing import Composing
from desktop.chats.feed import Feed, conversation_of
from desktop.chats.header import ChatHeader, status_words
from desktop.chats.inspection import Inspection
from desktop.chats.inspector import Inspector
from desktop.chats.live_texts import LiveTexts
from desktop.chats.picturing import Pictures
from desktop.chats.reaching import Reaching
from desktop.chats.saving import ask_where
from desktop.chats.sources import Sources
from desktop.composer.composer import Composer
from desktop.session import Session
from desktop.transcript.view import ScrollPosition, TranscriptView
from memory import chats
from memory.chat_list import ChatEntry
from memory.errors import NotFound
from memory.identifiers import now
from memory.roster import Agent
from memory.run_summary import summaries
from resources.language import gettext as _

_KEPT_FEEDS = 6
_STATUS_MILLISECONDS = 120
_DELTAS = (TextDelta, ThinkingDelta)
_HEARD = (MessageAdded, MessageChanged, RunChanged, AttachmentChanged, ToolStarted, ToolFinished, *_DELTAS)


class ChatPage(QWidget):
    """``shown`` carries the id of the conversation that is open now, empty for a new one."""

    shown = Signal(str)

    def __init__(self, session: Session, area: ChatsArea) -> None:
        super().__init__()
        self.session = session
        self._area = area
        self.conversation_id = ""
        self._feeds: dict[str, Feed] = {}
        self._live = LiveTexts()
        self._wanted_message = ""
        self._opening = asyncio.Lock()
        self._turn = 0
        self.header = ChatHeader()
        self.view = TranscriptView()
        self.inspector = Inspector()
        self._inspection = Inspection(session, self.inspector)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        self._places = QStackedWidget()
        self._places.addWidget(self.view)
        column.addWidget(self._places, 1)
        self.composer = Composer()
        self._pictures = Pictures(session.office)
        self.composing = Composing(session, self.composer, self.inspector, self._pictures)
        self.sources = Sources(session, area, self._pictures)
        self.place = ComposerPlace(self.composing, lambda chat: self._acting.lift_restriction(chat))
        column.addWidget(self.place)
        area.middle.addWidget(self)
        area.middle.setCurrentWidget(self)
        area.set_inspector(self.inspector)
        area.folded.connect(self.header.show_back)
        self._status_timer = QTimer(self, singleShot=True, interval=_STATUS_MILLISECONDS)
        self._status_timer.timeout.connect(
            lambda: session.spawn(self._show_work(), name="show what is going on")
        )
        self._reaching = Reaching(session, self.view, lambda: self.feed)
        self._connect()

    @property
    def feed(self) -> Feed | None:
        """Return the open conversation, None for a new one."""
        return self._feeds.get(self.conversation_id)

    async def open_first(self, entries: list[ChatEntry]) -> None:
        """Open the conversation that was open last, else the latest, else a new one."""
        layout = self.session.preferences.value("window.layout")
        listed = [entry.id for entry in entries]
        wanted = layout.get("conversation", "") if isinstance(layout, dict) else ""
        if wanted in listed:
            await self._open(wanted, "")
        elif listed and wanted != "new":
            await self._open(listed[0], "")
        else:
            await self._begin_new()

    def open(self, conversation_id: str, message_id: str = "") -> None:
        """Show a conversation where it was left, or at one of its messages."""
        self.session.spawn(self._open(conversation_id, message_id), name="open a conversation")

    def begin_new(self) -> None:
        """Show an empty conversation; its row is made when something is sent."""
        self.session.spawn(self._begin_new(), name="begin a conversation")

    def focus_composer(self) -> None:
        """Put the keyboard where the owner writes."""
        self.composer.editor.setFocus()

    def address(self, agent: Agent) -> None:
        """Begin a message to an agent."""
        self.session.page_wanted.emit("chats")
        self.composing.address(agent)

    def open_find(self) -> None:
        """Open the search within this conversation."""
        self.view.finding.open()

    def save_as(self, conversation_id: str) -> None:
        """Ask for a file and write a conversation into it."""
        self.session.spawn(self._save_as(conversation_id), name="save a chat")

    async def remember(self) -> None:
        """Keep where the open conversation is read and that it was seen."""
        with suppress(NotFound):  # erased this very moment: its event is on the way, nothing is left to keep
            await self._remember()

    async def _remember(self) -> None:
        layout = {"conversation": self.conversation_id or "new"}
        await self.composing.save_draft()
        await self.session.preferences.change("window.layout", layout)
        if self.conversation_id and self.feed is not None:
            place = self.view.scroll_position()
            kept = {} if place.following else {"message": place.row_id, "offset": place.offset}
            await self.session.office.database.write(
                chats.set_scroll, self.conversation_id, {**kept, "seen_at": now()}
            )

    async def _open(self, conversation_id: str, message_id: str) -> None:
        self._turn += 1
        turn = self._turn
        async with self._opening:
            if turn != self._turn:
                return  # another one was asked for meanwhile
            if conversation_id != self.conversation_id and not await self._change_to(conversation_id):
                return
        if message_id and turn == self._turn:
            await self._reaching.reveal(message_id)
        self._status_timer.start()

    async def _change_to(self, conversation_id: str) -> bool:
        """Show another conversation; False where it is gone, and the one that was open stays."""
        await self._leave()
        feed = self._feeds.get(conversation_id)
        if feed is not None:
            # It hears what is written meanwhile, and is forgotten if something of it is erased.
            feed.conversation = await self.session.office.database.read(chats.conversation, conversation_id)
            feed = self._feeds.pop(conversation_id, None)
        fresh = feed is None
        if feed is None:
            feed = Feed(self.session, conversation_id, self._live, self._pictures)
            await self._read_first(feed)
            if feed.conversation is None:
                return False  # the task that read it says so
        self._feeds[conversation_id] = feed
        if fresh:
            self.session.spawn(
                feed.refresh(), name="refresh a conversation"
            )  # it heard nothing while it was read
        while len(self._feeds) > _KEPT_FEEDS:
            del self._feeds[next(iter(self._feeds))]
        self.conversation_id = conversation_id
        self.view.set_model(feed.model)
        self._places.setCurrentWidget(self.view)
        self.shown.emit(conversation_id)
        await self._arrive(feed)
        return True

    async def _read_first(self, feed: Feed) -> None:
        """Wait for the end of the conversation only; its beginning follows while it is read."""
        ended: asyncio.Event = asyncio.Event()
        self.session.spawn(feed.read(ended), name="read a conversation")
        await ended.wait()

    async def _leave(self) -> None:
        self._area.hide_source()
        await self.remember()
        self.session.office.events.publish(ConversationChanged(self.conversation_id))

    async def _arrive(self, feed: Feed) -> None:
        conversation = feed.conversation
        if conversation is None:
            return
        self.header.show_title(conversation.title or _("New chat"))
        scroll = conversation.scroll
        if scroll.get("message"):
            place = ScrollPosition(scroll["message"], int(scroll.get("offset", 0)), False)
            self._reaching.return_to(feed, place)
        await self.composing.show(conversation)
        await self.remember()
        self.session.office.events.publish(ConversationChanged(self.conversation_id))
        self.focus_composer()

    async def _begin_new(self) -> None:
        self._turn += 1
        turn = self._turn
        async with self._opening:
            if turn == self._turn:
                await self._change_to_new()

    async def _change_to_new(self) -> None:
        if self.conversation_id:
            await self._leave()
        self.conversation_id = ""
        self.view.set_model(None)
        self.header.show_title(_("New chat"))
        self.shown.emit("")
        await self.composing.show(None)
        await self._welcome()
        self.focus_composer()
        self._status_timer.start()

    async def _welcome(self) -> None:
        """Show what to begin with: the first minute in a new office, three starters later."""
        from desktop.pages.first_minute import Welcome

        office = self.session.office
        team = await office.roster.all()
        connections = await office.connections.all()
        known = self.session.preferences.value("first_minute.state")
        welcome = Welcome(self.session, team)
        if connections or known.get("done"):
            welcome.show_starters(with_key=bool(connections), introduce=False)
        else:
            welcome.ask_for_key()
        welcome.started.connect(self.composer.set_text)
        welcome.started.connect(self.focus_composer)
        while self._places.count() > 1:
            if (old := self._places.widget(1)) is not None:
                self._places.removeWidget(old)
                old.deleteLater()
        self._places.addWidget(welcome)
        self._places.setCurrentWidget(welcome)

    def _connect(self) -> None:
        session, view = self.session, self.view
        for kind in _HEARD:
            session.on(kind, self._hear)
        session.on(ConversationChanged, self._conversation_changed)
        session.on(Erased, self._forget)
        session.on(TrashChanged, lambda _event: self._refresh())
        session.at_end(self.remember)
        self.header.back.connect(self._area.show_list)
        self.header.inspect.connect(self._area.toggle_inspector)
        self._acting = Acting(session, lambda: self.feed)
        view.action_requested.connect(self._acting.act)
        view.branch_requested.connect(self._acting.switch_branch)
        view.link_requested.connect(self._acting.ask_before_link)
        view.quote_requested.connect(self.composer.insert)
        view.typed.connect(self.composer.insert)
        view.edit_requested.connect(self._edit)
        view.citation_activated.connect(self._open_citation)
        view.attachment_activated.connect(lambda _message_id, file_id: self.sources.open_file(file_id))
        self._area.files_dropped.connect(self.composer.editor.insertFromMimeData)
        self.composer.attachment_opened.connect(self.sources.open_file)
        self.composer.stop_requested.connect(self._escape)
        self.composer.recall_requested.connect(self._recall)
        self.composer.command_chosen.connect(self._command)
        self.composer.meter_clicked.connect(self._area.toggle_inspector)
        self.composing.begun.connect(self._adopt)
        self.composing.sent.connect(lambda _conversation_id: self.view.scroll_to_end())

    def _adopt(self, conversation_id: str) -> None:
        """Take over the conversation that was made for what is typed."""
        self.conversation_id = conversation_id
        feed = Feed(self.session, conversation_id, self._live, self._pictures)
        feed.conversation = self.composing.conversation
        self._feeds[conversation_id] = feed
        self.view.set_model(feed.model)
        feed.model.rowsInserted.connect(lambda: self._places.setCurrentWidget(self.view))
        self.shown.emit(conversation_id)

    def _open_citation(self, message_id: str, index: int) -> None:
        message = self.feed.message(message_id) if self.feed is not None else None
        if message is not None and index < len(message.citations):
            self.sources.open_citation(message.citations[index])

    def _edit(self, message_id: str) -> None:
        message = self.feed.message(message_id) if self.feed is not None else None
        if message is not None and message.role == "owner":
            self.composing.edit(message_id, message.text)

    def _recall(self) -> None:
        if self.feed is not None and self.feed.last_owner_text():
            self.composer.set_text(self.feed.last_owner_text())

    def _escape(self) -> None:
        """Leave editing, take back what waits, or stop what runs; one of them at a time."""
        if self.composing.editing:
            self.composing.cancel_edit()
        elif self.feed is not None:
            self.session.spawn(self._stop(self.feed), name="stop")

    async def _stop(self, feed: Feed) -> None:
        office = self.session.office
        queued = feed.last_queued()
        if queued is not None:
            message, run_ids = queued
            for run_id in run_ids:
                await office.discard(run_id)
            if not self.composer.text().strip():
                self.composer.set_text(message.text)
            return
        for run_id in feed.active_runs():
            await office.stop(run_id)

    def _command(self, name: str) -> None:
        if name == "new":
            self.begin_new()
        elif name == "find":
            self.open_find()
        elif name == "save":
            if self.conversation_id:
                self.save_as(self.conversation_id)
        else:
            self.session.page_wanted.emit(name)

    def _hear(self, event: object) -> None:
        self._live.apply(event)
        if isinstance(event, _DELTAS):
            for feed in self._feeds.values():
                feed.apply(event)
            return
        conversation_id = conversation_of(event)
        for feed in self._feeds.values():
            if not conversation_id or feed.conversation_id == conversation_id:
                feed.apply(event)
        self._status_timer.start()

    def _conversation_changed(self, event: ConversationChanged) -> None:
        if event.conversation_id == self.conversation_id:
            self.session.spawn(self._read_title(), name="read a title")

    async def _read_title(self) -> None:
        feed = self.feed
        if feed is not None:
            feed.conversation = await self.session.office.database.read(
                chats.conversation, feed.conversation_id
            )
            self.header.show_title(feed.conversation.title or _("New chat"))

    async def _show_work(self) -> None:
        feed = self.feed
        run_ids = feed.active_runs() if feed is not None else []
        found = await self.session.office.database.read(summaries, run_ids) if run_ids else {}
        team = len(await self.session.office.roster.all()) if run_ids else 0
        self.composer.set_running(bool(run_ids))
        if feed is not None and not run_ids and self.isVisible():
            await self.remember()  # what ended before its owner's eyes was seen
        self.header.show_status(status_words([run for run in found.values() if run.state != "queued"], team))
        await self._inspection.show(feed)

    def _refresh(self) -> None:
        if self.feed is not None:
            self.session.spawn(self.feed.look_again(), name="refresh a conversation")

    def _forget(self, event: Erased) -> None:
        """Show nothing more of what was erased."""
        for conversation_id in event.conversations | event.touched:
            self._feeds.pop(conversation_id, None)
        self._pictures.forget(event.files)
        if event.files:
            self._area.hide_source()
        if self.conversation_id in event.conversations | event.touched:
            here, self.conversation_id = self.conversation_id, ""
            gone = here in event.conversations
            if gone:
                self.composing.forget()
            self.session.spawn(
                self._begin_new() if gone else self._open(here, ""), name="show what is left of a chat"
            )

    async def _save_as(self, conversation_id: str) -> None:
        conversation = await self.session.office.database.read(chats.conversation, conversation_id)
        ask_where(self, self.session, conversation)
