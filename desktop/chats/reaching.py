"""Goes to places of a conversation that is longer than what has been read of it: found, left, linked."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.chats.feed import Feed
from desktop.session import Session
from desktop.transcript.view import ScrollPosition, TranscriptView
from memory import branches


class Reaching(QObject):
    """While the beginning of a conversation is still being read, find searches the saved texts too."""

    def __init__(self, session: Session, view: TranscriptView, feed: Callable[[], Feed | None]) -> None:
        super().__init__(view)
        self._session, self._view, self._feed = session, view, feed
        self._finding = view.finding
        self._finding.searched.connect(self._search)
        self._finding.wanted.connect(self._bring)

    def return_to(self, feed: Feed, place: ScrollPosition) -> None:
        """Go back to where a conversation was read; later, if that is not read yet and its reader stays."""
        self._view.set_scroll_position(place)
        if feed.filling and self._view.following:
            self._session.spawn(self._return_later(feed, place), name="return to where it was read")

    async def _return_later(self, feed: Feed, place: ScrollPosition) -> None:
        if await feed.reach(place.row_id) and feed is self._feed() and self._view.following:
            self._view.set_scroll_position(place)

    async def reveal(self, message_id: str) -> None:
        """Show a message of the open conversation, on whichever branch it stands. Raises NotFound."""
        feed = self._feed()
        if feed is not None and not await feed.reach(message_id):
            await self._session.office.database.write(branches.reveal, message_id)
            await feed.refresh()
        self._view.scroll_to_message(message_id)
        self._view.set_current(message_id)

    def _search(self, text: str) -> None:
        feed = self._feed()
        if feed is not None and feed.filling:
            self._session.spawn(self._search_saved(feed, text), name="find in a conversation")

    async def _search_saved(self, feed: Feed, text: str) -> None:
        database = self._session.office.database
        found = await database.read(branches.containing, feed.conversation_id, text)
        if feed is self._feed():
            self._finding.add(text, found)

    def _bring(self, message_id: str) -> None:
        feed = self._feed()
        if feed is not None:
            self._session.spawn(self._reach(feed, message_id), name="read up to what was found")

    async def _reach(self, feed: Feed, message_id: str) -> None:
        if await feed.reach(message_id) and feed is self._feed() and self._finding.current == message_id:
            self._finding.show_current()
