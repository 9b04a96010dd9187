"""My data: what the office holds, by category: how much, how old, why, who receives it, how long it stays."""

import asyncio

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout

from desktop.pages.folding import FoldingRow
from desktop.pages.page import Page, clear, label
from desktop.session import Session
from desktop.wording import count, local, size
from memory.lifecycle import inventory
from memory.lifecycle.data_map import Category, EraseRule, Retention, data_map
from memory.lifecycle.inventory import Share
from resources.language import gettext as _
from resources.language import ngettext

_PAGES = {
    Category.CONVERSATIONS: "chats",
    Category.FILES: "chats",
    Category.NOTES: "memory",
    Category.TEAM: "team",
    Category.CONNECTIONS: "keys",
    Category.SECRETS: "keys",
    Category.USAGE: "usage",
    Category.OUTBOX: "outbox",
    Category.SETTINGS: "settings",
    Category.INDEX: "memory",
}
_PARTS = {
    Category.AUDIT: "audit",
    Category.CONSENTS: "receivers",
    Category.COPIES: "export",
    Category.ERASURE: "erase",
    Category.LOGS: "diagnostics",
}


class DataPart(Page):
    """One card for each category; read again whenever it is shown."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("My data"))
        self.sum = label("", "dim", wrap=True)
        self.column.addWidget(self.sum)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(8)
        self.column.addLayout(self._cards)
        self.column.addStretch(1)
        self.cards: dict[Category, ShareCard] = {}

    async def load(self) -> None:
        office = self.session.office
        tables = await office.database.read_apart(inventory.held_in_tables)
        files = await asyncio.to_thread(inventory.held_in_files, office.locations)
        shares = inventory.by_category((*tables, *files))
        on_disk = size(sum(one.size for one in files))
        self.sum.setText(
            _("Everything is on this machine, encrypted, {size} on the disk. {folder}").format(
                size=on_disk, folder=office.locations.home
            )
        )
        clear(self._cards)
        self.cards = {share.category: ShareCard(self.session, share) for share in shares}
        for card in self.cards.values():
            self._cards.addWidget(card)
        self.show_content()
        self._stale = True  # what is counted changes with everything that is done


class ShareCard(QFrame):
    """What one category holds."""

    def __init__(self, session: Session, share: Share) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        entries = [entry for entry in data_map() if entry.category is share.category]
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 12)
        row = FoldingRow(420)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(label(share.category.words, "strong"))
        lines = [share_words(share), " ".join(entry.purpose for entry in entries)]
        who = next((entry.recipients for entry in entries if entry.recipients), ())
        how_long = _("Stays {how_long}.").format(how_long=stays(entries[0].retention))
        lines.append(f"{how_long} {receives(who)}")
        for number, line in enumerate(lines):
            words.addWidget(label(line, "" if number == 0 else "small", wrap=True))
        self.setAccessibleName(share.category.words)
        self.setAccessibleDescription(" ".join(lines))
        row.row.addLayout(words, 1)
        door = QPushButton(_("Show"))
        door.setAccessibleName(_("Show {what}").format(what=share.category.words))
        door.clicked.connect(lambda: _open(session, share.category))
        row.row.addWidget(door, 0, Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(row)


def share_words(share: Share) -> str:
    """Return how much a category holds and from when to when."""
    number = entries_of(share)
    if not number:
        return _("nothing")
    tables = [one for one in share.places if one.place.startswith("table:")]
    weight = sum(one.size for one in tables or share.places)
    words = ngettext("{count} entry, {size}", "{count} entries, {size}", number)
    result = words.format(count=count(number), size=size(weight))
    if share.oldest is not None and share.newest is not None:
        first, last = (f"{local(at):%Y-%m-%d}" for at in (share.oldest, share.newest))
        result += " · " + (
            first if first == last else _("from {first} to {last}").format(first=first, last=last)
        )
    return result


def entries_of(share: Share) -> int:
    """Return how many things of its own a category holds: without what belongs to them or is made of them."""
    own = {entry.place for entry in data_map() if entry.erase is EraseRule.ROW}
    chosen = [one for one in share.places if one.place in own]
    chosen = chosen or [one for one in share.places if one.place.startswith("table:")]
    return sum(one.count for one in chosen or share.places)


def stays(retention: Retention) -> str:
    """Return how long something stays, to complete "Stays …"."""
    return {
        Retention.RULE: _("as long as your rule says"),
        Retention.PARENT: _("as long as what it belongs to"),
        Retention.MONTHS_24: _("two years"),
        Retention.DAYS_30: _("30 days"),
        Retention.OFFICE: _("as long as the office"),
        Retention.DERIVED: _("as long as what it is made of"),
    }[retention]


def receives(recipients: tuple[str, ...]) -> str:
    """Return who receives something."""
    if recipients:
        return _("The provider of an agent receives what you give that agent.")
    return _("Nobody receives it.")


def _open(session: Session, category: Category) -> None:
    if category in _PARTS:
        session.privacy_wanted.emit(_PARTS[category], "")
    else:
        session.page_wanted.emit(_PAGES[category])
