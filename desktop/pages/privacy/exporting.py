"""Export: everything or a part of it into one file that any tool can check; the exports that were made."""

import asyncio
from datetime import date
from pathlib import Path

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from agents.lifecycle.transfer import Wish
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Page, card, clear, label
from desktop.pages.privacy.exports_list import ExportRow
from desktop.pages.privacy.thing_choice import ThingChoice, every_agent, every_chat
from desktop.pages.privacy.verifying import VerifyCard
from desktop.pages.privacy.words import all_counted
from desktop.pages.privacy.working import Working
from desktop.session import Session
from desktop.widgets.spin_box import DayBox
from desktop.widgets.wrapping_box import WrappingBox
from desktop.wording import size
from memory.errors import StorageError
from memory.identifiers import now
from memory.lifecycle.data_map import Category, data_map
from memory.lifecycle.trash import DAY
from memory.transfer.age import Encryption
from memory.transfer.errors import TransferCancelled
from memory.transfer.exporting import Written
from memory.transfer.exports_made import exports_made
from memory.transfer.selection import Filters
from memory.transfer.watching import Watch
from resources.language import gettext as _
from vault.errors import VaultError

_LEAST = 8
"""Characters of a passphrase."""
_FROM_A_DAY = -1
"""Stands in the place of days for a day that is typed."""


