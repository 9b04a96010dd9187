"""What came with a chat from another app and was not shown there: instructions, tools at work, thoughts."""

import json
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QVBoxLayout

from desktop.pages.page import card, label
from desktop.session import Session
from desktop.transcript.message_menu import as_plain_text
from desktop.widgets.overlay import Overlay
from desktop.wording import moment, plural
from memory import messages
from memory.chats import Message
from memory.lifecycle.subjects import Subject
from memory.messages import Hidden
from memory.titles import title_from
from resources.language import gettext as _

_AT_ONCE = 40
"""Messages shown before more are asked for."""
_LONGEST = 4_000
"""Characters of one message that are shown."""


async def show_hidden(session: Session, conversation_id: str, title: str) -> "HiddenMessages":
    """Show the hidden messages of a chat; returns at once."""
    found = await session.office.database.read(messages.hidden_messages, conversation_id)
    shown = HiddenMessages(session, title, found)
    shown.open()
    shown.done.setFocus()
    return shown


class HiddenMessages(Overlay):
    """A list, some at a time, each with the menu of what may be done with it."""

    def __init__(self, session: Session, title: str, found: tuple[Hidden, ...]) -> None:
        heading = _("Not shown in “{title}”").format(title=title)
        super().__init__(session.window, heading)
        self._session = session
        self._waiting = list(found)
        self.column.addWidget(label(heading, "heading", wrap=True))
        said = plural(
            "{count} message came with this chat that the other app did not show. It is kept and exported; agents "
            "are not given it.",
            "{count} messages came with this chat that the other app did not show. They are kept and exported; "
            "agents are not given them.",
            len(found),
        )
        nothing = _("Everything that came with this chat is shown in it.")
        self.column.addWidget(label(said if found else nothing, "dim", wrap=True))
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self.column.addLayout(self._list)
        self.more = QPushButton()
        self.more.setProperty("kind", "link")
        self.more.clicked.connect(self._show_more)
        self.column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeading)
        self.done = QPushButton(_("Done"))
        self.done.setProperty("kind", "primary")
        self.done.clicked.connect(self.leave)
        self.column.addWidget(self.done, 0, Qt.AlignmentFlag.AlignLeading)
        self._show_more()

    def _show_more(self) -> None:
        some, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        for message in some:
            self._list.addWidget(self._card(message))
        left = len(self._waiting)
        self.more.setText(plural("{count} more", "{count} more", left))
        self.more.setVisible(bool(left))

    def _card(self, hidden: Hidden) -> QFrame:
        message, said = hidden.message, text_of(hidden)
        frame, column = card()
        name = title_from(said) or _("without words")
        frame.setAccessibleName(name)
        head = QHBoxLayout()
        who = _("You") if message.role == "owner" else message.agent_name
        facts = [who, message.model, moment(message.created_at)]
        facts += [_("restricted: no agent is given this")] if message.restricted else []
        head.addWidget(label(" · ".join(part for part in facts if part), "small", wrap=True), 1)
        more = QPushButton(_("More"))
        more.setProperty("kind", "flat")
        more.setAccessibleName(_("More") + f": {name}")
        more.clicked.connect(partial(self._open_menu, more, message, name))
        head.addWidget(more, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(head)
        shown = label(said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…", wrap=True)
        if not said:
            shown = label(_("without words"), "dim")
        shown.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        column.addWidget(shown)
        return frame

    def _open_menu(self, door: QPushButton, message: Message, name: str) -> None:
        from desktop.pages.privacy.doing import add_life_actions

        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_life_actions(menu, self._session, Subject("message", message.id), name)
        menu.triggered.connect(lambda _action: self.leave())
        menu.popup(door.mapToGlobal(door.rect().bottomLeft()))


def text_of(hidden: Hidden) -> str:
    """Return the words of a hidden message, else what came in their place, as it came; empty for neither."""
    words = as_plain_text((hidden.message.text or hidden.message.thinking).strip()).strip()
    if not words and hidden.raw:
        return json.dumps(hidden.raw, ensure_ascii=False, indent=1)
    return words
