"""Find in a conversation that is longer than what has been read of it."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.chats.feed import Feed
from desktop.session import Session
from desktop.transcript.finding import Finding
from memory import branches


class WholeSearch(QObject):
    """Searches the saved texts while the beginning of a long conversation is still being read."""

    def __init__(self, session: Session, finding: Finding, feed: Callable[[], Feed | None]) -> None:
        super().__init__(finding)
        self._session, self._finding, self._feed = session, finding, feed
        finding.searched.connect(self._search)
        finding.wanted.connect(self._bring)

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
