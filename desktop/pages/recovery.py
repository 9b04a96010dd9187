"""The recovery key: shown once, copied, saved or printed, and confirmed by its owner."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QTextDocument
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFrame,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.pages.folding import FlowLayout
from desktop.pages.page import clear, label
from desktop.session import Session
from desktop.theme.appearance import look
from resources.language import gettext as _

_WORD = 104


class RecoverySection(QWidget):
    """Offers the key, shows its 24 words once, and forgets them when the owner says they are kept.

    ``words_shown`` comes with the words, ``kept`` when the owner confirmed.
    """

    kept = Signal()
    words_shown = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._words = ""
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)
        self._offer()

    def _offer(self) -> None:
        clear(self._column)
        vault = self._session.office.vault
        has_one = vault.has_recovery_key
        place = vault.store.name
        sentence = _(
            "Your keys are kept in {place}. If it is ever lost or reset, only a recovery key of 24 words "
            "opens this office again."
        ).format(place=place)
        if has_one:
            sentence += " " + _("You have one; making a new one makes the old one useless.")
        self._column.addWidget(label(sentence, "dim", wrap=True))
        button = QPushButton(_("Make a new recovery key") if has_one else _("Make a recovery key"))
        button.clicked.connect(lambda: self._session.spawn(self._make(), name="make a recovery key"))
        self._column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeading)

    async def _make(self) -> None:
        self._words = await self._session.office.new_recovery_key()
        self._show()

    def _show(self) -> None:
        clear(self._column)
        self._column.addWidget(
            label(
                _("Keep these 24 words where only you find them. They are shown this one time."),
                "strong",
                wrap=True,
            )
        )
        well = QFrame()
        well.setProperty("kind", "well")
        well.setAccessibleName(_("Recovery key: {words}").format(words=self._words))
        grid = FlowLayout(6)
        grid.setContentsMargins(14, 12, 14, 12)
        well.setLayout(grid)
        for number, word in enumerate(self._words.split(), 1):
            cell = label(f"{number:>2}. {word}", "mono")
            cell.setFixedWidth(look().px(_WORD))
            grid.addWidget(cell)
        self._column.addWidget(well)
        row = FlowLayout()
        for words, act in (
            (_("Copy"), self._copy),
            (_("Save as a file…"), self._save),
            (_("Print as PDF…"), self._print),
        ):
            button = QPushButton(words)
            button.clicked.connect(act)
            row.addWidget(button)
        self._column.addLayout(row)
        done = QPushButton(_("Done"))
        done.setProperty("kind", "primary")
        done.setEnabled(False)
        check = QCheckBox(_("I kept the recovery key"))
        check.toggled.connect(done.setEnabled)
        done.clicked.connect(self._done)
        last = FlowLayout()
        last.addWidget(check)
        last.addWidget(done)
        self._column.addLayout(last)
        check.setFocus()
        self.words_shown.emit()

    def _done(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard.text() == self._words:
            clipboard.clear()
        self._words = ""
        self._offer()
        self.kept.emit()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._words)
        self._session.notify(_("The words are on the clipboard; it is emptied when you press Done."))

    def _save(self) -> None:
        self._ask_file(_("Save the recovery key"), "bureau-recovery-key.txt", self._write_text)

    def _print(self) -> None:
        self._ask_file(_("Print the recovery key"), "bureau-recovery-key.pdf", self._write_pdf)

    def _ask_file(self, title: str, name: str, write: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self, title, str(Path.home() / name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(lambda path: self._session.attempt(lambda: write(Path(path))))
        dialog.open()

    def _write_text(self, path: Path) -> None:
        path.touch(mode=0o600)
        path.write_text(self._text(), encoding="utf-8")

    def _write_pdf(self, path: Path) -> None:
        from PySide6.QtGui import QPageSize, QPdfWriter

        path.touch(mode=0o600)
        writer = QPdfWriter(str(path))
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
        document = QTextDocument()
        document.setPlainText(self._text())
        document.print_(writer)

    def _text(self) -> str:
        words = self._words.split()
        lines = [f"{number:>2}. {word}" for number, word in enumerate(words, 1)]
        title = _("Recovery key of the Bureau office in {folder}").format(
            folder=self._session.office.locations.home
        )
        return "\n".join([title, "", *lines, "", _("Whoever has these words can open the office.")]) + "\n"
