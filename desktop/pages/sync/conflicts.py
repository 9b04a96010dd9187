"""Words that lost where two devices changed the same place: both are shown, and one decision each."""

from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from PySide6.QtWidgets import QFrame, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import card, label
from desktop.pages.sync.stack import Stack
from desktop.session import Session
from desktop.theme.appearance import look
from desktop.wording import moment
from memory.errors import StorageError
from memory.sync.conflicts import Conflict
from resources.language import gettext as _

_FOLDS_BELOW = 520
_HEIGHT = 112


class Conflicts(Stack):
    """A card for each."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def show_conflicts(self, conflicts: Sequence[Conflict]) -> None:
        """Show these."""
        self.show_all(tuple(conflicts), lambda: self._cards(conflicts))

    def _cards(self, conflicts: Sequence[Conflict]) -> Iterator[QWidget]:
        if conflicts:
            yield label(_("Changed in two places at once"), "heading", wrap=True)
            words = _(
                "Two of your devices changed the same lines. The later words stand on every device; the others are "
                "kept here until you decide."
            )
            yield label(words, "dim", wrap=True)
        for one in conflicts:
            yield self._card(one)

    def _card(self, one: Conflict) -> QFrame:
        frame, column = card()
        title = title_of(one)
        frame.setAccessibleName(title)
        column.addWidget(label(title, "strong", wrap=True))
        column.addWidget(label(moment(one.at), "small"))
        row = FoldingRow(_FOLDS_BELOW, 12)
        for heading, value in ((_("Stands now"), one.kept), (_("Lost"), one.lost)):
            side = QVBoxLayout()
            side.setSpacing(4)
            side.addWidget(label(heading, "small"))
            side.addWidget(_words(f"{heading}: {title}", value))
            row.row.addLayout(side, 1)
        column.addWidget(row)
        doors = FlowLayout()
        if one.reason == "text":
            take = QPushButton(_("Let the lost words stand again"))
            take.setAccessibleName(f"{take.text()}: {title}")
            take.clicked.connect(lambda: self._begin(self._take_back(one)))
            doors.addWidget(take)
        dismiss = QPushButton(_("Let go of them"))
        dismiss.setProperty("kind", "flat")
        dismiss.setAccessibleName(f"{dismiss.text()}: {title}")
        dismiss.clicked.connect(lambda: self._begin(self._dismiss(one)))
        doors.addWidget(dismiss)
        column.addLayout(doors)
        return frame

    def _begin(self, work: Coroutine[Any, Any, Any]) -> None:
        self._session.spawn(work, name="decide about a conflict")

    async def _take_back(self, one: Conflict) -> None:
        try:
            await self._session.office.sync_decisions.take_back(one.id)
        except StorageError as error:
            self._session.fail(sentence_of(error))
            return
        self._session.notify(_("The words stand again; what they replaced is kept as an earlier form."))

    async def _dismiss(self, one: Conflict) -> None:
        decisions = self._session.office.sync_decisions
        try:
            let_go = await decisions.dismiss(one.id)
        except StorageError as error:
            self._session.fail(sentence_of(error))
            return
        self._session.notify(
            _("The lost words are gone from the list."),
            label=_("Undo"),
            act=lambda: self._begin(decisions.put_back(let_go)),
        )


def title_of(one: Conflict) -> str:
    """Return which words of what a conflict is about."""
    if one.type == "agent":
        return _("Instructions of {name}").format(name=one.name)
    if one.type == "message":
        return _("A message in “{title}”").format(title=one.name or _("a chat"))
    return _("A note")


def _words(name: str, value: object) -> QPlainTextEdit:
    shown = QPlainTextEdit()
    shown.setProperty("kind", "field")
    shown.setReadOnly(True)
    shown.setTabChangesFocus(True)
    shown.setPlainText(value if isinstance(value, str) else "" if value is None else str(value))
    shown.setAccessibleName(name)
    shown.setFixedHeight(look().px(_HEIGHT))
    return shown
