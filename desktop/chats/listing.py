"""Keeps the column of conversations in step with the office and does what its owner asks there."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QTimer

from agents.events import ConversationChanged, Erased, RunChanged
from desktop.chats.list_model import title_of
from desktop.chats.list_pane import ListPane
from desktop.session import Session
from memory import chat_list, chats, notes
from memory.chat_list import ChatEntry
from memory.chat_search import Found, search
from memory.lifecycle.subjects import Subject
from resources.language import gettext as _

_MOST = 500
_NOTES_FOUND = 4
_RELOAD_MILLISECONDS = 60
_MINUTE_MILLISECONDS = 60_000


class Listing:
    """Reads the list when something changed, at most every few hundredths of a second."""

    def __init__(self, session: Session, pane: ListPane) -> None:
        self._session = session
        self._pane = pane
        self._view: chats.View = "open"
        self.entries: list[ChatEntry] = []
        self._reload_timer = QTimer(pane, singleShot=True, interval=_RELOAD_MILLISECONDS)
        self._reload_timer.timeout.connect(self.reload)
        self._clock = QTimer(pane, interval=_MINUTE_MILLISECONDS)
        self._clock.timeout.connect(pane.view.viewport().update)
        self._clock.start()
        pane.searched.connect(self.reload)
        pane.view_wanted.connect(self.show_view)
        pane.act.connect(self._act)
        pane.model.renamed.connect(self._rename)
        session.on(ConversationChanged, lambda _event: self._reload_timer.start())
        session.on(RunChanged, lambda _event: self._reload_timer.start())
        session.on(Erased, lambda _event: self._reload_timer.start())

    def reload(self) -> None:
        """Read the list again."""
        self._session.spawn(self.read(), name="read the list of chats")

    async def read(self) -> None:
        """Read what the view or the search shows."""
        text = self._pane.search.text().strip()
        if text:
            found = await self._session.office.database.read(search, text, view=self._view)
            entries, snippets = await self._found(found)
            noted = await self._session.office.database.read(notes.notes, text=text, limit=_NOTES_FOUND)
            empty = _("No title, message or file has these words.")
            if not noted:
                empty = _("Nothing in titles, messages, files or notes has these words.")
        else:
            entries = await self._session.office.database.read(
                chat_list.entries, view=self._view, limit=_MOST
            )
            snippets, noted, empty = {}, (), self._nothing()
        if text != self._pane.search.text().strip():
            return  # the field says something else by now, and what it asks for is on its way
        # What its owner looks at needs no dot to be found.
        self.entries = [
            replace(entry, status="") if entry.status == "ready" and entry.id == self._pane.current else entry
            for entry in entries
        ]
        entries = self.entries
        self._pane.show_entries(entries, snippets, empty)
        self._pane.notes.show_notes(noted)

    def show_view(self, view: chats.View) -> None:
        """List the open, the archived or the thrown-away conversations."""
        self._view = view
        self._pane.show_title(view)
        self.reload()

    def after(self, conversation_id: str, step: int) -> str:
        """Return the conversation that many places further down, round the end; empty where there is none."""
        ids = [entry.id for entry in self.entries]
        if not ids:
            return ""
        here = ids.index(conversation_id) if conversation_id in ids else -1 if step > 0 else 0
        return ids[(here + step) % len(ids)]

    async def _found(self, found: list[Found]) -> tuple[list[ChatEntry], dict[str, str]]:
        entries = await self._session.office.database.read(
            chat_list.entries_of, [each.conversation_id for each in found]
        )
        return entries, {each.conversation_id: each.snippet for each in found if each.snippet}

    def _nothing(self) -> str:
        return {
            "open": _("No chats yet. Write below, or press Ctrl+N at any time."),
            "archived": _("Nothing is archived. Archived chats leave the list and stay searchable."),
            "trash": _("The trash is empty."),
        }[self._view]

    def _rename(self, conversation_id: str, title: str) -> None:
        self._write(chats.rename, conversation_id, title)

    def _act(self, verb: str, conversation_id: str) -> None:
        if verb == "save":
            self._session.save_wanted.emit(conversation_id)
            return
        if verb in ("trash", "restore", "hidden", "marks", "erase"):
            self._session.spawn(self._change_life(verb, conversation_id), name=f"{verb} a chat")
            return
        operations = {
            "pin": chats.pin,
            "unpin": chats.unpin,
            "archive": chats.archive,
            "unarchive": chats.unarchive,
        }
        entry = next((each for each in self.entries if each.id == conversation_id), None)
        self._write(operations[verb], conversation_id)
        if entry is not None and verb == "archive":
            self._session.notify(
                _("“{title}” is archived.").format(title=title_of(entry)),
                label=_("Undo"),
                act=lambda: self._write(chats.unarchive, conversation_id),
            )

    async def _change_life(self, verb: str, conversation_id: str) -> None:
        from desktop.pages.privacy import asking, doing

        session, subject = self._session, Subject("conversation", conversation_id)
        if verb == "restore":
            await session.office.keeping.bring_back([subject])
            return
        conversation = await session.office.database.read(chats.conversation, conversation_id)
        title = conversation.title or _("New chat")
        if verb == "trash":
            await doing.throw_away(session, subject, title)
        elif verb == "hidden":
            from desktop.chats.hidden_messages import show_hidden

            await show_hidden(session, conversation_id, title)
        elif verb == "marks":
            await doing.ask_marks(session, subject, title)
        else:
            await asking.ask_to_erase(session, (subject,), title)

    def _write(self, operation: Callable[..., Any], *args: str) -> None:
        self._session.spawn(self._perform(operation, *args), name="change a chat")

    async def _perform(self, operation: Callable[..., Any], conversation_id: str, *args: str) -> None:
        await self._session.office.database.write(operation, conversation_id, *args)
        self._session.office.events.publish(ConversationChanged(conversation_id))