class ExportPart(Page):
    """The form, the work, the result; below them verifying and the register."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Export"))
        self.form = self._form()
        self.column.addWidget(self.form)
        self.working = Working()
        self.column.addWidget(self.working)
        self.result, self._result = card()
        self.result.hide()
        self.column.addWidget(self.result)
        self.verify = VerifyCard(session)
        self.column.addWidget(self.verify)
        self._made = QVBoxLayout()
        self._made.setSpacing(8)
        self.column.addLayout(self._made)
        self.column.addStretch(1)

    async def load(self) -> None:
        self.agent.offer([(_("Of every agent"), ""), *await every_agent(self.session)])
        self.chat.offer([(_("Of every chat"), ""), *await every_chat(self.session)])
        made = await self.session.office.database.read(exports_made)
        there = await asyncio.to_thread(lambda: {one.id for one in made if Path(one.path).exists()})
        clear(self._made)
        if made:
            self._made.addSpacing(4)
            self._made.addWidget(label(_("Exports made"), "heading"))
        for one in made:
            self._made.addWidget(ExportRow(self, one, there=one.id in there))
        self.show_content()

    def wish(self) -> Wish:
        """Return what the form asks for."""
        agent, chat = self.agent.chosen(), self.chat.chosen()
        chosen = frozenset(kind for kind, box in self.categories.items() if box.isChecked())
        secret = self.passphrase.text()
        return Wish(
            filters=Filters(
                since=self._since(),
                agent_id=agent[1] if agent else "",
                conversation_id=chat[1] if chat else "",
                categories=frozenset() if len(chosen) == len(self.categories) else chosen,
            ),
            encryption=Encryption(passphrase=secret) if secret else None,
            with_embeddings=self.embeddings.isChecked(),
            with_keys=bool(secret) and self.keys.isChecked(),
            replace=True,
        )

    def _since(self) -> int | None:
        days = int(self.since.currentData())
        if days == _FROM_A_DAY:
            return self.day.start()
        return now() - days * DAY if days else None

    def export_to(self, path: Path) -> None:
        """Write what the form asks for."""
        self.session.spawn(self._export(path), name="export")

    def _choose_place(self) -> None:
        fault = self._refusal()
        self.fault.setText(fault)
        self.fault.setVisible(bool(fault))
        if not fault:
            self.session.spawn(self._check_owner(), name="ask who exports")

    async def _check_owner(self) -> None:
        if await self.owner.passed():
            self._open_dialog()

    def _open_dialog(self) -> None:
        name = f"bureau-{date.today().isoformat()}.aofx"
        dialog = QFileDialog(self, _("Export"), str(Path.home() / name), _("Bureau exports (*.aofx)"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("aofx")
        dialog.fileSelected.connect(lambda path: self.export_to(Path(path)))
        dialog.open()

    def _refusal(self) -> str:
        """Return why this cannot be exported, empty where it can."""
        secret = self.passphrase.text()
        if not any(box.isChecked() for box in self.categories.values()):
            return _("Nothing is chosen: tick at least one category.")
        if self.agent.chosen() is None or self.chat.chosen() is None:
            return _("Nothing here has this name: choose from the list.")
        if secret and len(secret) < _LEAST:
            return _("This passphrase is short: use {count} characters or more.").format(count=_LEAST)
        if secret != self.repeat.text():
            return _("The passphrases differ: type the same one twice.")
        return ""

    async def _export(self, path: Path) -> None:
        self.form.hide()
        self.result.hide()
        self.fault.hide()
        self.working.begin(_("Writing {file} …").format(file=path.name))
        watch = Watch(self.working.progress, self.working.cancelled)
        try:
            written = await self.session.office.transfers.export(path, self.wish(), watch)
        except TransferCancelled as error:
            self.session.notify(str(error))
        except (StorageError, VaultError, OSError) as error:
            self.fault.setText(sentence_of(error))
            self.fault.show()
        else:
            self._show(written)
            self.mark_stale()
        finally:
            self.working.end()
            self.form.show()

    def _show(self, written: Written) -> None:
        clear(self._result)
        self._result.addWidget(
            label(_("{file} is written").format(file=written.path.name), "heading", wrap=True)
        )
        self._result.addWidget(label(f"{written.path.parent} · {size(written.size)}", "small", wrap=True))
        self._result.addWidget(label(all_counted(written.counts), wrap=True))
        if written.redactions:
            left = _("Left out on purpose: {what}.").format(what=", ".join(written.redactions))
            self._result.addWidget(label(left, "small", wrap=True))
        how = _("To check it: “Check an export” below, or in the unpacked folder:")
        if written.encrypted:
            how = _("To check it: “Check an export” below; only with the passphrase.")
        self._result.addWidget(label(how, "dim", wrap=True))
        if not written.encrypted:
            self._result.addWidget(
                label("sha512sum -c manifest-sha512.txt tagmanifest-sha512.txt", "mono", wrap=True)
            )
        row = FlowLayout()
        check = QPushButton(_("Check it now"))
        check.clicked.connect(lambda: self.verify.look(written.path, self.passphrase.text()))
        done = QPushButton(_("Done"))
        done.clicked.connect(self._finish)
        row.addWidget(check)
        row.addWidget(done)
        self._result.addLayout(row)
        self.result.setAccessibleName(_("{file} is written").format(file=written.path.name))
        self.result.show()

    def _finish(self) -> None:
        self.result.hide()
        self.passphrase.clear()
        self.repeat.clear()

    def _form(self) -> QFrame:
        frame, column = card()
        column.addWidget(label(_("Take your data with you"), "heading"))
        column.addWidget(
            label(
                _(
                    "One file with everything: records, your files as they were, and pages that any browser "
                    "shows. Keys are not in it unless you ask for them."
                ),
                "dim",
                wrap=True,
            )
        )
        column.addWidget(self._narrowing())
        column.addWidget(self._category_choice())
        self.embeddings = WrappingBox(_("Put the search vectors in too"))
        self.embeddings.setAccessibleDescription(
            _("Nobody needs them to read the export; they spare another program the work of making them.")
        )
        self.embeddings.setToolTip(self.embeddings.accessibleDescription())
        column.addWidget(self.embeddings)
        column.addWidget(self._protection())
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        column.addWidget(self.fault)
        self.owner = OwnerCheck(self.session)
        self.owner.given.connect(self._choose_place)
        column.addWidget(self.owner)
        self.begin = QPushButton(_("Export…"))
        self.begin.setProperty("kind", "primary")
        self.begin.clicked.connect(self._choose_place)
        column.addWidget(self.begin, 0, Qt.AlignmentFlag.AlignLeading)
        return frame

    def _narrowing(self) -> QWidget:
        row = FoldingRow(520)
        self.since = QComboBox()
        self.since.setAccessibleName(_("From when"))
        for words, days in (
            (_("From all time"), 0),
            (_("Of the last 12 months"), 365),
            (_("Of the last 30 days"), 30),
            (_("From a day on"), _FROM_A_DAY),
        ):
            self.since.addItem(words, days)
        self.day = DayBox(QDate.currentDate().addMonths(-1))
        self.day.setAccessibleName(_("From which day on"))
        self.day.hide()
        self.since.currentIndexChanged.connect(
            lambda: self.day.setVisible(self.since.currentData() == _FROM_A_DAY)
        )
        self.agent = ThingChoice(_("Of which agent"))
        self.chat = ThingChoice(_("Of which chat"))
        for field in (self.since, self.day, self.agent, self.chat):
            row.row.addWidget(field, 1)
        return row

    def _category_choice(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        door = self._choose_categories = QPushButton(_("Choose categories"))
        door.setProperty("kind", "link")
        door.setCheckable(True)
        column.addWidget(door, 0, Qt.AlignmentFlag.AlignLeading)
        boxes = QWidget()
        flow = FlowLayout(14)
        boxes.setLayout(flow)
        self.categories: dict[Category, QCheckBox] = {}
        for kind in dict.fromkeys(entry.category for entry in data_map() if entry.record):
            box = QCheckBox(kind.words)
            box.setChecked(True)
            self.categories[kind] = box
            flow.addWidget(box)
        boxes.hide()
        door.toggled.connect(boxes.setVisible)
        column.addWidget(boxes)
        return holder

    def _protection(self) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        row = FoldingRow(420)
        self.passphrase, self.repeat = QLineEdit(), QLineEdit()
        for field, words in (
            (self.passphrase, _("Passphrase")),
            (self.repeat, _("The same passphrase again")),
        ):
            field.setEchoMode(QLineEdit.EchoMode.Password)
            field.setPlaceholderText(words)
            field.setAccessibleName(words)
            row.row.addWidget(field, 1)
        column.addWidget(row)
        self.keys = WrappingBox(_("Put the providers’ keys in too"))
        self.keys.setEnabled(False)
        self.passphrase.textChanged.connect(lambda text: self.keys.setEnabled(bool(text)))
        column.addWidget(self.keys)
        column.addWidget(
            label(
                _(
                    "Without a passphrase the file is not encrypted. One that is lost cannot be replaced: nobody opens "
                    "the file then."
                ),
                "small",
                wrap=True,
            )
        )
        return holder
