"""Holds and restrictions as a list, each with the way to release it."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.pages.folding import FoldingRow
from desktop.pages.page import Card, clear, label
from desktop.pages.privacy.words import kind_of
from desktop.session import Session
from desktop.wording import ago
from memory.errors import StorageError
from memory.identifiers import now
from memory.lifecycle.marked import Marked, marked
from resources.language import gettext as _


class MarksCard(Card):
    """Things that no rule and no erasure takes, and things that agents are not given."""

    def __init__(self, session: Session) -> None:
        super().__init__(_("Holds and restrictions"))
        self._session = session
        column = self.column
        column.addWidget(
            label(
                _(
                    "A hold keeps something from every deletion, yours included. What is restricted stays, "
                    "but no agent is given it. Both are set in the menus of chats and messages."
                ),
                "dim",
                wrap=True,
            )
        )
        self._list = QVBoxLayout()
        self._list.setSpacing(4)
        column.addLayout(self._list)

    async def show_all(self) -> None:
        """Read what is held or restricted."""
        found = await self._session.office.database.read(marked)
        clear(self._list)
        for one in found:
            self._list.addWidget(self._row(one))
        if not found:
            self._list.addWidget(label(_("Nothing is held and nothing is restricted."), wrap=True))

    def _row(self, one: Marked) -> QWidget:
        row = FoldingRow(420)
        kind = kind_of(one.subject.kind)
        name = one.label or kind
        parts = [kind]
        if one.held_at is not None:
            parts.append(_("held since {when}").format(when=ago(one.held_at, now())))
        if one.restricted:
            parts.append(_("restricted"))
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(name, wrap=True))
        words.addWidget(label(" · ".join(parts), "small", wrap=True))
        row.row.addLayout(words, 1)
        release = QPushButton(_("Release"))
        release.setAccessibleName(_("Release “{name}”").format(name=name))
        release.clicked.connect(lambda: self._session.spawn(self._release(one), name="release"))
        row.row.addWidget(release, 0, Qt.AlignmentFlag.AlignVCenter)
        return row

    async def _release(self, one: Marked) -> None:
        try:
            await self._set(one, held=False, restricted=False)
        except StorageError as error:
            self._session.fail(str(error))
            return
        self._session.notify(
            _("It is released."),
            label=_("Undo"),
            act=lambda: self._session.spawn(
                self._set(one, held=one.held_at is not None, restricted=one.restricted), name="hold again"
            ),
        )

    async def _set(self, one: Marked, *, held: bool, restricted: bool) -> None:
        keeping = self._session.office.keeping
        if one.held_at is not None:
            await keeping.hold(one.subject, held=held)
        if one.restricted:
            await keeping.restrict(one.subject, restricted=restricted)
