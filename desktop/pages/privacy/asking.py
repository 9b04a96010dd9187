"""The question before an erasure: what goes, what goes along by choice, and how thoroughly."""

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QLineEdit, QPushButton

from agents.errors import AgentsError
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import label
from desktop.pages.privacy.words import all_counted
from desktop.pages.privacy.working import Working
from desktop.session import Session
from desktop.widgets.overlay import Overlay
from memory.errors import ManyAtOnce, StorageError
from memory.lifecycle.erased import Reason
from memory.lifecycle.outline import Outline, outline
from memory.lifecycle.reports import EraseReport
from memory.lifecycle.subjects import Subject
from resources.language import gettext as _
from resources.language import ngettext
from vault.errors import VaultError


async def ask_to_erase(
    session: Session, subjects: Sequence[Subject], name: str, *, reason: Reason = "owner"
) -> "EraseQuestion":
    """Show what would go and let its owner decide; returns at once. Raises NotFound."""
    found = await session.office.database.read(outline, tuple(subjects))
    question = EraseQuestion(session, tuple(subjects), name, found, reason)
    question.open()
    question.cancel.setFocus()
    return question


class EraseQuestion(Overlay):
    """Stays open while it erases; leaving it then lets the work go on."""

    def __init__(
        self, session: Session, subjects: tuple[Subject, ...], name: str, found: Outline, reason: Reason
    ) -> None:
        super().__init__(session.window, _("Erase “{name}” for good").format(name=name))
        self._session = session
        self._subjects = subjects
        self._reason = reason
        self._busy = False
        column = self.column
        column.addWidget(label(_("Erase “{name}” for good").format(name=name), "heading", wrap=True))
        column.addWidget(
            label(
                _("This goes and cannot come back: {what}.").format(what=all_counted(found.counts)), wrap=True
            )
        )
        if any(subject.kind == "connection" for subject in subjects):
            words = _(
                "The key is destroyed on this machine. Revoke it at its provider too, where it opens your account."
            )
            column.addWidget(label(words, wrap=True))
        self.notes = QCheckBox(
            ngettext(
                "Also the {count} note drawn from it",
                "Also the {count} notes drawn from it",
                found.derived_notes,
            ).format(count=found.derived_notes)
        )
        self.notes.setVisible(bool(found.derived_notes))
        column.addWidget(self.notes)
        self.deep = QCheckBox(_("Thoroughly"))
        column.addWidget(self.deep)
        column.addWidget(
            label(
                _(
                    "Also gives the database another key, so that nothing the disk still holds of it can be "
                    "read. The office waits some ten seconds for each gigabyte."
                ),
                "small",
                wrap=True,
            )
        )
        self.fault = label(found.held, "danger", wrap=True)
        self.fault.setVisible(bool(found.held))
        column.addWidget(self.fault)
        self.number = QLineEdit()
        self.number.setAccessibleName(_("How many things are erased"))
        self.number.hide()
        column.addWidget(self.number)
        self.owner = OwnerCheck(session)
        self.owner.given.connect(self._begin)
        column.addWidget(self.owner)
        self.working = Working()
        column.addWidget(self.working)
        row = FlowLayout()
        self.erase = QPushButton(_("Erase now"))
        self.erase.setProperty("kind", "danger")
        self.erase.setEnabled(not found.held)
        self.erase.clicked.connect(self._begin)
        self.cancel = QPushButton(_("Cancel"))
        self.cancel.clicked.connect(self.leave)
        row.addWidget(self.erase)
        row.addWidget(self.cancel)
        column.addLayout(row)

    def _begin(self) -> None:
        if self.erase.isEnabled():
            self.erase.setEnabled(False)
            self._session.spawn(self._check_owner(), name="ask who erases")

    async def _check_owner(self) -> None:
        if not await self.owner.passed():
            self.erase.setEnabled(True)
            return
        self.fault.hide()
        self._busy = True
        self.working.begin(_("Erasing, and searching for what is left …"), cancellable=False)
        self._session.spawn(self._erase(), name="erase")

    async def _erase(self) -> None:
        session, deep = self._session, self.deep.isChecked()
        try:
            report = await session.office.erasing.erase(
                self._subjects,
                reason=self._reason,
                derived_notes=self.notes.isChecked(),
                deep=deep,
                brake=True,
                confirmed=int(self.number.text()) if self.number.text().isdigit() else None,
            )
        except ManyAtOnce as many:
            self._ask_number(many)
            return
        except (AgentsError, StorageError, VaultError) as error:
            self._show_fault(sentence_of(error))
            return
        finally:
            self._busy = False
        tell_erased(session, report)
        self.leave()

    def leave(self) -> None:
        """Close; while it erases only out of sight, because the work goes on."""
        if self._busy:
            self.hide()
        else:
            super().leave()

    def _ask_number(self, many: ManyAtOnce) -> None:
        self._show_fault(str(many))
        self.number.setPlaceholderText(str(many.count))
        self.number.show()
        self.number.setFocus()

    def _show_fault(self, sentence: str) -> None:
        self.working.end()
        self.erase.setEnabled(True)
        if self.isHidden():
            self._session.fail(sentence)
            super().leave()
            return
        self.fault.setText(sentence)
        self.fault.show()


def tell_erased(session: Session, report: EraseReport) -> None:
    """Say at the foot of the window what is gone, with the door to its report."""
    session.notify(
        _("Erased: {what}. Every file is being searched for what is left.").format(
            what=all_counted(report.counts)
        ),
        label=_("Report"),
        act=lambda: session.privacy_wanted.emit("erase", report.id),
    )
