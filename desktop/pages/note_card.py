"""One note with its birth certificate and what can be done with it."""

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QMenu, QPlainTextEdit, QPushButton, QVBoxLayout

from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import label
from desktop.session import Session
from desktop.theme.appearance import look
from desktop.wording import ago
from memory import messages
from memory.errors import StorageError
from memory.identifiers import now
from memory.lifecycle.subjects import Subject
from memory.notes import Note
from memory.titles import title_from
from resources.language import gettext as _
from resources.language import ngettext


def kind_words(kind: str) -> str:
    """Return the kind of a note in words."""
    return {
        "core": _("always told"),
        "fact": _("fact"),
        "preference": _("preference"),
        "procedure": _("way of working"),
    }[kind]


class NoteCard(QFrame):
    """A proposal can be accepted, edited or rejected; a note in force pinned, edited or forgotten."""

    def __init__(self, session: Session, note: Note, author: str) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setAccessibleName(note.text[:200])
        self._session = session
        self._note = note
        self._book = session.notebook
        self.editing = False
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 12)
        column.setSpacing(6)
        self._text = label(note.text, "dim" if note.restricted else "", wrap=True)
        column.addWidget(self._text)
        self.field = QPlainTextEdit(note.text)
        self.field.setProperty("kind", "field")
        self.field.setAccessibleName(_("Words of the note"))
        self.field.setTabChangesFocus(True)
        self.field.setFixedHeight(look().px(84))
        self.field.hide()
        column.addWidget(self.field)
        row = FoldingRow(420, gap=4)
        row.row.addWidget(label(self._facts(author), "small", wrap=True), 1)
        doors = FlowLayout(4)
        self._doors = self._buttons()
        for button in self._doors:
            doors.addWidget(button)
        row.row.addLayout(doors)
        column.addWidget(row)

    def _facts(self, author: str) -> str:
        note = self._note
        origin = _("from {name}").format(name=author) if author else _("yours")
        parts = [_("restricted: no agent is given it")] if note.restricted else []
        parts += [kind_words(note.kind), origin, ago(note.created_at, now())]
        if note.scope == "conversation":
            parts.append(_("only in its chat"))
        if note.uses:
            parts.append(ngettext("used once", "used {count} times", note.uses).format(count=note.uses))
        if note.pinned_at:
            parts.append(_("pinned"))
        return " · ".join(parts)

    def _buttons(self) -> list[QPushButton]:
        if self._note.state == "proposed":
            doors: list[tuple[str, str, Callable[[], None]]] = [
                (_("Accept"), "primary", self._accept),
                (_("Edit"), "", self._edit),
                (_("Reject"), "flat", lambda: self._do(self._book.reject(self._note.id))),
            ]
        else:
            pinned = self._note.pinned_at is not None
            doors = [
                (
                    _("Unpin") if pinned else _("Pin"),
                    "flat",
                    lambda: self._do(self._book.pin(self._note.id, pinned=not pinned)),
                ),
                (_("Edit"), "flat", self._edit),
                (_("Forget"), "flat", self._forget),
                (_("More"), "flat", self._open_menu),
            ]
        if self._note.source_message_id:
            doors.append((_("Source"), "flat", self._open_source))
        buttons = []
        for words, kind, act in doors:
            button = QPushButton(words)
            button.setProperty("kind", kind)
            button.clicked.connect(act)
            buttons.append(button)
        return buttons

    def _accept(self) -> None:
        if self.editing:
            self._save()
        else:
            self._do(self._book.accept(self._note.id))

    def _edit(self) -> None:
        if self.editing:
            self._save()
            return
        self.editing = True
        self._text.hide()
        self.field.show()
        self.field.setFocus()
        for button in self._doors:
            if button.text() == _("Edit"):
                button.setText(_("Save"))

    def _save(self) -> None:
        text = self.field.toPlainText()
        self.editing = False
        if self._note.state == "proposed":
            self._do(self._book.accept(self._note.id, text=text))
        else:
            self._do(self._book.change(self._note.id, text))

    def _forget(self) -> None:
        self._do(self._book.forget(self._note.id))
        self._session.notify(
            _("The note is forgotten."),
            label=_("Undo"),
            act=lambda: self._do(self._book.restore(self._note.id)),
        )

    def _open_menu(self) -> None:
        from desktop.pages.privacy.doing import add_life_actions

        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        subject, name = Subject("note", self._note.id), title_from(self._note.text)
        add_life_actions(menu, self._session, subject, name)
        more = next(button for button in self._doors if button.text() == _("More"))
        menu.popup(more.mapToGlobal(more.rect().bottomLeft()))

    def _open_source(self) -> None:
        self._session.spawn(self._go_to_source(), name="open a note's source")

    async def _go_to_source(self) -> None:
        message = await self._session.office.database.read(
            messages.message, self._note.source_message_id or ""
        )
        self._session.open_chat(message.conversation_id, message.id)

    def _do(self, change: Coroutine[Any, Any, Any]) -> None:
        self._session.spawn(self._perform(change), name="change a note")

    async def _perform(self, change: Coroutine[Any, Any, Any]) -> None:
        try:
            await change
        except StorageError as error:
            self._session.fail(str(error))
