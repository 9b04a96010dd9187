"""One line of the register of exports: where it is, what it holds, and its owner's word that it is gone."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout

from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import label
from desktop.pages.privacy.words import all_counted
from desktop.wording import moment, size
from memory.transfer.exports_made import ExportMade, say_gone
from resources.language import gettext as _

if TYPE_CHECKING:
    from desktop.pages.privacy.exporting import ExportPart


class ExportRow(QFrame):
    """``there`` says whether the file is where it was written."""

    def __init__(self, part: "ExportPart", made: ExportMade, *, there: bool) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._part = part
        self.made = made
        path = Path(made.path)
        self.setAccessibleName(path.name)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        row = FoldingRow(460)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(label(path.name, "strong", wrap=True))
        facts = [moment(made.at), size(made.size), _("encrypted") if made.encrypted else _("not encrypted")]
        if made.filters:
            facts.append(_("a part"))
        words.addWidget(label(" · ".join(facts), "small", wrap=True))
        words.addWidget(label(f"{path.parent} · {all_counted(made.counts)}", "small", wrap=True))
        if made.removed_at is not None:
            words.addWidget(
                label(
                    _("You said that it is gone ({when}).").format(when=moment(made.removed_at)),
                    "small",
                    wrap=True,
                )
            )
        elif not there:
            words.addWidget(
                label(_("It is no longer where it was written: moved, or gone?"), "warn", wrap=True)
            )
        row.row.addLayout(words, 1)
        doors = FlowLayout(4)
        if there:
            check = QPushButton(_("Check"))
            check.setAccessibleName(_("Check {file}").format(file=path.name))
            check.clicked.connect(lambda: part.verify.look(path))
            doors.addWidget(check)
        if made.removed_at is None:
            gone = QPushButton(_("The file is gone"))
            gone.setProperty("kind", "flat")
            gone.setToolTip(_("Erase reports no longer name it as a copy"))
            gone.clicked.connect(lambda: self._say(gone=True))
            doors.addWidget(gone)
        row.row.addLayout(doors)
        row.row.setAlignment(doors, Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(row)

    def _say(self, *, gone: bool) -> None:
        self._part.session.spawn(self._note(gone=gone), name="note that an export is gone")

    async def _note(self, *, gone: bool) -> None:
        session = self._part.session
        await session.office.database.write(say_gone, self.made.id, gone=gone)
        if gone:
            session.notify(
                _("Noted: no copy is counted there any more."),
                label=_("Undo"),
                act=lambda: self._say(gone=False),
            )
        self._part.mark_stale()
