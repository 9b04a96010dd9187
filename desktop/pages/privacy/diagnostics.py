"""Diagnostics: a bundle for whoever helps, shown letter by letter before it is saved; nothing is sent."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QPushButton

from agents.commands import diagnosis
from agents.commands.serving import Served
from agents.lifecycle import diagnostics
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.page import Page, label
from desktop.pages.privacy.working import Working
from desktop.theme.appearance import look
from memory.errors import StorageError
from resources.language import gettext as _

if TYPE_CHECKING:
    from desktop.session import Session


class DiagnosticsPart(Page):
    """Makes the text when asked, shows it, and writes exactly what is shown."""

    def __init__(self, session: "Session") -> None:
        super().__init__(session, _("Diagnostics"))
        self.column.addWidget(
            label(
                _(
                    "When something does not work, this text helps whoever helps you: versions, checks, counts and "
                    "the last lines of the log, without content, names or keys. It is made when you ask for it and "
                    "goes nowhere by itself."
                ),
                "dim",
                wrap=True,
            )
        )
        doors = FlowLayout()
        self.show_it = QPushButton(_("Show what it would hold"))
        self.show_it.setProperty("kind", "primary")
        self.show_it.clicked.connect(lambda: session.spawn(self.preview(), name="make a diagnostics bundle"))
        self.save = QPushButton(_("Save as a file…"))
        self.save.setEnabled(False)
        self.save.clicked.connect(self._choose)
        doors.addWidget(self.show_it)
        doors.addWidget(self.save)
        self.column.addLayout(doors)
        self.working = Working()
        self.column.addWidget(self.working)
        self.text = QPlainTextEdit()
        self.text.setProperty("kind", "field")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(_("What the bundle holds"))
        self.text.setFont(look().font(12.5, fixed=True))
        self.text.setMinimumHeight(look().px(320))
        self.text.hide()
        self.column.addWidget(self.text, 1)
        self.column.addStretch(1)

    async def load(self) -> None:
        self.show_content()

    async def preview(self) -> None:
        """Check everything and show the bundle's text."""
        office = self.session.office
        self.show_it.setEnabled(False)
        self.working.begin(_("Checking every part of the office …"), cancellable=False)
        try:
            checks = await diagnosis.doctor(Served(office), {})
            self.text.setPlainText(await diagnostics.bundle(office, checks["checks"]))
        finally:
            self.working.end()
            self.show_it.setEnabled(True)
        self.text.show()
        self.save.setEnabled(True)

    def _choose(self) -> None:
        dialog = QFileDialog(self, _("Save the diagnostics"), str(Path.home() / "bureau-diagnostics.txt"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("txt")
        dialog.fileSelected.connect(
            lambda path: self.session.spawn(self.save_to(Path(path)), name="save the diagnostics")
        )
        dialog.open()

    async def save_to(self, path: Path) -> None:
        """Write what is shown to a new file."""
        try:
            await asyncio.to_thread(diagnostics.save, self.text.toPlainText(), path)
        except StorageError as error:
            self.session.fail(sentence_of(error))
        else:
            self.session.notify(_("The text is written to {file}.").format(file=path.name))
