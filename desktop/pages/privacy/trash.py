"""Trash: what was thrown away, for how long it stays, back with it or gone for good."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from agents.events import Erased, TrashChanged
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import Page, card, clear, label
from desktop.pages.privacy.asking import ask_to_erase
from desktop.pages.privacy.words import days_left, kind_of, kind_picture
from desktop.session import Session
from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon_pixmap
from desktop.widgets.search_field import SearchField
from desktop.wording import ago
from memory.errors import StorageError
from memory.identifiers import now
from memory.lifecycle.subjects import Subject
from memory.lifecycle.trash import Trashed
from resources.language import gettext as _
from resources.language import ngettext

_SHOWN = 100


class TrashPart(Page):
    """The latest first; more are shown when they are wanted."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Trash"))
        self.search = SearchField(_("Search the trash"))
        self.search.setMaximumWidth(220)
        self.search.searched.connect(self._search)
        self.header_row.addWidget(self.search)
        self.empty = self.action(_("Empty the trash…"), self._empty)
        self._shown = _SHOWN
        self._all: tuple[Trashed, ...] = ()
        self._say = label("", "dim", wrap=True)
        self.column.addWidget(self._say)
        self._frame, self._list = card()
        self._list.setSpacing(0)
        self.column.addWidget(self._frame)
        self.more = QPushButton(_("Show more"))
        self.more.clicked.connect(self._show_more)
        self.column.addWidget(self.more)
        self.column.addStretch(1)
        self.rows: list[TrashRow] = []
        appearance().changed.connect(self.mark_stale)
        for kind in (TrashChanged, Erased):
            session.on(kind, lambda _event: self.mark_stale())

    async def load(self) -> None:
        office = self.session.office
        self._all = await office.keeping.trash()
        days = await office.settings.value("trash.days")
        self.empty.setEnabled(any(one.leaves_at is not None for one in self._all))
        self.search.setVisible(bool(self._all))
        stays = ngettext(
            "What you throw away stays here for {count} day, whole; then it is erased.",
            "What you throw away stays here for {count} days, whole; then it is erased.",
            days,
        ).format(count=days)
        if not self._all:
            self.show_empty("trash", _("The trash is empty"), stays)
            return
        self._say.setText(stays)
        self._fill()
        self.show_content()

    def put_back(self, subject: Subject) -> None:
        """Take a thing out of the trash, with a way to throw it away again."""
        self.session.spawn(self._put_back(subject), name="put back")

    def _fill(self) -> None:
        words = self.search.text().casefold().split()
        found = [one for one in self._all if all(word in one.label.casefold() for word in words)]
        clear(self._list)
        self.rows = [TrashRow(self, one) for one in found[: self._shown]]
        for row in self.rows:
            self._list.addWidget(row)
        if not found:
            self._list.addWidget(label(_("Nothing in the trash has these words."), "dim"))
        self.more.setVisible(len(found) > self._shown)

    def _search(self, _text: str) -> None:
        self._shown = _SHOWN
        self._fill()

    def _show_more(self) -> None:
        self._shown += _SHOWN
        self._fill()

    def _empty(self) -> None:
        subjects = [one.subject for one in self._all if one.leaves_at is not None]
        name = ngettext("{count} thing in the trash", "{count} things in the trash", len(subjects))
        asking = ask_to_erase(self.session, subjects, name.format(count=len(subjects)), reason="trash")
        self.session.spawn(asking, name="empty the trash")

    async def _put_back(self, subject: Subject) -> None:
        keeping = self.session.office.keeping
        try:
            await keeping.bring_back([subject])
        except StorageError as error:
            self.session.fail(str(error))
            return
        self.session.notify(
            _("It is back where it was."),
            label=_("Undo"),
            act=lambda: self.session.spawn(keeping.put_away([subject]), name="throw away"),
        )


class TrashRow(QWidget):
    """One thing in the trash with its countdown and its two doors."""

    def __init__(self, part: TrashPart, one: Trashed) -> None:
        super().__init__()
        self.one = one
        kind = kind_of(one.subject.kind)
        name = one.label or kind
        self.setAccessibleName(f"{kind}: {name}")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 8)
        row = FoldingRow(460)
        head = QHBoxLayout()
        head.setSpacing(10)
        picture = QLabel()
        picture.setPixmap(icon_pixmap(kind_picture(one.subject.kind), look().theme.dim, look().px(18)))
        head.addWidget(picture)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(name, wrap=True))
        thrown = _("thrown away {when}").format(when=ago(one.trashed_at, now()))
        held = one.leaves_at is None
        left = _("a hold keeps it") if held else days_left(one.leaves_at or 0, now())
        soon = not held and (one.leaves_at or 0) - now() < 3 * 86_400_000
        words.addWidget(label(f"{kind} · {thrown} · {left}", "warn" if soon else "small", wrap=True))
        head.addLayout(words, 1)
        row.row.addLayout(head, 1)
        doors = FlowLayout(4)
        back = QPushButton(_("Put back"))
        back.setAccessibleName(_("Put “{name}” back").format(name=name))
        back.clicked.connect(lambda: part.put_back(one.subject))
        doors.addWidget(back)
        erase = QPushButton(_("Erase now…"))
        erase.setProperty("kind", "flat")
        erase.setAccessibleName(_("Erase “{name}” now").format(name=name))
        erase.setEnabled(not held)
        erase.clicked.connect(
            lambda: part.session.spawn(
                ask_to_erase(part.session, [one.subject], name, reason="trash"), name="erase"
            )
        )
        doors.addWidget(erase)
        row.row.addLayout(doors)
        column.addWidget(row)
