"""The 24 words of a recovery key: shown once, as a QR code too, copied, saved or printed, and confirmed."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QTextCursor, QTextDocument
from PySide6.QtWidgets import QFileDialog, QFrame, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.pages.folding import FlowLayout
from desktop.pages.page import label
from desktop.pages.qr_code import QrCode, qr_image
from desktop.session import Session
from desktop.theme.appearance import appearance, look
from desktop.widgets.wrapping_box import WrappingBox
from resources.language import gettext as _

_WORD = 104
_PRINTED = 4
"""The pixels of a square of the QR code on paper."""


class RecoveryWords(QWidget):
    """Shows words; ``kept`` comes when their owner has confirmed to have them, and the clipboard no longer has.

    ``title`` and ``foot`` stand above and below the words in what is saved, ``name`` is that file's without its ending.
    """

    kept = Signal()

    def __init__(self, session: Session, words: str, title: str, foot: str, name: str) -> None:
        super().__init__()
        self._session, self._words, self._title, self._foot, self._name = session, words, title, foot, name
        self._cells: list[QLabel] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        sentence = _("Keep these 24 words where only you find them. They are shown this one time.")
        column.addWidget(label(sentence, "strong", wrap=True))
        column.addWidget(self._well())
        row = FlowLayout()
        for text, act in (
            (_("Copy"), self._copy),
            (_("Save as a file…"), self._save),
            (_("Print as PDF…"), self._print),
        ):
            button = QPushButton(text)
            button.clicked.connect(act)
            row.addWidget(button)
        self.code = QrCode(words, _("The 24 words as a QR code"))
        self.code.hide()
        shows = QPushButton(_("QR code"))
        shows.setCheckable(True)
        shows.setToolTip(_("Shows the words as a QR code, for a camera that only you use"))
        shows.toggled.connect(self.code.setVisible)
        row.addWidget(shows)
        column.addLayout(row)
        column.addWidget(self.code)
        done = QPushButton(_("Done"))
        done.setProperty("kind", "primary")
        done.setEnabled(False)
        self.check = WrappingBox(_("I kept the recovery key"))
        self.check.toggled.connect(done.setEnabled)
        done.clicked.connect(self._done)
        last = FlowLayout()
        last.addWidget(self.check)
        last.addWidget(done)
        column.addLayout(last)
        self.setFocusProxy(self.check)

    def _well(self) -> QFrame:
        well = QFrame()
        well.setProperty("kind", "well")
        well.setAccessibleName(_("Recovery key: {words}").format(words=self._words))
        grid = FlowLayout(6)
        grid.setContentsMargins(14, 12, 14, 12)
        well.setLayout(grid)
        for number, word in enumerate(self._words.split(), 1):
            cell = label(f"{number:>2}. {word}", "mono")
            self._cells.append(cell)
            grid.addWidget(cell)
        self._fit()
        appearance().changed.connect(self._fit)
        return well

    def _fit(self) -> None:
        """Give every word the same width, also when the text is made larger to be read."""
        for cell in self._cells:
            cell.setFixedWidth(look().px(_WORD))

    def _done(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard.text() == self._words:
            clipboard.clear()
        # The words stay: where what comes next fails, they are still to be kept, and may be saved again.
        self.kept.emit()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._words)
        self._session.notify(_("The words are on the clipboard; it is emptied when you press Done."))

    def _save(self) -> None:
        self._ask_file(_("Save the recovery key"), f"{self._name}.txt", self._write_text)

    def _print(self) -> None:
        self._ask_file(_("Print the recovery key"), f"{self._name}.pdf", self._write_pdf)

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
        document.addResource(
            QTextDocument.ResourceType.ImageResource, QUrl("words"), qr_image(self._words, _PRINTED)
        )
        document.setPlainText(self._text())
        cursor = QTextCursor(document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertImage("words")
        document.print_(writer)

    def _text(self) -> str:
        lines = [f"{number:>2}. {word}" for number, word in enumerate(self._words.split(), 1)]
        return "\n".join([self._title, "", *lines, "", self._foot]) + "\n"
