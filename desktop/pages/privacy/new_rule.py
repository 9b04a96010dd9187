"""The form for a rule about one agent, one chat or one kind of file."""

from collections.abc import Callable

from PySide6.QtWidgets import QComboBox, QPushButton, QSpinBox

from desktop.chats.list_model import title_of
from desktop.pages.folding import FoldingRow
from desktop.pages.page import Card
from desktop.session import Session
from memory import attachments, chat_list
from memory.lifecycle.retention import Scope
from resources.language import gettext as _

_MOST = 500


class NewRule(Card):
    """``set_rule(scope, scope id, days)`` is called with what was chosen."""

    def __init__(self, session: Session, set_rule: Callable[[Scope, str, int], None]) -> None:
        super().__init__(_("A narrower rule"))
        self._session = session
        self._set = set_rule
        column = self.column
        row = FoldingRow(560)
        self.scope = QComboBox()
        self.scope.setAccessibleName(_("What the rule is about"))
        for words, scope in (
            (_("Agent"), "agent"),
            (_("Chat"), "conversation"),
            (_("Kind of file"), "file_type"),
        ):
            self.scope.addItem(words, scope)
        self.scope.currentIndexChanged.connect(
            lambda: session.spawn(self.offer(), name="list what a rule can be about")
        )
        self.thing = QComboBox()
        self.thing.setAccessibleName(_("Which one"))
        self.thing.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.days = QSpinBox()
        self.days.setAccessibleName(_("Days that it stays"))
        self.days.setRange(1, 36_500)
        self.days.setValue(30)
        self.days.setSuffix(" " + _("days"))
        self.add = QPushButton(_("Add the rule"))
        self.add.clicked.connect(self._add)
        row.row.addWidget(self.scope)
        row.row.addWidget(self.thing, 1)
        row.row.addWidget(self.days)
        row.row.addWidget(self.add)
        column.addWidget(row)

    async def offer(self) -> None:
        """List the agents, chats or kinds of files that are there."""
        office, chosen = self._session.office, self.thing.currentData()
        scope = self.scope.currentData()
        if scope == "agent":
            found = [(each.name, each.id) for each in await office.roster.all()]
        elif scope == "conversation":
            entries = await office.database.read(chat_list.entries, view="open", limit=_MOST)
            found = [(title_of(entry), entry.id) for entry in entries]
        else:
            found = [(kind, kind) for kind in await office.database.read(attachments.kinds)]
        self.thing.clear()
        for name, identifier in found:
            self.thing.addItem(name, identifier)
        self.thing.setCurrentIndex(max(0, self.thing.findData(chosen)) if found else -1)
        self.add.setEnabled(bool(found))

    def _add(self) -> None:
        self._set(self.scope.currentData(), self.thing.currentData(), self.days.value())
