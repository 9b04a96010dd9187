"""What any place of the window does with a thing's life: throw it away with undo, hold and restrict, erase."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QMenu, QPushButton

from desktop.pages.indented import Indented
from desktop.pages.page import label
from desktop.pages.privacy.asking import ask_to_erase
from desktop.pages.privacy.words import kind_of
from desktop.session import Session
from desktop.widgets.overlay import Overlay
from memory.errors import StorageError
from memory.lifecycle.marked import mark_of
from memory.lifecycle.subjects import Subject
from resources.language import gettext as _


def add_life_actions(menu: QMenu, session: Session, subject: Subject, name: str) -> None:
    """Add to a menu what may be done with a thing's life; agents have no holds."""
    menu.addAction(_("Move to the trash"), lambda: begin(session, throw_away(session, subject, name)))
    if subject.kind != "agent":
        menu.addAction(_("Hold and restrict…"), lambda: begin(session, ask_marks(session, subject, name)))
    menu.addAction(_("Erase…"), lambda: begin(session, ask_to_erase(session, (subject,), name)))


def begin(session: Session, work: Coroutine[Any, Any, Any]) -> None:
    """Start one of these; its failure is shown as a notice."""
    session.spawn(work, name="change what is kept")


async def throw_away(session: Session, subject: Subject, name: str) -> None:
    """Move a thing to the trash, with a way back in the notice."""
    keeping = session.office.keeping
    try:
        moved = await keeping.put_away([subject])
    except StorageError as error:
        session.fail(str(error))
        return
    session.notify(
        _("“{title}” is in the trash.").format(title=name or kind_of(subject.kind)),
        label=_("Undo"),
        act=lambda: begin(session, keeping.bring_back(moved)),
    )


async def ask_marks(session: Session, subject: Subject, name: str) -> "MarksQuestion":
    """Show whether a thing is held or restricted, to be changed; returns at once."""
    held, restricted = await session.office.database.read(mark_of, subject)
    question = MarksQuestion(session, subject, name, held=held, restricted=restricted)
    question.open()
    question.hold.setFocus()
    return question


class MarksQuestion(Overlay):
    """Two switches; each counts at once."""

    def __init__(
        self, session: Session, subject: Subject, name: str, *, held: bool, restricted: bool
    ) -> None:
        title = _("Hold and restrict “{name}”").format(name=name or kind_of(subject.kind))
        super().__init__(session.window, title)
        self._session = session
        self._subject = subject
        self.column.addWidget(label(title, "heading", wrap=True))
        self.hold = QCheckBox(_("Hold"))
        self.hold.setChecked(held)
        self.restrict = QCheckBox(_("Restrict"))
        self.restrict.setChecked(restricted)
        for box, words in (
            (self.hold, _("Nothing deletes it: no rule, no trash, no erasing, until you release the hold.")),
            (
                self.restrict,
                _("It stays and you see it, but no agent is given it and no search for them finds it."),
            ),
        ):
            box.setAccessibleDescription(words)
            self.column.addWidget(box)
            below = Indented()
            below.column.addWidget(label(words, "small", wrap=True))
            self.column.addWidget(below)
        done = QPushButton(_("Done"))
        done.setProperty("kind", "primary")
        done.clicked.connect(self.leave)
        self.column.addWidget(done, 0, Qt.AlignmentFlag.AlignLeading)
        self.hold.toggled.connect(lambda on: self._change(session.office.keeping.hold(subject, held=on)))
        self.restrict.toggled.connect(
            lambda on: self._change(session.office.keeping.restrict(subject, restricted=on))
        )

    def _change(self, work: Coroutine[Any, Any, None]) -> None:
        self._session.spawn(self._do(work), name="hold or restrict")

    async def _do(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StorageError as error:
            self._session.fail(str(error))
