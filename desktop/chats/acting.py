"""Carries out what is asked of a message in its bar and menu."""

from collections.abc import Callable

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from agents.errors import AgentsError
from desktop.chats.feed import Feed
from desktop.session import Session
from memory import branches, messages
from memory.chats import Message
from memory.errors import StorageError
from memory.lifecycle.subjects import Subject
from memory.titles import title_from
from resources.language import gettext as _


class Acting:
    """``feed`` returns the open conversation, None for a new one."""

    def __init__(self, session: Session, feed: Callable[[], Feed | None]) -> None:
        self._session = session
        self._feed = feed

    def act(self, message_id: str, name: str) -> None:
        """Begin to carry out an action by its name."""
        self._session.spawn(self._act(message_id, name), name=f"{name} a message")

    def lift_restriction(self, conversation_id: str) -> None:
        """Give a restricted conversation back to the agents, with a way to undo it."""
        self._session.spawn(self._restrict(conversation_id, restricted=False), name="lift a restriction")

    def switch_branch(self, message_id: str, step: int) -> None:
        """Show another version of a message and what follows it."""

        async def switch() -> None:
            await self._session.office.database.write(branches.branch, message_id, step)
            feed = self._feed()
            if feed is not None:
                await feed.refresh()

        self._session.spawn(switch(), name="switch to another branch")

    def ask_before_link(self, address: str) -> None:
        """Show where a link leads before it is opened: its words may say something else."""
        url = QUrl(address)
        if url.scheme() not in ("http", "https", "mailto"):
            self._session.fail(_("This link is not opened: {address}").format(address=address))
            return
        self._session.notify(address, label=_("Open"), act=lambda: QDesktopServices.openUrl(url))

    async def _restrict(self, conversation_id: str, *, restricted: bool) -> None:
        keeping = self._session.office.keeping
        await keeping.restrict(Subject("conversation", conversation_id), restricted=restricted)
        if not restricted:
            self._session.notify(
                _("The restriction is lifted: agents may be given this chat."),
                label=_("Undo"),
                act=lambda: self._session.spawn(
                    self._restrict(conversation_id, restricted=True), name="restrict again"
                ),
            )

    async def _act(self, message_id: str, name: str) -> None:
        feed = self._feed()
        message = feed.message(message_id) if feed is not None else None
        if feed is None or message is None:
            return
        try:
            await self._carry_out(feed, message, name)
        except (AgentsError, StorageError) as error:
            self._session.fail(str(error))

    async def _carry_out(self, feed: Feed, message: Message, name: str) -> None:
        office = self._session.office
        if name in ("pin", "unpin"):
            await office.database.write(messages.pin_message, message.id, pinned=name == "pin")
            await feed.refresh()
        elif name in ("regenerate", "retry"):
            await office.regenerate(message.id)
        elif name == "resume" and message.run_id:
            await office.resume(message.run_id)
        elif name == "discard" and message.run_id:
            await office.discard(message.run_id)
        elif name == "stop" and message.run_id:
            await office.stop(message.run_id)
        elif name == "keys":
            self._session.page_wanted.emit("keys")
        elif name == "agent_cap":
            self._session.page_wanted.emit("team")
        elif name in ("run_cap", "day_cap"):
            self._session.setting_wanted.emit(f"budget.{name}")
        elif name in ("trash", "marks", "erase"):
            from desktop.pages.privacy import asking, doing

            subject, title = Subject("message", message.id), title_from(message.text)
            if name == "trash":
                await doing.throw_away(self._session, subject, title)
            elif name == "marks":
                await doing.ask_marks(self._session, subject, title)
            else:
                await asking.ask_to_erase(self._session, (subject,), title)
