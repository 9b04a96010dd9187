"""Purposes: what is done with the owner's data beyond answering, each to be switched off whole or for one agent."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFrame, QPushButton, QVBoxLayout, QWidget

from agents.events import Erased, NotesChanged, PurposesChanged, RosterChanged
from desktop.pages.folding import FoldingRow
from desktop.pages.page import Page, card, clear, label
from desktop.pages.privacy.asking import ask_to_erase
from desktop.session import Session
from memory import purposes
from memory.lifecycle.subjects import Subject
from memory.purposes import Choice, Purpose
from resources.language import gettext as _
from resources.language import ngettext


class PurposesPart(Page):
    """A card for each purpose: a switch for the office, below it one for each agent, and what may be erased."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Purposes"))
        self.column.addWidget(
            label(
                _(
                    "Answering needs what you write; the rest is for you to decide. What you switch off stops at "
                    "once, and what came of it so far can be erased."
                ),
                "dim",
                wrap=True,
            )
        )
        self._cards = QVBoxLayout()
        self._cards.setSpacing(12)
        self.column.addLayout(self._cards)
        self.column.addStretch(1)
        self.switches: dict[tuple[str, str], QCheckBox] = {}
        for kind in (Erased, NotesChanged, PurposesChanged, RosterChanged):
            session.on(kind, lambda _event: self.mark_stale())

    async def load(self) -> None:
        found = await self.session.office.database.read(purposes.choices)
        focused = next((key for key, box in self.switches.items() if box.hasFocus()), None)
        clear(self._cards)
        self.switches = {}
        for purpose in purposes.purposes():
            self._cards.addWidget(self._card(purpose, [one for one in found if one.purpose == purpose.name]))
        self.show_content()
        if focused in self.switches:
            self.switches[focused].setFocus()

    def _card(self, purpose: Purpose, choices: list[Choice]) -> QFrame:
        frame, column = card()
        frame.setAccessibleName(purpose.title)
        column.addWidget(label(purpose.title, "heading"))
        column.addWidget(label(purpose.sentence, "dim", wrap=True))
        whole, *agents = choices
        column.addWidget(self._switch(whole, _("For the whole office"), purpose))
        for one in agents:
            row = FoldingRow(420)
            box = self._switch(one, one.agent_name, purpose)
            box.setEnabled(whole.allowed)
            row.row.addWidget(box, 1)
            if one.kept and not (one.allowed and whole.allowed):
                row.row.addWidget(self._door(one), 0, Qt.AlignmentFlag.AlignLeading)
            row.row.setContentsMargins(22, 0, 0, 0)
            column.addWidget(row)
        return frame

    def _switch(self, one: Choice, words: str, purpose: Purpose) -> QCheckBox:
        box = QCheckBox(words)
        box.setChecked(one.allowed)
        box.setAccessibleName(f"{purpose.title}: {words}")
        box.setAccessibleDescription(purpose.sentence)
        box.toggled.connect(lambda on: self.switch(one, on=on))
        self.switches[one.purpose, one.agent_id] = box
        return box

    def _door(self, one: Choice) -> QWidget:
        if one.purpose == "memory":
            words = ngettext("Erase its {count} note…", "Erase its {count} notes…", one.kept)
            act = partial(self._erase_notes, one)
        else:
            words = ngettext("Take its name off {count} line", "Take its name off {count} lines", one.kept)
            act = partial(self._forget_usage, one)
        door = QPushButton(words.format(count=one.kept))
        door.setProperty("kind", "link")
        door.setAccessibleName(f"{door.text()} {one.agent_name}")
        door.clicked.connect(lambda: self.session.spawn(act(), name="erase what a purpose kept"))
        return door

    def switch(self, one: Choice, *, on: bool) -> None:
        """Switch a purpose on or off, with a way to undo it."""
        self.session.spawn(self._change(one, on=on), name="switch a purpose")

    async def _change(self, one: Choice, *, on: bool) -> None:
        await self.session.office.keeping.switch(one.purpose, one.agent_id, on=on)
        who = one.agent_name or _("the whole office")
        said = _("Switched on for {name}.") if on else _("Switched off for {name}, from now on.")
        self.session.notify(said.format(name=who), label=_("Undo"), act=lambda: self.switch(one, on=not on))

    async def _erase_notes(self, one: Choice) -> None:
        written = await self.session.office.database.read(purposes.notes_by, one.agent_id)
        name = _("the notes of {name}").format(name=one.agent_name)
        await ask_to_erase(self.session, tuple(Subject("note", each) for each in written), name)

    async def _forget_usage(self, one: Choice) -> None:
        count = await self.session.office.keeping.forget_usage(one.agent_id)
        self.session.notify(
            ngettext(
                "{count} line has no name any more.", "{count} lines have no name any more.", count
            ).format(count=count)
        )
