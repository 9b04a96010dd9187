"""The audit trail: what was done to keys, settings and data, and whether the chain is whole."""

import re
from typing import Any

from PySide6.QtWidgets import QComboBox, QPushButton

from agents.lifecycle import trail
from desktop.pages.folding import FlowLayout
from desktop.pages.page import Page, label
from desktop.pages.privacy.words import all_counted
from desktop.pages.table import Column, Table, TableModel
from desktop.session import Session
from desktop.wording import count, moment, plural
from memory import audit
from memory.audit import AuditEntry
from memory.errors import DatabaseDamaged
from resources.language import gettext as _

_PAGE = 200
_ID = re.compile(r"[0-9a-f]{32}|")


def kind_words(kind: str) -> str:
    """Return what was done in words; one that has none is shown as it is."""
    return {
        "key added": _("key added"),
        "key rotated": _("key rotated"),
        "key removed": _("key destroyed"),
        "recovery key made": _("recovery key made"),
        "setting changed": _("setting changed"),
        "retention set": _("retention rule set"),
        "hold set": _("hold set"),
        "hold released": _("hold released"),
        "backup made": _("backup made"),
        "backup restored": _("backup restored"),
        "backup folder chosen": _("backup folder chosen"),
        "consent given": _("consent given"),
        "consent withdrawn": _("consent withdrawn"),
        "key used": _("key used"),
        "passphrase changed": _("passphrase changed"),
        "restricted": _("restricted"),
        "restriction lifted": _("restriction lifted"),
        "backup removed": _("backup removed"),
        "app locked": _("app locked"),
        "app unlocked": _("app unlocked"),
        "app lock refused": _("app lock: wrong passphrase"),
        "lock passphrase set": _("passphrase of the lock set"),
        "lock passphrase removed": _("passphrase of the lock removed"),
        "erased again": _("erased again"),
        "usage unnamed": _("names taken off usage"),
        "erased": _("erased"),
        "imported": _("imported"),
        "exported": _("exported"),
        "audit shortened": _("old entries removed"),
    }.get(kind, kind)


def detail_words(entry: AuditEntry) -> str:
    """Return what an entry says besides its kind."""
    detail: dict[str, Any] = dict(entry.detail)
    # An id says nothing to people; a setting, a category or a word does.
    parts = [] if _ID.fullmatch(entry.subject) else [entry.subject]
    counts = detail.pop("counts", None)
    if isinstance(counts, dict):
        parts.append(all_counted(counts))
    parts += [f"{name}: {value}" for name, value in detail.items() if value not in ("", None, {}, [])]
    return " · ".join(parts) or "–"


class AuditPart(Page):
    """A table, newest first, that grows as it is scrolled; by kind where one is chosen."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Audit trail"), wide=True)
        self._reading = False
        self.kinds = QComboBox()
        self.kinds.setAccessibleName(_("Kind of entry"))
        self.kinds.addItem(_("Everything"), "")
        self.kinds.currentIndexChanged.connect(self.mark_stale)
        self.check = QPushButton(_("Check the chain"))
        self.check.clicked.connect(lambda: session.spawn(self._check(), name="check the audit trail"))
        self.column.addWidget(
            label(
                _(
                    "Every entry carries a hash of the one before, so a change shows. "
                    "Entries hold kinds, fingerprints and counts, never content."
                ),
                "dim",
                wrap=True,
            )
        )
        doors = FlowLayout()
        doors.addWidget(self.kinds)
        doors.addWidget(self.check)
        self.column.addLayout(doors)
        self.result = label("", wrap=True)
        self.result.hide()
        self.column.addWidget(self.result)
        self.model: TableModel[AuditEntry] = TableModel(self._columns(), self._read_more)
        self.table = Table(self.model, _("Audit trail"))
        self.column.addWidget(self.table, 1)

    async def load(self) -> None:
        database = self.session.office.database
        self._show_kinds(await database.read(audit.kinds))
        chosen = str(self.kinds.currentData())
        shown = max(_PAGE, len(self.model.rows))
        entries = await database.read(audit.entries, limit=shown, kind=chosen)
        if not entries:
            self.show_empty(
                "tasks",
                _("Nothing was done yet"),
                _(
                    "Keys added and used up, settings changed, exports, imports and erasures are written down here."
                ),
            )
            return
        self.model.show(entries, complete=len(entries) < shown)
        self.show_content()

    def _show_kinds(self, kinds: tuple[str, ...]) -> None:
        self.kinds.blockSignals(True)
        for kind in kinds:
            if self.kinds.findData(kind) < 0:
                self.kinds.addItem(kind_words(kind), kind)
        self.kinds.blockSignals(False)

    def _read_more(self) -> None:
        if not self._reading:
            self._reading = True
            self.session.spawn(self._extend(), name="read more of the audit trail")

    async def _extend(self) -> None:
        try:
            last = self.model.rows[-1].number if self.model.rows else None
            more = await self.session.office.database.read(
                audit.entries, limit=_PAGE, before=last, kind=str(self.kinds.currentData())
            )
            self.model.extend(more, complete=len(more) < _PAGE)
        finally:
            self._reading = False

    async def _check(self) -> None:
        self.check.setEnabled(False)
        try:
            office = self.session.office
            number = await office.database.read(trail.check, office.locations, office.vault.keys)
        except DatabaseDamaged as error:
            self._say(str(error), "danger")
        else:
            whole = plural(
                "The chain is whole: {count} entry.", "The chain is whole: {count} entries.", number
            )
            self._say(whole, "ok")
        finally:
            self.check.setEnabled(True)

    def _say(self, sentence: str, role: str) -> None:
        self.result.setProperty("role", role)
        self.result.style().unpolish(self.result)
        self.result.style().polish(self.result)
        self.result.setText(sentence)
        self.result.show()

    def _columns(self) -> list[Column[AuditEntry]]:
        return [
            Column(_("No."), lambda entry: count(entry.number), number=True, share=0.4),
            Column(_("When"), lambda entry: moment(entry.at), share=1.2, tone=lambda _row: "dim"),
            Column(_("What"), lambda entry: kind_words(entry.kind), share=1.2),
            Column(_("Details"), detail_words, share=3, tone=lambda _row: "dim"),
            Column(_("Hash"), lambda entry: entry.hash[:12], share=0.9, tone=lambda _row: "dim"),
        ]
