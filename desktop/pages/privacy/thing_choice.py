"""A choice out of many things that is searched by typing: chats, agents, keys."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QCompleter

from desktop.chats.list_model import title_of
from desktop.session import Session
from memory import chat_list

_MOST = 1000


class ThingChoice(QComboBox):
    """What is typed must be the name of one of the things; ``chosen`` tells which."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        field = self.lineEdit()
        assert field is not None
        # A field keeps two pixels between its edge and its words; a box that is not typed into does not.
        field.setTextMargins(-2, 0, -2, 0)
        completer = self.completer()
        assert completer is not None
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)

    def offer(self, things: Sequence[tuple[str, str]]) -> None:
        """Offer names with their ids, and keep what was chosen where it is still among them."""
        known = self.itemData(self.currentIndex())
        self.clear()
        for name, identifier in things:
            self.addItem(name, identifier)
        self.setCurrentIndex(max(0, self.findData(known)) if things else -1)

    def chosen(self) -> tuple[str, str] | None:
        """Return name and id of what is typed, None where nothing has this name."""
        typed = self.currentText()
        place = self.currentIndex() if self.itemText(self.currentIndex()) == typed else self.findText(typed)
        return (self.itemText(place), str(self.itemData(place))) if place >= 0 else None


async def every_chat(session: Session) -> list[tuple[str, str]]:
    """Return title and id of every chat, archived and thrown-away ones last."""
    found: list[tuple[str, str]] = []
    for view in ("open", "archived", "trash"):
        entries = await session.office.database.read(chat_list.entries, view=view, limit=_MOST)
        found += [(title_of(entry), entry.id) for entry in entries]
    return found


async def every_agent(session: Session) -> list[tuple[str, str]]:
    """Return name and id of every agent, archived ones last."""
    found: list[tuple[str, str]] = []
    for archived in (False, True):
        found += [(each.name, each.id) for each in await session.office.roster.all(archived=archived)]
    return found
